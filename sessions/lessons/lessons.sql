-- lessons_of(tenant_id, student_id, everything)
-- Published lessons by title, with their plan and due time: all of the school's, or those that are
-- assigned to the student or to everyone.
SELECT lessons.id, lessons.slug, lessons.title, lessons.subject, lessons.language,
       lessons.published_version_id, versions.id AS version_id, versions.number, versions.plan,
       due.due_at
  FROM lessons
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = lessons.published_version_id
  LEFT JOIN (
       SELECT lesson_id, min(due_at) AS due_at
         FROM lesson_assignments
        WHERE tenant_id = $1 AND (student_id = $2 OR student_id IS NULL)
        GROUP BY lesson_id
       ) AS due
    ON due.lesson_id = lessons.id
 WHERE lessons.tenant_id = $1
   AND lessons.archived_at IS NULL
   AND ($3 OR due.lesson_id IS NOT NULL)
 ORDER BY lessons.title, lessons.id;

-- lesson(tenant_id, id, slug)
-- One lesson by its id or slug, with its published version or, before there is one, its newest.
SELECT lessons.id, lessons.slug, lessons.title, lessons.subject, lessons.language,
       lessons.published_version_id, versions.id AS version_id, versions.number, versions.plan
  FROM lessons
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1
   AND versions.lesson_id = lessons.id
   AND versions.id = COALESCE(
       lessons.published_version_id,
       (SELECT newest.id
          FROM lesson_versions AS newest
         WHERE newest.tenant_id = $1 AND newest.lesson_id = lessons.id
         ORDER BY newest.number DESC
         LIMIT 1))
 WHERE lessons.tenant_id = $1
   AND lessons.archived_at IS NULL
   AND (lessons.id = $2 OR lessons.slug = $3);

-- version(tenant_id, version_id)
-- One version, published or not, archived or not: what a session was started on.
SELECT lessons.id, lessons.slug, versions.plan ->> 'title' AS title,
       versions.plan ->> 'subject' AS subject, lessons.language, lessons.published_version_id,
       versions.id AS version_id, versions.number, versions.plan
  FROM lesson_versions AS versions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = versions.lesson_id
 WHERE versions.tenant_id = $1 AND versions.id = $2;

-- assigned_to(tenant_id, lesson_id)
-- The students a lesson is assigned to; a NULL among them is everyone. With its due time.
SELECT student_id, due_at
  FROM lesson_assignments
 WHERE tenant_id = $1 AND lesson_id = $2;

-- insert_lesson(tenant_id, id, slug, title, subject, language, owner_id, at)
-- A new lesson; no row where the school has the slug already.
INSERT INTO lessons (tenant_id, id, slug, title, subject, language, owner_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, slug) DO NOTHING
RETURNING id;

-- update_lesson(tenant_id, id, title, subject, language)
-- What lists show follows the newest version; this also holds the row until the version is in.
UPDATE lessons
   SET title = $3, subject = $4, language = $5
 WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL
RETURNING slug, published_version_id;

-- insert_version(tenant_id, id, lesson_id, plan, author_id, note, at)
-- The next version of a lesson, numbered.
INSERT INTO lesson_versions (tenant_id, id, lesson_id, number, plan, author_id, note, created_at)
SELECT $1, $2, $3, COALESCE(max(number), 0) + 1, $4, $5, $6, $7
  FROM lesson_versions
 WHERE tenant_id = $1 AND lesson_id = $3
RETURNING number;

-- publish(tenant_id, lesson_id, version_id)
-- Point the lesson at one of its own versions.
UPDATE lessons
   SET published_version_id = $3
 WHERE tenant_id = $1
   AND id = $2
   AND archived_at IS NULL
   AND EXISTS (SELECT 1
                 FROM lesson_versions
                WHERE tenant_id = $1 AND lesson_id = $2 AND id = $3)
RETURNING id;

-- assign(tenant_id, id, lesson_id, student_id, due_at, assigned_by, at)
-- Let a student, or with NULL everyone, take a lesson; nothing where they may already.
INSERT INTO lesson_assignments
       (tenant_id, id, lesson_id, student_id, due_at, assigned_by, created_at)
SELECT $1, $2, lessons.id, $4, $5, $6, $7
  FROM lessons
 WHERE lessons.tenant_id = $1
   AND lessons.id = $3
   AND NOT EXISTS (SELECT 1
                     FROM lesson_assignments AS known
                    WHERE known.tenant_id = $1
                      AND known.lesson_id = $3
                      AND known.student_id IS NOT DISTINCT FROM $4);
