-- add_person(tenant_id, id, email, name, locale, now)
-- A new account; no row if the e-mail address is taken.
INSERT INTO people (tenant_id, id, email, name, locale, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING id;

-- add_role(tenant_id, person_id, role)
-- Roles add up.
INSERT INTO person_roles (tenant_id, person_id, role)
VALUES ($1, $2, $3);

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
