-- of_school(tenant_id, now)
-- What the school has set for everything, as far as it holds at this time.
SELECT name, value
  FROM settings
 WHERE tenant_id = $1 AND layer = 'school' AND (expires_at IS NULL OR expires_at > $2);

-- put_school(tenant_id, name, value, author, now)
-- From now on, and until it is set otherwise.
INSERT INTO settings (tenant_id, layer, layer_id, name, value, author, changed_at)
VALUES ($1, 'school', '', $2, to_jsonb($3::text), $4, $5)
    ON CONFLICT (tenant_id, layer, layer_id, name)
    DO UPDATE SET value = excluded.value, author = excluded.author, reason = NULL,
                  expires_at = NULL, changed_at = excluded.changed_at;
