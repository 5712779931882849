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
-- One lesson by its id or slug, with its published version or, before there is one, its newest.
SELECT lessons.id, lessons.slug, lessons.published_version_id,
       versions.id AS version_id, versions.number, versions.plan
  FROM lessons
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1
   AND versions.lesson_id = lessons.id
   AND versions.id = COALESCE(
       lessons.published_version_id,
       (SELECT newest.id
          FROM lesson_versions AS newest
         WHERE newest.tenant_id = $1
           AND newest.lesson_id = lessons.id
           AND newest.number IS NOT NULL
         ORDER BY newest.number DESC
         LIMIT 1))
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

-- insert_lesson(tenant_id, id, slug, title, subject, language, owner_id, at)
-- A new lesson; no row where the school has the slug already.
INSERT INTO lessons (tenant_id, id, slug, title, subject, language, owner_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, slug) DO NOTHING
RETURNING id;

-- hold_lesson(tenant_id, id)
-- A lesson's slug; nobody else numbers a version of it until this transaction ends.
SELECT slug
  FROM lessons
 WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL
   FOR UPDATE;

-- insert_version(tenant_id, id, lesson_id, plan, author_id, note, at)
-- The next version of a lesson, numbered.
INSERT INTO lesson_versions (tenant_id, id, lesson_id, number, plan, author_id, note, created_at)
SELECT $1, $2, $3, COALESCE(max(number), 0) + 1, $4, $5, $6, $7
  FROM lesson_versions
 WHERE tenant_id = $1 AND lesson_id = $3
RETURNING number;

-- insert_trial(tenant_id, id, lesson_id, plan, author_id, at)
-- What an author tries; it has no number.
INSERT INTO lesson_versions (tenant_id, id, lesson_id, plan, author_id, created_at)
SELECT $1, $2, lessons.id, $4, $5, $6
  FROM lessons
 WHERE lessons.tenant_id = $1 AND lessons.id = $3
RETURNING (SELECT slug FROM lessons WHERE tenant_id = $1 AND id = $3);

-- publish(tenant_id, lesson_id, version_id)
-- Point the lesson at one of its own numbered versions; what lists sort and filter by follows.
UPDATE lessons
   SET published_version_id = versions.id,
       title = versions.plan ->> 'title',
       subject = versions.plan ->> 'subject',
       language = COALESCE(versions.plan ->> 'language', 'en')
  FROM lesson_versions AS versions
 WHERE lessons.tenant_id = $1
   AND lessons.id = $2
   AND lessons.archived_at IS NULL
   AND versions.tenant_id = $1
   AND versions.lesson_id = $2
   AND versions.id = $3
   AND versions.number IS NOT NULL
RETURNING lessons.id;
