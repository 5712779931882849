-- keep_brief(tenant_id, hash, brief)
-- The same brief is kept once.
INSERT INTO briefs (tenant_id, hash, brief)
VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, hash) DO NOTHING;

-- brief(tenant_id, hash)
SELECT brief FROM briefs WHERE tenant_id = $1 AND hash = $2;

-- start(tenant_id, id, student_id, lesson_id, version_id, brief_hash, expires_at, mode, engines,
--       steps)
-- With expires_at it is a sandbox.
INSERT INTO sessions (tenant_id, id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox,
                      expires_at, mode, engines, steps)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz IS NOT NULL, $7, $8, $9, $10)
RETURNING id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox, mode, status,
          started_at, ended_at, end_reason, wall_ms, student_speech_ms, tutor_speech_ms, silence_ms,
          step, steps, progress, engines, epoch, last_seq, last_seen_at;

-- take_over(tenant_id, id)
-- From now on whoever wrote it before writes no more.
UPDATE sessions
   SET epoch = epoch + 1, last_seen_at = now()
 WHERE tenant_id = $1 AND id = $2 AND status = 'live'
RETURNING id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox, mode, status,
          started_at, ended_at, end_reason, wall_ms, student_speech_ms, tutor_speech_ms, silence_ms,
          step, steps, progress, engines, epoch, last_seq, last_seen_at;

-- advance(tenant_id, id, epoch, items, seen, wall, student, tutor, silence, step, steps, progress,
--         engines, spoken)
-- The begin of every save: takes the row's lock and the numbers of the items that follow. No row:
-- another process writes this session now, or it is over. What is only typed and read is `text`,
-- whatever the door expected.
UPDATE sessions
   SET last_seq = last_seq + $4,
       last_seen_at = CASE WHEN $5 THEN now() ELSE last_seen_at END,
       wall_ms = $6,
       student_speech_ms = $7,
       tutor_speech_ms = $8,
       silence_ms = $9,
       step = coalesce($10, step),
       steps = coalesce($11, steps),
       progress = coalesce($12, progress),
       mode = CASE WHEN $14 THEN 'voice' WHEN NOT $14 AND last_seq = 0 THEN 'text' ELSE mode END,
       engines = engines || (
         SELECT coalesce(jsonb_agg(name), '[]')
           FROM unnest($13::text[]) AS name
          WHERE NOT engines ? name)
 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND status = 'live'
RETURNING last_seq;

-- add_usage(tenant_id, session_id, key, engines, units, models, quantities, costs, prices,
--           servers_quantities, servers_costs)
-- A report that is counted already, under the same key, counts no second time. A sum of which a part
-- is unknown is unknown.
INSERT INTO usage (tenant_id, session_id, engine, unit, model, quantity, cost_micros, price_micros,
                   server_quantity, server_cost_micros, last_key)
SELECT $1, $2, report.engine, report.unit, report.model, report.quantity, report.cost_micros,
       report.price_micros, report.server_quantity, report.server_cost_micros, $3
  FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::bigint[], $11::bigint[])
    AS report (engine, unit, model, quantity, cost_micros, price_micros, server_quantity,
               server_cost_micros)
    ON CONFLICT (tenant_id, session_id, engine, unit, model) DO UPDATE
   SET quantity = usage.quantity + excluded.quantity,
       cost_micros = usage.cost_micros + excluded.cost_micros,
       price_micros = usage.price_micros + excluded.price_micros,
       server_quantity = coalesce(usage.server_quantity, 0) + excluded.server_quantity,
       server_cost_micros = coalesce(usage.server_cost_micros, 0) + excluded.server_cost_micros,
       last_key = excluded.last_key
 WHERE usage.last_key <> excluded.last_key;

-- finish(tenant_id, id, epoch, end_reason)
-- Right after `advance`: what nobody came back to ended when it was last seen.
UPDATE sessions
   SET status = 'ended',
       ended_at = CASE WHEN $4 = 'abandoned' THEN last_seen_at ELSE now() END,
       end_reason = $4
 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND status = 'live'
RETURNING id;

-- abandon(tenant_id, id, last_seen)
-- It ended when it was last seen, not when that was found out. The epoch stops a writer that slept.
UPDATE sessions
   SET status = 'ended', ended_at = last_seen_at, end_reason = 'abandoned', epoch = epoch + 1
 WHERE tenant_id = $1 AND id = $2 AND status = 'live' AND last_seen_at <= $3
RETURNING id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox, mode, status,
          started_at, ended_at, end_reason, wall_ms, student_speech_ms, tutor_speech_ms, silence_ms,
          step, steps, progress, engines, epoch, last_seq, last_seen_at;

-- get(tenant_id, id)
SELECT id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox, mode, status,
       started_at, ended_at, end_reason, wall_ms, student_speech_ms, tutor_speech_ms, silence_ms,
       step, steps, progress, engines, epoch, last_seq, last_seen_at
  FROM sessions
 WHERE tenant_id = $1 AND id = $2;

-- live_of(tenant_id, student_id, lesson_id)
-- What the student could go on with, newest first.
SELECT id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox, mode, status,
       started_at, ended_at, end_reason, wall_ms, student_speech_ms, tutor_speech_ms, silence_ms,
       step, steps, progress, engines, epoch, last_seq, last_seen_at
  FROM sessions
 WHERE tenant_id = $1 AND student_id = $2 AND lesson_id = $3 AND status = 'live' AND NOT sandbox
 ORDER BY started_at DESC, id DESC;

-- trials_of(tenant_id, student_id, lesson_id)
SELECT id
  FROM sessions
 WHERE tenant_id = $1 AND student_id = $2 AND lesson_id = $3 AND status = 'live' AND sandbox;

-- count_live(tenant_id, student_id)
SELECT count(*)
  FROM sessions
 WHERE tenant_id = $1 AND student_id = $2 AND status = 'live' AND NOT sandbox;

-- usage_of(tenant_id, session_id)
SELECT engine, unit, model, quantity, cost_micros, price_micros,
       coalesce(server_quantity, 0) AS server_quantity,
       coalesce(server_cost_micros, 0) AS server_cost_micros
  FROM usage
 WHERE tenant_id = $1 AND session_id = $2
 ORDER BY engine, model, unit;

-- newest_number(tenant_id, session_id)
-- Of its summaries; 0: there is none.
SELECT coalesce(max(number), 0)
  FROM summaries
 WHERE tenant_id = $1 AND session_id = $2;
