-- enqueue(tenant_id, id, kind, key, payload, due_at)
-- A job that is there already is asked for again: it starts afresh, and is due at the earlier time.
-- Whoever runs it right now no longer holds it, and so can't cross out the new request.
INSERT INTO control.jobs AS job (tenant_id, id, kind, key, payload, due_at)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, kind, key) DO UPDATE
   SET payload = excluded.payload,
       due_at = least(job.due_at, excluded.due_at),
       attempts = 0,
       leased_by = NULL,
       leased_until = NULL,
       last_error = NULL,
       done_at = NULL;

-- claim(lease, now, until, kinds)
-- The job that is due longest, if nobody else gets it first: then no row comes, and the next look finds
-- the next job. The last line is asked again of a row that another one has just changed.
UPDATE control.jobs
   SET leased_by = $1, leased_until = $3, attempts = attempts + 1
 WHERE (tenant_id, id) = (
         SELECT tenant_id, id
           FROM control.jobs
          WHERE done_at IS NULL
            AND due_at <= $2
            AND (leased_until IS NULL OR leased_until <= $2)
            AND kind = ANY($4::text[])
          ORDER BY due_at
          LIMIT 1)
   AND done_at IS NULL AND (leased_until IS NULL OR leased_until <= $2)
RETURNING tenant_id, id, kind, key, payload, attempts, due_at;

-- extend(tenant_id, id, lease, until)
-- The heartbeat.
UPDATE control.jobs
   SET leased_until = $4
 WHERE tenant_id = $1 AND id = $2 AND leased_by = $3
RETURNING id;

-- finish(tenant_id, id, lease)
-- A job that is done leaves nothing behind.
DELETE FROM control.jobs WHERE tenant_id = $1 AND id = $2 AND leased_by = $3;

-- postpone(tenant_id, id, lease, due_at)
-- It went well and wants to run again.
UPDATE control.jobs
   SET due_at = $4, attempts = 0, leased_by = NULL, leased_until = NULL, last_error = NULL
 WHERE tenant_id = $1 AND id = $2 AND leased_by = $3;

-- retry(tenant_id, id, lease, due_at, error)
UPDATE control.jobs
   SET due_at = $4, leased_by = NULL, leased_until = NULL, last_error = $5
 WHERE tenant_id = $1 AND id = $2 AND leased_by = $3;

-- give_up(tenant_id, id, lease, now, error)
-- What is over but still there has failed, and stays to be seen.
UPDATE control.jobs
   SET done_at = $4, leased_by = NULL, leased_until = NULL, last_error = $5
 WHERE tenant_id = $1 AND id = $2 AND leased_by = $3;

-- release(tenant_id, id, lease)
-- Put back untouched: this process stops.
UPDATE control.jobs
   SET attempts = attempts - 1, leased_by = NULL, leased_until = NULL
 WHERE tenant_id = $1 AND id = $2 AND leased_by = $3;

-- failed()
-- Jobs that were given up, newest first.
SELECT tenant_id, kind, key, attempts, last_error, done_at
  FROM control.jobs
 WHERE done_at IS NOT NULL
 ORDER BY done_at DESC
 LIMIT 100;
