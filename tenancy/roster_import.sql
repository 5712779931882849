-- people(tenant_id, emails)
-- Those of the school that a file names.
SELECT p.id, p.email, p.name, p.grade_level, p.status,
       ARRAY(SELECT r.role FROM person_roles r
              WHERE r.tenant_id = $1 AND r.person_id = p.id) AS roles
  FROM people p
 WHERE p.tenant_id = $1 AND p.email = ANY($2::text[]);

-- classes(tenant_id)
SELECT c.id, c.name, c.archived_at IS NOT NULL AS archived
  FROM classes c
 WHERE c.tenant_id = $1;

-- bonds(tenant_id, ids, now)
-- Which of these are in a class, somebody's child, or looked after, as pairs.
SELECT 'member' AS bond, class_id AS one, person_id AS other
  FROM class_members
 WHERE tenant_id = $1 AND person_id = ANY($2::uuid[])
 UNION ALL
SELECT 'guardian', parent_id, student_id
  FROM guardians
 WHERE tenant_id = $1 AND student_id = ANY($2::uuid[])
 UNION ALL
SELECT 'tutor', tutor_id, student_id
  FROM assignments
 WHERE tenant_id = $1
   AND student_id = ANY($2::uuid[])
   AND subject IS NULL
   AND status <> 'completed'
   AND (ends_at IS NULL OR ends_at > $3);

-- add_people(tenant_id, ids, emails, names, grades, now)
-- Fewer rows than were given if somebody took an address meanwhile.
INSERT INTO people (tenant_id, id, email, name, grade_level, created_at)
SELECT $1, new.id, new.email, new.name, new.grade_level, $6
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS new (id, email, name, grade_level)
    ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING id;

-- add_passwords(tenant_id, ids, person_ids, hashes, now)
INSERT INTO identities (tenant_id, id, person_id, kind, subject, password_hash, changed_at)
SELECT $1, new.id, new.person_id, 'password', new.person_id::text, new.hash, $5
  FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS new (id, person_id, hash);

-- change_people(tenant_id, ids, names, grades)
-- A grade that is NULL stays.
UPDATE people
   SET name = changed.name, grade_level = COALESCE(changed.grade_level, people.grade_level)
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS changed (id, name, grade_level)
 WHERE people.tenant_id = $1 AND people.id = changed.id;

-- add_roles(tenant_id, person_ids, roles)
INSERT INTO person_roles (tenant_id, person_id, role)
SELECT $1, new.person_id, new.role
  FROM unnest($2::uuid[], $3::text[]) AS new (person_id, role)
    ON CONFLICT (tenant_id, person_id, role) DO NOTHING;

-- add_classes(tenant_id, ids, names, now)
INSERT INTO classes (tenant_id, id, name, created_at)
SELECT $1, new.id, new.name, $4
  FROM unnest($2::uuid[], $3::text[]) AS new (id, name)
    ON CONFLICT (tenant_id, name) DO NOTHING;

-- add_members(tenant_id, class_ids, person_ids, roles, now)
INSERT INTO class_members (tenant_id, class_id, person_id, role, since)
SELECT $1, new.class_id, new.person_id, new.role, $5
  FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS new (class_id, person_id, role)
    ON CONFLICT (tenant_id, class_id, person_id) DO NOTHING;

-- add_guardians(tenant_id, parent_ids, student_ids, now)
INSERT INTO guardians (tenant_id, parent_id, student_id, since)
SELECT $1, new.parent_id, new.student_id, $4
  FROM unnest($2::uuid[], $3::uuid[]) AS new (parent_id, student_id)
    ON CONFLICT (tenant_id, parent_id, student_id) DO NOTHING;

-- add_tutors(tenant_id, ids, tutor_ids, student_ids, now)
INSERT INTO assignments (tenant_id, id, tutor_id, student_id, starts_at)
SELECT $1, new.id, new.tutor_id, new.student_id, $5
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS new (id, tutor_id, student_id);
