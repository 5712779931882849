-- list(tenant_id, ids, role, status, class_id, search, after_name, after_id, limit)
-- By name, with roles and classes; NULL does not filter.
SELECT p.id, p.name, p.email, p.status, p.grade_level, p.last_seen_at, p.created_at,
       lower(p.name) AS sorted_by,
       ARRAY(SELECT r.role FROM person_roles r
              WHERE r.tenant_id = $1 AND r.person_id = p.id) AS roles,
       (SELECT COALESCE(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) ORDER BY c.name),
                        '[]')
          FROM class_members m
          JOIN classes c ON c.tenant_id = $1 AND c.id = m.class_id AND c.archived_at IS NULL
         WHERE m.tenant_id = $1 AND m.person_id = p.id) AS classes
  FROM people p
 WHERE p.tenant_id = $1
   AND ($2::uuid[] IS NULL OR p.id = ANY($2))
   AND ($3::text IS NULL
        OR EXISTS (SELECT 1 FROM person_roles r
                    WHERE r.tenant_id = $1 AND r.person_id = p.id AND r.role = $3))
   AND ($4::text IS NULL OR p.status = $4)
   AND ($5::uuid IS NULL
        OR EXISTS (SELECT 1 FROM class_members m
                    WHERE m.tenant_id = $1 AND m.person_id = p.id AND m.class_id = $5))
   AND ($6::text IS NULL
        OR strpos(lower(p.name), lower($6)) > 0
        OR strpos(p.email, lower($6)) > 0)
   AND ($7::text IS NULL OR (lower(p.name), p.id) > ($7, $8::uuid))
 ORDER BY lower(p.name), p.id
 LIMIT $9;

-- bonds(tenant_id, person_id, now)
-- Children and guardians; tutors and students at present. By name.
SELECT bond, p.id, p.name
  FROM (SELECT 'children' AS bond, student_id AS id
          FROM guardians
         WHERE tenant_id = $1 AND parent_id = $2
         UNION
        SELECT 'guardians', parent_id
          FROM guardians
         WHERE tenant_id = $1 AND student_id = $2
         UNION
        SELECT 'students', student_id
          FROM assignments
         WHERE tenant_id = $1
           AND tutor_id = $2
           AND status = 'active'
           AND starts_at <= $3
           AND (ends_at IS NULL OR ends_at > $3)
         UNION
        SELECT 'tutors', tutor_id
          FROM assignments
         WHERE tenant_id = $1
           AND student_id = $2
           AND status = 'active'
           AND starts_at <= $3
           AND (ends_at IS NULL OR ends_at > $3)) AS bonds
  JOIN people p ON p.tenant_id = $1 AND p.id = bonds.id
 ORDER BY bond, lower(p.name), p.id;
