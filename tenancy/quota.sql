-- limits(tenant_id, now, names)
SELECT name, value
  FROM settings
 WHERE tenant_id = $1
   AND layer = 'school'
   AND name = ANY ($3::text[])
   AND (expires_at IS NULL OR expires_at > $2);

-- put(tenant_id, name, value, author, now)
INSERT INTO settings (tenant_id, layer, layer_id, name, value, author, changed_at)
VALUES ($1, 'school', '', $2, $3::jsonb, $4, $5)
    ON CONFLICT (tenant_id, layer, layer_id, name)
    DO UPDATE SET value = excluded.value, author = excluded.author, reason = NULL,
                  expires_at = NULL, changed_at = excluded.changed_at;

-- put_back(tenant_id, name)
DELETE FROM settings
 WHERE tenant_id = $1 AND layer = 'school' AND layer_id = '' AND name = $2;

-- hold(tenant_id, name)
-- Who begins a session waits here for the one who begins another, so that they count each other.
SELECT value
  FROM settings
 WHERE tenant_id = $1 AND layer = 'school' AND layer_id = '' AND name = $2
   FOR UPDATE;

-- sessions(tenant_id, seen_since)
-- How many are running: live, and somebody was there a moment ago.
SELECT count(*)
  FROM sessions
 WHERE tenant_id = $1 AND status = 'live' AND last_seen_at >= $2;

-- lesson_ms(tenant_id, since)
-- How long the sessions were that began since then.
SELECT coalesce(sum(wall_ms), 0)::bigint
  FROM sessions
 WHERE tenant_id = $1 AND started_at >= $2;

-- money(tenant_id, since)
-- What the sessions cost the school that began since a month did, deleted trials among them, and
-- whether some of it is unknown.
WITH used AS (
  SELECT usage.cost_micros, usage.price_micros
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2
   UNION ALL
  SELECT cost_micros, price_micros
    FROM trial_usage
   WHERE tenant_id = $1 AND month >= $2
)
SELECT coalesce(sum(price_micros), 0)::bigint AS price_micros,
       coalesce(sum(cost_micros), 0)::bigint AS cost_micros,
       coalesce(bool_or(price_micros IS NULL), false) AS in_part
  FROM used;

-- server_money(tenant_id, since)
-- What is known of the cost that the server's own keys paid for the school since then.
SELECT (SELECT coalesce(sum(usage.server_cost_micros), 0)
          FROM sessions
          JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
         WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2)::bigint
     + (SELECT coalesce(sum(server_cost_micros), 0)
          FROM trial_usage
         WHERE tenant_id = $1 AND month >= $2)::bigint;
