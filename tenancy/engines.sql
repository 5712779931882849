-- settings(tenant_id, now, names)
-- What the school has decided of its engines, as far as it holds at this time.
SELECT name, value
  FROM settings
 WHERE tenant_id = $1
   AND layer = 'school'
   AND name = ANY ($3::text[])
   AND (expires_at IS NULL OR expires_at > $2);

-- keys(tenant_id)
SELECT engine_keys.provider, engine_keys.sealed, engine_keys.ends_with, engine_keys.set_at,
       people.name AS set_by
  FROM engine_keys
  LEFT JOIN people ON people.tenant_id = $1 AND people.id = engine_keys.set_by
 WHERE engine_keys.tenant_id = $1
 ORDER BY engine_keys.provider;

-- put_key(tenant_id, provider, sealed, ends_with, set_by, now)
INSERT INTO engine_keys (tenant_id, provider, sealed, ends_with, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, provider)
    DO UPDATE SET sealed = excluded.sealed, ends_with = excluded.ends_with,
                  set_by = excluded.set_by, set_at = excluded.set_at;

-- delete_key(tenant_id, provider)
DELETE FROM engine_keys
 WHERE tenant_id = $1 AND provider = $2
RETURNING provider;

-- put(tenant_id, name, value, author, now)
-- From now on, and until it is set otherwise.
INSERT INTO settings (tenant_id, layer, layer_id, name, value, author, changed_at)
VALUES ($1, 'school', '', $2, $3::jsonb, $4, $5)
    ON CONFLICT (tenant_id, layer, layer_id, name)
    DO UPDATE SET value = excluded.value, author = excluded.author, reason = NULL,
                  expires_at = NULL, changed_at = excluded.changed_at;

-- put_back(tenant_id, name)
-- As the server has it.
DELETE FROM settings
 WHERE tenant_id = $1 AND layer = 'school' AND layer_id = '' AND name = $2;
