-- totals(tenant_id, since, until)
-- How many sessions began in a time, and how long they were.
SELECT count(*) AS sessions, coalesce(sum(wall_ms), 0)::bigint AS lesson_ms
  FROM sessions
 WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3;

-- by_engine(tenant_id, since, until)
-- Deleted trials among them. A sum of which a part is unknown is unknown.
WITH used AS (
  SELECT usage.session_id, usage.engine, usage.model, usage.unit, usage.quantity,
         usage.cost_micros, usage.price_micros
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
   UNION ALL
  SELECT trial_id, engine, model, unit, quantity, cost_micros, price_micros
    FROM trial_usage
   WHERE tenant_id = $1 AND month >= $2 AND month < $3
)
SELECT engine, model, unit,
       count(DISTINCT session_id) AS sessions,
       sum(quantity)::bigint AS quantity,
       CASE WHEN bool_or(cost_micros IS NULL) THEN NULL
            ELSE sum(cost_micros)::bigint END AS cost_micros,
       CASE WHEN bool_or(price_micros IS NULL) THEN NULL
            ELSE sum(price_micros)::bigint END AS price_micros
  FROM used
 GROUP BY engine, model, unit
 ORDER BY engine, model, unit;

-- by_lesson(tenant_id, since, until, limit)
-- The dearest first. What is known of the money, and whether that is all.
WITH spent AS (
  SELECT usage.session_id,
         sum(usage.cost_micros) AS cost_micros,
         sum(usage.price_micros) AS price_micros,
         bool_or(usage.price_micros IS NULL) AS in_part
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
   GROUP BY usage.session_id
)
SELECT lessons.id, lessons.title AS name,
       count(*) AS sessions,
       sum(sessions.wall_ms)::bigint AS lesson_ms,
       coalesce(sum(spent.cost_micros), 0)::bigint AS cost_micros,
       coalesce(sum(spent.price_micros), 0)::bigint AS price_micros,
       coalesce(bool_or(spent.in_part), false) AS in_part
  FROM sessions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = sessions.lesson_id
  LEFT JOIN spent ON spent.session_id = sessions.id
 WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
 GROUP BY lessons.id, lessons.title
 ORDER BY 6 DESC, 4 DESC, 1
 LIMIT $4;

-- by_student(tenant_id, since, until, limit)
-- As `by_lesson`; whoever took the lessons.
WITH spent AS (
  SELECT usage.session_id,
         sum(usage.cost_micros) AS cost_micros,
         sum(usage.price_micros) AS price_micros,
         bool_or(usage.price_micros IS NULL) AS in_part
    FROM sessions
    JOIN usage ON usage.tenant_id = $1 AND usage.session_id = sessions.id
   WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
   GROUP BY usage.session_id
)
SELECT people.id, people.name,
       count(*) AS sessions,
       sum(sessions.wall_ms)::bigint AS lesson_ms,
       coalesce(sum(spent.cost_micros), 0)::bigint AS cost_micros,
       coalesce(sum(spent.price_micros), 0)::bigint AS price_micros,
       coalesce(bool_or(spent.in_part), false) AS in_part
  FROM sessions
  JOIN people ON people.tenant_id = $1 AND people.id = sessions.student_id
  LEFT JOIN spent ON spent.session_id = sessions.id
 WHERE sessions.tenant_id = $1 AND sessions.started_at >= $2 AND sessions.started_at < $3
 GROUP BY people.id, people.name
 ORDER BY 6 DESC, 4 DESC, 1
 LIMIT $4;
