-- list(tenant_id, lesson_id)
-- A lesson's versions, newest first, without their plans.
SELECT versions.id, versions.number, versions.note, versions.created_at,
       versions.author_id, people.name AS author_name,
       COALESCE(versions.id = lessons.published_version_id, false) AS published
  FROM lesson_versions AS versions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = versions.lesson_id
  JOIN people ON people.tenant_id = $1 AND people.id = versions.author_id
 WHERE versions.tenant_id = $1 AND versions.lesson_id = $2 AND versions.number IS NOT NULL
 ORDER BY versions.number DESC;

-- get(tenant_id, lesson_id, number)
-- One of them, with its plan.
SELECT versions.id, versions.number, versions.note, versions.created_at,
       versions.author_id, people.name AS author_name,
       COALESCE(versions.id = lessons.published_version_id, false) AS published,
       versions.plan, versions.step_ids
  FROM lesson_versions AS versions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = versions.lesson_id
  JOIN people ON people.tenant_id = $1 AND people.id = versions.author_id
 WHERE versions.tenant_id = $1 AND versions.lesson_id = $2 AND versions.number = $3;
