-- assignments_of(tenant_id, lesson_id)
-- To whom a lesson is assigned: to everyone first, then classes, then students, by name.
SELECT given.id, given.class_id, classes.name AS class_name, given.student_id,
       people.name AS student_name, given.starts_at, given.due_at
  FROM lesson_assignments AS given
  LEFT JOIN classes ON classes.tenant_id = $1 AND classes.id = given.class_id
  LEFT JOIN people ON people.tenant_id = $1 AND people.id = given.student_id
 WHERE given.tenant_id = $1 AND given.lesson_id = $2
 ORDER BY given.student_id IS NOT NULL, given.class_id IS NOT NULL,
          lower(COALESCE(classes.name, people.name)), given.id;

-- assigned_to(tenant_id, lesson_id, person_id, now)
-- What makes a lesson somebody's, at present: a row for each reason, with its due time.
SELECT given.due_at
  FROM lesson_assignments AS given
 WHERE given.tenant_id = $1
   AND given.lesson_id = $2
   AND (given.starts_at IS NULL OR given.starts_at <= $4)
   AND (given.student_id = $3
        OR given.student_id IS NULL AND given.class_id IS NULL
        OR given.class_id IN (SELECT class_members.class_id
                                FROM class_members
                                JOIN classes
                                  ON classes.tenant_id = $1
                                 AND classes.id = class_members.class_id
                                 AND classes.archived_at IS NULL
                               WHERE class_members.tenant_id = $1
                                 AND class_members.person_id = $3
                                 AND class_members.role = 'student'));

-- hold_lesson(tenant_id, lesson_id)
-- Nobody else assigns it until this transaction ends.
SELECT id
  FROM lessons
 WHERE tenant_id = $1 AND id = $2
   FOR UPDATE;

-- is_class(tenant_id, class_id)
SELECT true FROM classes WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL;

-- is_student(tenant_id, person_id)
SELECT true FROM person_roles WHERE tenant_id = $1 AND person_id = $2 AND role = 'student';

-- assign(tenant_id, id, lesson_id, class_id, student_id, starts_at, due_at, assigned_by, at)
-- To a class, a student, or with neither to everyone; no row where it is assigned so already.
INSERT INTO lesson_assignments
       (tenant_id, id, lesson_id, class_id, student_id, starts_at, due_at, assigned_by, created_at)
SELECT $1, $2, $3, $4::uuid, $5::uuid, $6, $7, $8, $9
 WHERE NOT EXISTS (SELECT 1
                     FROM lesson_assignments AS known
                    WHERE known.tenant_id = $1
                      AND known.lesson_id = $3
                      AND known.class_id IS NOT DISTINCT FROM $4::uuid
                      AND known.student_id IS NOT DISTINCT FROM $5::uuid)
RETURNING id;

-- change_dates(tenant_id, lesson_id, id, starts_at, due_at)
UPDATE lesson_assignments
   SET starts_at = $4, due_at = $5
 WHERE tenant_id = $1 AND lesson_id = $2 AND id = $3
RETURNING id;

-- dates(tenant_id, lesson_id, id)
SELECT starts_at, due_at
  FROM lesson_assignments
 WHERE tenant_id = $1 AND lesson_id = $2 AND id = $3
   FOR UPDATE;

-- take_away(tenant_id, lesson_id, id)
DELETE FROM lesson_assignments
 WHERE tenant_id = $1 AND lesson_id = $2 AND id = $3
RETURNING id;
