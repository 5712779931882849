-- get(tenant_id, lesson_id)
-- A draft, with the number of the version that it was last the same as.
SELECT drafts.content, drafts.revision, drafts.changed_at, drafts.changed_by,
       changers.name AS changed_by_name, versions.number AS based_on
  FROM lesson_drafts AS drafts
  JOIN people AS changers ON changers.tenant_id = $1 AND changers.id = drafts.changed_by
  LEFT JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = drafts.based_on
 WHERE drafts.tenant_id = $1 AND drafts.lesson_id = $2;

-- name_of(tenant_id, person_id)
SELECT name
  FROM people
 WHERE tenant_id = $1 AND id = $2;
