-- totals(tenant_id, student_ids, everything)
-- How much of each child there is to see: what was reviewed, or everything that is over.
SELECT student_id, count(*) AS sessions, sum(wall_ms)::bigint AS wall_ms,
       max(started_at) AS last_at
  FROM sessions
 WHERE tenant_id = $1
   AND student_id = ANY($2::uuid[])
   AND NOT sandbox
   AND status = 'ended'
   AND ($3 OR reviewed)
 GROUP BY student_id;
