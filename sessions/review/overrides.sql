-- hold_session(tenant_id, session_id)
-- Nobody else publishes in this session until this transaction ends; whose session it is. A published override itself is
-- no row that could be locked: the database lets nobody change one.
SELECT student_id, sandbox
  FROM sessions
 WHERE tenant_id = $1 AND id = $2
   FOR UPDATE;

-- add_draft(tenant_id, session_id, id, kind, target_id, original, content, reasons, note, author_id,
--           replaces, at)
INSERT INTO overrides (tenant_id, session_id, id, target_kind, target_id, original, content, reasons,
                       note, author_id, replaces, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12);

-- change_draft(tenant_id, session_id, id, author_id, content, reasons, note, replaces, at)
UPDATE overrides
   SET content = $5, reasons = $6, note = $7, replaces = $8, changed_at = $9
 WHERE tenant_id = $1 AND session_id = $2 AND id = $3 AND author_id = $4 AND published_at IS NULL;

-- drop_draft(tenant_id, session_id, id, author_id)
DELETE FROM overrides
 WHERE tenant_id = $1 AND session_id = $2 AND id = $3 AND author_id = $4 AND published_at IS NULL;

-- publish_draft(tenant_id, session_id, id, author_id, succeeds, at)
-- Of two that would succeed the same one the second breaks a unique constraint.
UPDATE overrides
   SET published_at = $6, succeeds = $5
 WHERE tenant_id = $1 AND session_id = $2 AND id = $3 AND author_id = $4 AND published_at IS NULL;

-- count_drafts(tenant_id, session_id, author_id)
SELECT count(*)
  FROM overrides
 WHERE tenant_id = $1 AND session_id = $2 AND author_id = $3 AND published_at IS NULL;

-- overrides_of(tenant_id, session_ids, author_id)
-- What is published in these sessions, and this author's drafts; NULL: nobody's.
SELECT overrides.session_id, overrides.id, overrides.target_kind, overrides.target_id,
       overrides.original, overrides.content, overrides.reasons, overrides.note,
       overrides.author_id, people.name AS author, overrides.replaces, overrides.created_at,
       overrides.changed_at, overrides.published_at, overrides.succeeds
  FROM overrides
  JOIN people ON people.tenant_id = $1 AND people.id = overrides.author_id
 WHERE overrides.tenant_id = $1
   AND overrides.session_id = ANY($2::uuid[])
   AND (overrides.published_at IS NOT NULL OR overrides.author_id = $3)
 ORDER BY overrides.created_at, overrides.id;
