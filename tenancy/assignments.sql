-- list(tenant_id, tutor_id, student_id, status, by_student, after_first, after_second, after_id, limit)
-- By the tutor's name and then the student's, or the other way about; NULL does not filter.
SELECT a.id, a.tutor_id, t.name AS tutor, a.student_id, s.name AS student, a.subject, a.status,
       a.starts_at, a.ends_at,
       lower(CASE WHEN $5 THEN s.name ELSE t.name END) AS first,
       lower(CASE WHEN $5 THEN t.name ELSE s.name END) AS second
  FROM assignments a
  JOIN people t ON t.tenant_id = $1 AND t.id = a.tutor_id
  JOIN people s ON s.tenant_id = $1 AND s.id = a.student_id
 WHERE a.tenant_id = $1
   AND ($2::uuid IS NULL OR a.tutor_id = $2)
   AND ($3::uuid IS NULL OR a.student_id = $3)
   AND ($4::text IS NULL OR a.status = $4)
   AND ($6::text IS NULL
        OR (lower(CASE WHEN $5 THEN s.name ELSE t.name END),
            lower(CASE WHEN $5 THEN t.name ELSE s.name END), a.id) > ($6, $7::text, $8::uuid))
 ORDER BY first, second, a.id
 LIMIT $9;

-- one(tenant_id, id)
SELECT a.id, a.tutor_id, t.name AS tutor, a.student_id, s.name AS student, a.subject, a.status,
       a.starts_at, a.ends_at
  FROM assignments a
  JOIN people t ON t.tenant_id = $1 AND t.id = a.tutor_id
  JOIN people s ON s.tenant_id = $1 AND s.id = a.student_id
 WHERE a.tenant_id = $1 AND a.id = $2;

-- hold(tenant_id, id)
-- One change after the other.
SELECT id FROM assignments WHERE tenant_id = $1 AND id = $2 FOR UPDATE;

-- same(tenant_id, tutor_id, student_id, subject, now)
-- Whether the tutor looks after the student in this already; paused counts.
SELECT true
  FROM assignments
 WHERE tenant_id = $1
   AND tutor_id = $2
   AND student_id = $3
   AND subject IS NOT DISTINCT FROM $4
   AND status <> 'completed'
   AND (ends_at IS NULL OR ends_at > $5)
 LIMIT 1;

-- insert(tenant_id, id, tutor_id, student_id, subject, starts_at, ends_at)
INSERT INTO assignments (tenant_id, id, tutor_id, student_id, subject, starts_at, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- change(tenant_id, id, status, subject, ends_at)
UPDATE assignments
   SET status = $3, subject = $4, ends_at = $5
 WHERE tenant_id = $1 AND id = $2;
