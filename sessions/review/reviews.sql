-- mark_reviewed(tenant_id, session_id, reviewer_id, at)
-- Who was there first stays.
INSERT INTO reviews (tenant_id, session_id, reviewer_id, reviewed_at)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, session_id) DO NOTHING
RETURNING session_id;

-- take_back(tenant_id, session_id)
DELETE FROM reviews
 WHERE tenant_id = $1 AND session_id = $2
RETURNING session_id;

-- copy_mark(tenant_id, session_id, reviewed)
-- For lists.
UPDATE sessions
   SET reviewed = $3
 WHERE tenant_id = $1 AND id = $2
RETURNING student_id, sandbox;
