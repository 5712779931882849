-- lessons_of(tenant_id, student_id, everything, now)
-- Published lessons by title, with their plan and due time: all of the school's, or those that are
-- assigned to the student, to a class of theirs or to everyone, and have begun.
SELECT lessons.id, lessons.slug, lessons.published_version_id,
       versions.id AS version_id, versions.number, versions.plan, due.due_at
  FROM lessons
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = lessons.published_version_id
  LEFT JOIN (
       SELECT lesson_id, min(due_at) AS due_at
         FROM lesson_assignments
        WHERE tenant_id = $1
          AND (starts_at IS NULL OR starts_at <= $4)
          AND (student_id = $2
               OR student_id IS NULL AND class_id IS NULL
               OR class_id IN (SELECT class_members.class_id
                                 FROM class_members
                                 JOIN classes
                                   ON classes.tenant_id = $1
                                  AND classes.id = class_members.class_id
                                  AND classes.archived_at IS NULL
                                WHERE class_members.tenant_id = $1
                                  AND class_members.person_id = $2
                                  AND class_members.role = 'student'))
        GROUP BY lesson_id
       ) AS due
    ON due.lesson_id = lessons.id
 WHERE lessons.tenant_id = $1
   AND lessons.archived_at IS NULL
   AND ($3 OR due.lesson_id IS NOT NULL)
 ORDER BY lessons.title, lessons.id;

-- lesson(tenant_id, id, slug)
-- One lesson by its id or slug, with its published version; no row where there is none.
SELECT lessons.id, lessons.slug, lessons.published_version_id,
       versions.id AS version_id, versions.number, versions.plan
  FROM lessons
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = lessons.published_version_id
 WHERE lessons.tenant_id = $1
   AND lessons.archived_at IS NULL
   AND (lessons.id = $2 OR lessons.slug = $3);

-- version(tenant_id, version_id)
-- One version, published or not, archived or not: what a session was started on.
SELECT lessons.id, lessons.slug, lessons.published_version_id,
       versions.id AS version_id, versions.number, versions.plan
  FROM lesson_versions AS versions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = versions.lesson_id
 WHERE versions.tenant_id = $1 AND versions.id = $2;

-- exists(tenant_id, id)
SELECT true FROM lessons WHERE tenant_id = $1 AND id = $2;
