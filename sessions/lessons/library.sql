-- list(tenant_id, id, search, subject, state, before_at, before_id, limit)
-- Lessons as their authors see them, last changed first. NULL does not filter, except that archived
-- ones come only when asked for; with an id the one lesson, archived or not. Plans are large, and
-- read for one page only.
WITH page AS MATERIALIZED (
SELECT lessons.id, drafts.changed_at
  FROM lessons
  JOIN lesson_drafts AS drafts ON drafts.tenant_id = $1 AND drafts.lesson_id = lessons.id
 WHERE lessons.tenant_id = $1
   AND ($2::uuid IS NULL OR lessons.id = $2)
   AND ($3::text IS NULL
        OR strpos(lower(lessons.title), lower($3)) > 0
        OR strpos(lower(lessons.subject), lower($3)) > 0
        OR strpos(lessons.slug, lower($3)) > 0)
   AND ($4::text IS NULL OR lessons.subject = $4)
   AND CASE $5::text
         WHEN 'archived' THEN lessons.archived_at IS NOT NULL
         WHEN 'draft' THEN lessons.archived_at IS NULL AND lessons.published_version_id IS NULL
         WHEN 'published' THEN lessons.archived_at IS NULL
                           AND lessons.published_version_id IS NOT NULL
         ELSE $2::uuid IS NOT NULL OR lessons.archived_at IS NULL
       END
   AND ($6::timestamptz IS NULL OR (drafts.changed_at, lessons.id) < ($6, $7::uuid))
 ORDER BY drafts.changed_at DESC, lessons.id DESC
 LIMIT $8)
SELECT lessons.id, lessons.slug, lessons.title, lessons.subject, lessons.language,
       lessons.archived_at, lessons.published_version_id,
       COALESCE(versions.plan, drafts.content) ->> 'level' AS level,
       versions.number AS published_number,
       drafts.revision,
       COALESCE(drafts.based_digest <> drafts.digest, true) AS has_changes,
       drafts.changed_at, drafts.changed_by, changers.name AS changed_by_name,
       lessons.owner_id, owners.name AS owner_name,
       (SELECT count(*)
          FROM lesson_assignments AS assigned
         WHERE assigned.tenant_id = $1 AND assigned.lesson_id = lessons.id) AS assignments
  FROM page
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = page.id
  JOIN lesson_drafts AS drafts ON drafts.tenant_id = $1 AND drafts.lesson_id = page.id
  JOIN people AS owners ON owners.tenant_id = $1 AND owners.id = lessons.owner_id
  JOIN people AS changers ON changers.tenant_id = $1 AND changers.id = drafts.changed_by
  LEFT JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = lessons.published_version_id
 ORDER BY page.changed_at DESC, page.id DESC;

-- subjects(tenant_id)
-- All subjects of the school's lessons.
SELECT DISTINCT subject
  FROM lessons
 WHERE tenant_id = $1 AND subject <> ''
 ORDER BY subject;

-- content(tenant_id, lesson_id)
-- A draft as it stands, to be copied.
SELECT content
  FROM lesson_drafts
 WHERE tenant_id = $1 AND lesson_id = $2;

-- id_of(tenant_id, slug)
SELECT id
  FROM lessons
 WHERE tenant_id = $1 AND slug = $2;

-- archive(tenant_id, id, at)
-- With a time it is archived, with NULL in use again.
UPDATE lessons
   SET archived_at = $3
 WHERE tenant_id = $1 AND id = $2;
