-- password(tenant_id, email)
-- Whom an address belongs to, and the hash of their password if they have one.
SELECT p.id AS person_id, i.password_hash
  FROM people p
  LEFT JOIN identities i
    ON i.tenant_id = $1 AND i.person_id = p.id AND i.kind = 'password'
 WHERE p.tenant_id = $1 AND p.email = $2;

-- hold_password(tenant_id, person_id)
-- The hash of somebody's password, which nobody changes until the transaction ends.
SELECT password_hash
  FROM identities
 WHERE tenant_id = $1 AND person_id = $2 AND kind = 'password'
   FOR UPDATE;

-- set_password(tenant_id, id, person_id, subject, password_hash, now)
-- A person's only password.
INSERT INTO identities (tenant_id, id, person_id, kind, subject, password_hash, changed_at)
VALUES ($1, $2, $3, 'password', $4, $5, $6)
    ON CONFLICT (tenant_id, kind, subject)
    DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at;

-- add_token(tenant_id, id, person_id, kind, hash, parent_id, lesson, idle_s, expires_at, now)
-- Something to sign in with.
INSERT INTO access_tokens (tenant_id, id, person_id, kind, hash, parent_id, lesson, idle_s,
                           expires_at, created_at, last_used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10);

-- credential(tenant_id, hash, id)
-- A credential by its hash or its id (the other is NULL), what it was made from, and whose it is.
SELECT t.id AS credential_id, t.kind, t.lesson, t.last_used_at, t.idle_s, t.expires_at,
       COALESCE(o.expires_at, t.expires_at) AS ends_at,
       t.revoked_at IS NOT NULL OR o.revoked_at IS NOT NULL AS revoked,
       p.id, p.tenant_id, p.name, p.email, p.status, p.locale,
       ARRAY(SELECT r.role FROM person_roles r
              WHERE r.tenant_id = $1 AND r.person_id = p.id) AS roles
  FROM access_tokens t
  JOIN people p ON p.tenant_id = $1 AND p.id = t.person_id
  LEFT JOIN access_tokens o ON o.tenant_id = $1 AND o.id = t.parent_id
 WHERE t.tenant_id = $1 AND (t.hash = $2 OR t.id = $3);

-- lock_token(tenant_id, id)
-- Holds off its end while something is made from it.
SELECT t.id
  FROM access_tokens t
 WHERE t.tenant_id = $1 AND t.id = $2
   FOR UPDATE;

-- use_token(tenant_id, id, now)
-- It was used just now, and so was what it was made from.
UPDATE access_tokens t
   SET last_used_at = $3
 WHERE t.tenant_id = $1
   AND (t.id = $2
        OR t.id = (SELECT c.parent_id FROM access_tokens c WHERE c.tenant_id = $1 AND c.id = $2));

-- end_token(tenant_id, id, now)
-- It opens nothing any more.
UPDATE access_tokens
   SET revoked_at = $3
 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
RETURNING id;

-- end_children(tenant_id, parent_id, now)
-- Neither does what was made from it. After end_token, so that none slips in between.
UPDATE access_tokens
   SET revoked_at = $3
 WHERE tenant_id = $1 AND parent_id = $2 AND revoked_at IS NULL
RETURNING id;

-- end_all(tenant_id, person_id, now)
-- Signs a person out everywhere.
UPDATE access_tokens
   SET revoked_at = $3
 WHERE tenant_id = $1 AND person_id = $2 AND revoked_at IS NULL
RETURNING id;

-- end_others(tenant_id, person_id, kept_id, now)
-- Signs a person out everywhere but here.
UPDATE access_tokens
   SET revoked_at = $4
 WHERE tenant_id = $1 AND person_id = $2 AND revoked_at IS NULL
   AND id <> $3 AND (parent_id IS NULL OR parent_id <> $3)
RETURNING id;

-- forget(tenant_id, person_id, before)
-- Removes what has been useless for long; the audit keeps that it existed.
DELETE FROM access_tokens
 WHERE tenant_id = $1 AND person_id = $2 AND expires_at < $3;

-- held(tenant_id, person_id)
-- What a person may have something open with.
SELECT id FROM access_tokens WHERE tenant_id = $1 AND person_id = $2 AND revoked_at IS NULL;
