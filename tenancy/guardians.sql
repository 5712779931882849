-- put(tenant_id, parent_id, student_id, now)
-- No row if it is so already.
INSERT INTO guardians (tenant_id, parent_id, student_id, since)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, parent_id, student_id) DO NOTHING
RETURNING parent_id;

-- remove(tenant_id, parent_id, student_id)
DELETE FROM guardians
 WHERE tenant_id = $1 AND parent_id = $2 AND student_id = $3
RETURNING parent_id;
