-- delete(tenant_id, version_id)
-- What was kept to be tried, where no session is on it.
DELETE FROM lesson_versions
 WHERE tenant_id = $1
   AND id = $2
   AND number IS NULL
   AND NOT EXISTS (SELECT 1
                     FROM sessions
                    WHERE sessions.tenant_id = $1 AND sessions.lesson_version_id = $2);
