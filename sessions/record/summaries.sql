-- keep_summary(tenant_id, session_id, number, kind, engine, content)
-- A summary that is kept does not change: made anew it is the next one.
INSERT INTO summaries (tenant_id, session_id, number, kind, engine, content)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, session_id, number) DO NOTHING;

-- newest_summaries(tenant_id, session_ids)
-- The newest of each session that has one.
SELECT DISTINCT ON (session_id)
       session_id, number, kind, engine, content, created_at
  FROM summaries
 WHERE tenant_id = $1 AND session_id = ANY($2::uuid[])
 ORDER BY session_id, number DESC;
