-- give_feedback(tenant_id, session_id, person_id, helpful, comment, at)
-- Said again, the last word counts.
INSERT INTO feedback (tenant_id, session_id, person_id, helpful, comment, given_at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, session_id, person_id) DO UPDATE
   SET helpful = excluded.helpful, comment = excluded.comment, given_at = excluded.given_at;

-- copy_thumbs(tenant_id, session_id, person_id, thumbs)
-- For lists: what the session's own student said.
UPDATE sessions
   SET thumbs = $4
 WHERE tenant_id = $1 AND id = $2 AND student_id = $3;

-- feedback_of(tenant_id, session_id, person_id)
SELECT helpful, comment
  FROM feedback
 WHERE tenant_id = $1 AND session_id = $2 AND person_id = $3;
