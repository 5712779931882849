-- insert_items(tenant_id, session_id, first_seq, one array for each column of the batch)
-- A batch, numbered in its order.
INSERT INTO items (
         tenant_id, session_id, seq, item_id, position, role, speaker, kind, status,
         said, heard, heard_ms, interrupted, started_ms, ended_ms, words, engine, data)
SELECT $1, $2, $3 + batch.place - 1, batch.item_id, batch.position, batch.role, batch.speaker,
       batch.kind, batch.status, batch.said, batch.heard, batch.heard_ms, batch.interrupted,
       batch.started_ms, batch.ended_ms, batch.words, batch.engine, batch.data
  FROM unnest(
         $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[],
         $10::bytea[], $11::bytea[], $12::bigint[], $13::boolean[], $14::bigint[], $15::bigint[],
         $16::bytea[], $17::text[], $18::bytea[])
       WITH ORDINALITY
    AS batch (item_id, position, role, speaker, kind, status, said, heard, heard_ms, interrupted,
              started_ms, ended_ms, words, engine, data, place);

-- saved_ids(tenant_id, session_id, item_ids)
-- Which of these are in the log already.
SELECT item_id
  FROM items
 WHERE tenant_id = $1 AND session_id = $2 AND item_id = ANY($3::text[]);

-- update_heard(tenant_id, session_id, item_ids, heard, heard_ms, interrupted)
-- The only thing about an item that changes after it is saved.
UPDATE items
   SET heard = batch.heard, heard_ms = batch.heard_ms, interrupted = batch.interrupted
  FROM unnest($3::text[], $4::bytea[], $5::bigint[], $6::boolean[])
    AS batch (item_id, heard, heard_ms, interrupted)
 WHERE items.tenant_id = $1 AND items.session_id = $2 AND items.item_id = batch.item_id;

-- items_of(tenant_id, session_id)
-- A session's items in conversation order.
SELECT item_id, position, role, speaker, kind, status, said, heard, heard_ms, interrupted,
       started_ms, ended_ms, words, engine, data
  FROM items
 WHERE tenant_id = $1 AND session_id = $2
 ORDER BY position, seq;

-- item(tenant_id, session_id, item_id)
-- One item of a session.
SELECT item_id, position, role, speaker, kind, status, said, heard, heard_ms, interrupted,
       started_ms, ended_ms, words, engine, data
  FROM items
 WHERE tenant_id = $1 AND session_id = $2 AND item_id = $3;

-- items_of_sessions(tenant_id, session_ids)
-- The items of several sessions, each in conversation order; without the times of their words.
SELECT session_id, item_id, position, role, speaker, kind, status, said, heard, heard_ms,
       interrupted, started_ms, ended_ms, NULL::bytea AS words, engine, data
  FROM items
 WHERE tenant_id = $1 AND session_id = ANY($2::uuid[])
 ORDER BY session_id, position, seq;
