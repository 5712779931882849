-- add_person(tenant_id, id, email, name, locale, grade_level, now)
-- A new account; no row if the e-mail address is taken.
INSERT INTO people (tenant_id, id, email, name, locale, grade_level, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING id;

-- add_role(tenant_id, person_id, role)
-- Roles add up.
INSERT INTO person_roles (tenant_id, person_id, role)
VALUES ($1, $2, $3);

-- remove_role(tenant_id, person_id, role)
DELETE FROM person_roles WHERE tenant_id = $1 AND person_id = $2 AND role = $3;

-- hold_admins(tenant_id)
-- Whoever is an admin, locked: of two who take the role from each other the second waits here.
SELECT p.id
  FROM people p
 WHERE p.tenant_id = $1
   AND EXISTS (SELECT 1 FROM person_roles r
                WHERE r.tenant_id = $1 AND r.person_id = p.id AND r.role = 'admin')
 ORDER BY p.id
   FOR UPDATE;

-- admins(tenant_id)
-- Whose account is on. Read after hold_admins: what that waited for is seen.
SELECT p.id
  FROM people p
  JOIN person_roles r ON r.tenant_id = $1 AND r.person_id = p.id AND r.role = 'admin'
 WHERE p.tenant_id = $1 AND p.status = 'active';

-- change(tenant_id, id, name, email, grade_level)
-- NULL leaves as it is; no row if there is none.
UPDATE people
   SET name = COALESCE($3, name),
       email = COALESCE($4, email),
       grade_level = COALESCE($5, grade_level)
 WHERE tenant_id = $1 AND id = $2
RETURNING id;

-- person(tenant_id, id)
-- One person with all their roles.
SELECT p.id, p.tenant_id, p.name, p.email, p.status, p.locale,
       ARRAY(SELECT r.role FROM person_roles r
              WHERE r.tenant_id = $1 AND r.person_id = p.id) AS roles
  FROM people p
 WHERE p.tenant_id = $1 AND p.id = $2;

-- person_by_email(tenant_id, email)
-- One person with all their roles.
SELECT p.id, p.tenant_id, p.name, p.email, p.status, p.locale,
       ARRAY(SELECT r.role FROM person_roles r
              WHERE r.tenant_id = $1 AND r.person_id = p.id) AS roles
  FROM people p
 WHERE p.tenant_id = $1 AND p.email = $2;

-- preferences(tenant_id, id)
-- What a person has chosen for their own pages.
SELECT p.preferences
  FROM people p
 WHERE p.tenant_id = $1 AND p.id = $2;

-- change_preferences(tenant_id, id, changes)
-- Those named are set, null removes one, the others stay.
UPDATE people p
   SET preferences = jsonb_strip_nulls(p.preferences || $3)
 WHERE p.tenant_id = $1 AND p.id = $2
RETURNING p.preferences;

-- set_status(tenant_id, id, status)
-- Switches an account off or on; no row if there is none.
UPDATE people
   SET status = $3
 WHERE tenant_id = $1 AND id = $2
RETURNING id;

-- seen(tenant_id, id, now)
-- They signed in.
UPDATE people
   SET last_seen_at = $3
 WHERE tenant_id = $1 AND id = $2;
