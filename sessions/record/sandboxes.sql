-- delete_overrides(tenant_id, session_id)
DELETE FROM overrides WHERE tenant_id = $1 AND session_id = $2;

-- delete_review(tenant_id, session_id)
DELETE FROM reviews WHERE tenant_id = $1 AND session_id = $2;

-- delete_feedback(tenant_id, session_id)
DELETE FROM feedback WHERE tenant_id = $1 AND session_id = $2;

-- keep_usage(tenant_id, session_id, trial_id)
-- What it cost is told of the month for good, without whose it was.
INSERT INTO trial_usage (tenant_id, trial_id, month, engine, unit, model, quantity, cost_micros,
                         price_micros, server_quantity, server_cost_micros)
SELECT $1, $3, date_trunc('month', sessions.started_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC',
       usage.engine, usage.unit, usage.model, usage.quantity, usage.cost_micros, usage.price_micros,
       usage.server_quantity, usage.server_cost_micros
  FROM sessions
  JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
 WHERE sessions.tenant_id = $1 AND sessions.id = $2;

-- delete_usage(tenant_id, session_id)
DELETE FROM usage WHERE tenant_id = $1 AND session_id = $2;

-- delete_summaries(tenant_id, session_id)
DELETE FROM summaries WHERE tenant_id = $1 AND session_id = $2;

-- delete_items(tenant_id, session_id)
DELETE FROM items WHERE tenant_id = $1 AND session_id = $2;

-- delete_session(tenant_id, session_id)
-- Last of its rows: it is what lets the others go.
DELETE FROM sessions
 WHERE tenant_id = $1 AND id = $2 AND sandbox
RETURNING lesson_version_id;

-- delete_trial(tenant_id, version_id)
-- The draft that was tried, where no other session is on it.
DELETE FROM lesson_versions
 WHERE tenant_id = $1
   AND id = $2
   AND number IS NULL
   AND NOT EXISTS (SELECT 1
                     FROM sessions
                    WHERE sessions.tenant_id = $1 AND sessions.lesson_version_id = $2);

-- lock(tenant_id, session_id)
-- A sandbox, held until it is gone: nobody writes to it meanwhile.
SELECT status
  FROM sessions
 WHERE tenant_id = $1 AND id = $2 AND sandbox
   FOR UPDATE;
