-- note_read(tenant_id, session_id, id, reader_id, role, at)
-- No row comes back where this hour's reading is noted already.
INSERT INTO reads (tenant_id, session_id, id, reader_id, role, at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, session_id, id) DO NOTHING
RETURNING id;

-- reads_of(tenant_id, session_id)
-- Who opened a session's transcript, newest first.
SELECT people.name, reads.role, reads.at
  FROM reads
  JOIN people ON people.tenant_id = $1 AND people.id = reads.reader_id
 WHERE reads.tenant_id = $1 AND reads.session_id = $2
 ORDER BY reads.at DESC, reads.id
 LIMIT 200;

-- note_reads(tenant_id, session_ids, ids, reader_id, role, at)
-- The same of many sessions.
INSERT INTO reads (tenant_id, session_id, id, reader_id, role, at)
SELECT $1, noted.session_id, noted.id, $4, $5, $6
  FROM unnest($2::uuid[], $3::uuid[]) AS noted (session_id, id)
    ON CONFLICT (tenant_id, session_id, id) DO NOTHING;
