-- care(tenant_id, student_id, now)
-- Who looks after a student at present, and whose child they are. Where the school lets every tutor
-- look after everybody, all tutors.
SELECT 'tutor' AS bond, tutor_id AS person_id
  FROM assignments
 WHERE tenant_id = $1
   AND student_id = $2
   AND status = 'active'
   AND starts_at <= $3
   AND (ends_at IS NULL OR ends_at > $3)
 UNION
SELECT 'tutor', person_roles.person_id
  FROM person_roles
  JOIN settings
    ON settings.tenant_id = $1
   AND settings.layer = 'school'
   AND settings.name = 'tutors_read'
   AND settings.value = '"school"'
   AND (settings.expires_at IS NULL OR settings.expires_at > $3)
 WHERE person_roles.tenant_id = $1 AND person_roles.role = 'tutor'
 UNION
SELECT 'guardian', parent_id
  FROM guardians
 WHERE tenant_id = $1 AND student_id = $2;

-- students_of(tenant_id, tutor_id, now)
-- Whom a tutor looks after at present.
SELECT DISTINCT student_id
  FROM assignments
 WHERE tenant_id = $1
   AND tutor_id = $2
   AND status = 'active'
   AND starts_at <= $3
   AND (ends_at IS NULL OR ends_at > $3);

-- children_of(tenant_id, parent_id)
SELECT people.id, people.name
  FROM guardians
  JOIN people ON people.tenant_id = $1 AND people.id = guardians.student_id
 WHERE guardians.tenant_id = $1 AND guardians.parent_id = $2
 ORDER BY people.name, people.id;

-- school_says(tenant_id, name, value)
-- Whether one of the school's settings has this value.
SELECT true
  FROM settings
 WHERE tenant_id = $1
   AND layer = 'school'
   AND layer_id = ''
   AND name = $2
   AND value = to_jsonb($3::text)
   AND (expires_at IS NULL OR expires_at > now());
