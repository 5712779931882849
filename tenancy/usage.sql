-- totals(tenant_id, since, until)
-- How many sessions began in a time, and how long they were.
SELECT count(*) AS sessions, coalesce(sum(wall_ms), 0)::bigint AS lesson_ms
  FROM sessions
 WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3;

-- by_engine(tenant_id, since, until)
-- Deleted trials among them; tests of engines apart. A sum of which a part is unknown is unknown.
WITH used AS (
  SELECT 'lesson' AS kind, usage.session_id, usage.engine, usage.model, usage.unit, usage.quantity,
         usage.cost_micros, usage.price_micros, usage.server_quantity, usage.server_cost_micros
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
   UNION ALL
  SELECT coalesce(kind, 'lesson'), trial_id, engine, model, unit, quantity,
         cost_micros, price_micros, server_quantity, server_cost_micros
    FROM trial_usage
   WHERE tenant_id = $1 AND month >= $2 AND month < $3
)
SELECT kind, engine, model, unit,
       count(DISTINCT session_id) AS sessions,
       sum(quantity)::bigint AS quantity,
       CASE WHEN bool_or(cost_micros IS NULL) THEN NULL
            ELSE sum(cost_micros)::bigint END AS cost_micros,
       CASE WHEN bool_or(price_micros IS NULL) THEN NULL
            ELSE sum(price_micros)::bigint END AS price_micros,
       coalesce(sum(server_quantity), 0)::bigint AS server_quantity,
       coalesce(sum(server_cost_micros), 0)::bigint AS server_cost_micros
  FROM used
 GROUP BY kind, engine, model, unit
 ORDER BY kind, engine, model, unit;

-- add_test(tenant_id, test_id, month, engine, units, models, quantities, costs, prices,
--          servers_quantities, servers_costs)
INSERT INTO trial_usage (tenant_id, trial_id, month, engine, unit, model, quantity, cost_micros,
                         price_micros, server_quantity, server_cost_micros, kind)
SELECT $1, $2, $3, $4, used.unit, used.model, used.quantity, used.cost_micros,
       used.price_micros, used.server_quantity, used.server_cost_micros, 'test'
  FROM unnest($5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
              $11::bigint[])
    AS used (unit, model, quantity, cost_micros, price_micros, server_quantity,
             server_cost_micros);

-- by_one(tenant_id, since, until, limit, what)
-- Of each lesson, or of each student who took some; the dearest first. What is known of the money,
-- and whether that is all.
WITH ones AS (
  SELECT id, title AS name FROM lessons WHERE tenant_id = $1 AND $5 = 'lesson'
   UNION ALL
  SELECT id, name FROM people WHERE tenant_id = $1 AND $5 = 'student'
), spent AS (
  SELECT usage.session_id,
         sum(usage.cost_micros) AS cost_micros,
         sum(usage.price_micros) AS price_micros,
         bool_or(usage.price_micros IS NULL) AS in_part
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
   GROUP BY usage.session_id
)
SELECT ones.id, ones.name,
       count(*) AS sessions,
       sum(sessions.wall_ms)::bigint AS lesson_ms,
       coalesce(sum(spent.cost_micros), 0)::bigint AS cost_micros,
       coalesce(sum(spent.price_micros), 0)::bigint AS price_micros,
       coalesce(bool_or(spent.in_part), false) AS in_part
  FROM sessions
  JOIN ones
    ON ones.id = CASE $5 WHEN 'lesson' THEN sessions.lesson_id ELSE sessions.student_id END
  LEFT JOIN spent ON spent.session_id = sessions.id
 WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
 GROUP BY ones.id, ones.name
 ORDER BY 6 DESC, 4 DESC, 1
 LIMIT $4;
