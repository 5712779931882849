-- of_school(tenant_id, now)
-- What the school has set for everything, as far as it holds at this time.
SELECT name, value
  FROM settings
 WHERE tenant_id = $1 AND layer = 'school' AND (expires_at IS NULL OR expires_at > $2);
