-- keep_summary(tenant_id, session_id, kind, engine, content)
-- A session that is over changes no more, and so its summary is made once.
INSERT INTO summaries (tenant_id, session_id, number, kind, engine, content)
VALUES ($1, $2, 1, $3, $4, $5)
    ON CONFLICT (tenant_id, session_id, number) DO NOTHING;

-- summary(tenant_id, session_id)
SELECT number, kind, engine, content
  FROM summaries
 WHERE tenant_id = $1 AND session_id = $2
 ORDER BY number DESC
 LIMIT 1;
