-- list(tenant_id, archived, after_name, after_id, limit)
-- By name, with how many are in each; NULL does not filter.
SELECT c.id, c.name, c.archived_at IS NOT NULL AS archived,
       (SELECT count(*) FROM class_members m
         WHERE m.tenant_id = $1 AND m.class_id = c.id AND m.role = 'student') AS students,
       (SELECT count(*) FROM class_members m
         WHERE m.tenant_id = $1 AND m.class_id = c.id AND m.role = 'instructor') AS instructors
  FROM classes c
 WHERE c.tenant_id = $1
   AND ($2::boolean IS NULL OR (c.archived_at IS NOT NULL) = $2)
   AND ($3::text IS NULL OR (c.name, c.id) > ($3, $4::uuid))
 ORDER BY c.name, c.id
 LIMIT $5;

-- one(tenant_id, id)
SELECT c.id, c.name, c.archived_at IS NOT NULL AS archived,
       (SELECT count(*) FROM class_members m
         WHERE m.tenant_id = $1 AND m.class_id = c.id AND m.role = 'student') AS students,
       (SELECT count(*) FROM class_members m
         WHERE m.tenant_id = $1 AND m.class_id = c.id AND m.role = 'instructor') AS instructors
  FROM classes c
 WHERE c.tenant_id = $1 AND c.id = $2;

-- named(tenant_id, name)
-- Whoever writes "class 4B" means "Class 4b".
SELECT c.id, c.name, c.archived_at IS NOT NULL AS archived
  FROM classes c
 WHERE c.tenant_id = $1 AND lower(c.name) = lower($2)
 LIMIT 1;

-- members(tenant_id, class_id)
-- Teachers before students, each by name.
SELECT p.id, p.name, m.role
  FROM class_members m
  JOIN people p ON p.tenant_id = $1 AND p.id = m.person_id
 WHERE m.tenant_id = $1 AND m.class_id = $2
 ORDER BY m.role, lower(p.name), p.id;

-- insert(tenant_id, id, name, now)
-- No row if another one took the name meanwhile.
INSERT INTO classes (tenant_id, id, name, created_at)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, name) DO NOTHING
RETURNING id;

-- change(tenant_id, id, name, archived, now)
-- NULL leaves as it is; what was archived before stays so since then.
UPDATE classes
   SET name = COALESCE($3, name),
       archived_at = CASE
         WHEN $4::boolean IS NULL THEN archived_at
         WHEN $4 THEN COALESCE(archived_at, $5)
       END
 WHERE tenant_id = $1 AND id = $2
RETURNING id;

-- member(tenant_id, class_id, person_id)
SELECT role FROM class_members WHERE tenant_id = $1 AND class_id = $2 AND person_id = $3;

-- put_member(tenant_id, class_id, person_id, role, now)
INSERT INTO class_members (tenant_id, class_id, person_id, role, since)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant_id, class_id, person_id) DO NOTHING;

-- remove_member(tenant_id, class_id, person_id)
DELETE FROM class_members
 WHERE tenant_id = $1 AND class_id = $2 AND person_id = $3
RETURNING person_id;
