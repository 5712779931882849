-- plan_afresh()
-- What is NULL does not filter, and each set of filters wants a plan of its own: until the end of
-- the transaction no plan is kept from one set for another.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- older_of_school(tenant_id, lesson_id, version, status, from, to, min_ms, max_ms, engine,
--       end_reason, reviewed, thumbs, at, id, limit)
-- Ids of the school's sessions, newest first, from a place on; what is NULL does not filter.
-- Sandboxes are nobody's.
SELECT sessions.id, sessions.started_at
  FROM sessions
 WHERE sessions.tenant_id = $1
   AND NOT sessions.sandbox
   AND ($2::uuid IS NULL OR sessions.lesson_id = $2)
   AND ($3::integer IS NULL OR sessions.lesson_version_id = (
         SELECT id FROM lesson_versions
          WHERE tenant_id = $1 AND lesson_id = $2 AND number = $3))
   AND ($4::text IS NULL OR sessions.status = $4)
   AND ($5::timestamptz IS NULL OR sessions.started_at >= $5)
   AND ($6::timestamptz IS NULL OR sessions.started_at < $6)
   AND ($7::bigint IS NULL OR sessions.wall_ms >= $7)
   AND ($8::bigint IS NULL OR sessions.wall_ms <= $8)
   AND ($9::text IS NULL OR sessions.engines ? $9)
   AND ($10::text IS NULL OR sessions.end_reason = $10)
   AND ($11::boolean IS NULL OR sessions.reviewed = $11)
   AND ($12::text IS NULL OR sessions.thumbs = $12)
   AND ($13::timestamptz IS NULL OR (sessions.started_at, sessions.id) < ($13, $14::uuid))
 ORDER BY sessions.started_at DESC, sessions.id DESC
 LIMIT $15;

-- older_of_students(tenant_id, student_ids, lesson_id, version, status, from, to, min_ms, max_ms,
--       engine, end_reason, reviewed, thumbs, at, id, limit)
-- The same of some students. Each has few: the newest of each, and of these the newest.
SELECT found.id, found.started_at
  FROM unnest($2::uuid[]) AS student (id)
 CROSS JOIN LATERAL (
       SELECT sessions.id, sessions.started_at
         FROM sessions
        WHERE sessions.tenant_id = $1
          AND sessions.student_id = student.id
          AND NOT sessions.sandbox
          AND ($3::uuid IS NULL OR sessions.lesson_id = $3)
          AND ($4::integer IS NULL OR sessions.lesson_version_id = (
                SELECT id FROM lesson_versions
                 WHERE tenant_id = $1 AND lesson_id = $3 AND number = $4))
          AND ($5::text IS NULL OR sessions.status = $5)
          AND ($6::timestamptz IS NULL OR sessions.started_at >= $6)
          AND ($7::timestamptz IS NULL OR sessions.started_at < $7)
          AND ($8::bigint IS NULL OR sessions.wall_ms >= $8)
          AND ($9::bigint IS NULL OR sessions.wall_ms <= $9)
          AND ($10::text IS NULL OR sessions.engines ? $10)
          AND ($11::text IS NULL OR sessions.end_reason = $11)
          AND ($12::boolean IS NULL OR sessions.reviewed = $12)
          AND ($13::text IS NULL OR sessions.thumbs = $13)
          AND ($14::timestamptz IS NULL OR (sessions.started_at, sessions.id) < ($14, $15::uuid))
        ORDER BY sessions.started_at DESC, sessions.id DESC
        LIMIT $16) AS found
 ORDER BY found.started_at DESC, found.id DESC
 LIMIT $16;

-- newer(tenant_id, student_ids, lesson_id, version, status, from, to, min_ms, max_ms, engine,
--       end_reason, reviewed, thumbs, at, id)
-- The one before a place in the same list.
SELECT sessions.id, sessions.started_at
  FROM sessions
 WHERE sessions.tenant_id = $1
   AND ($2::uuid[] IS NULL OR sessions.student_id = ANY($2))
   AND NOT sessions.sandbox
   AND ($3::uuid IS NULL OR sessions.lesson_id = $3)
   AND ($4::integer IS NULL OR sessions.lesson_version_id = (
         SELECT id FROM lesson_versions
          WHERE tenant_id = $1 AND lesson_id = $3 AND number = $4))
   AND ($5::text IS NULL OR sessions.status = $5)
   AND ($6::timestamptz IS NULL OR sessions.started_at >= $6)
   AND ($7::timestamptz IS NULL OR sessions.started_at < $7)
   AND ($8::bigint IS NULL OR sessions.wall_ms >= $8)
   AND ($9::bigint IS NULL OR sessions.wall_ms <= $9)
   AND ($10::text IS NULL OR sessions.engines ? $10)
   AND ($11::text IS NULL OR sessions.end_reason = $11)
   AND ($12::boolean IS NULL OR sessions.reviewed = $12)
   AND ($13::text IS NULL OR sessions.thumbs = $13)
   AND (sessions.started_at, sessions.id) > ($14::timestamptz, $15::uuid)
 ORDER BY sessions.started_at, sessions.id
 LIMIT 1;

-- cards(tenant_id, ids)
-- Sessions with the names that lists show, sandboxes too.
SELECT sessions.id, sessions.student_id, sessions.lesson_id, sessions.lesson_version_id,
       sessions.brief_hash, sessions.sandbox, sessions.mode, sessions.status,
       sessions.started_at, sessions.ended_at, sessions.end_reason, sessions.wall_ms,
       sessions.student_speech_ms, sessions.tutor_speech_ms, sessions.silence_ms,
       sessions.step, sessions.steps, sessions.progress, sessions.engines, sessions.epoch,
       sessions.last_seq, sessions.last_seen_at, sessions.thumbs,
       lessons.slug, versions.plan ->> 'title' AS title, versions.number,
       people.name AS student_name,
       reviews.reviewed_at, reviews.reviewer_id, reviewers.name AS reviewer,
       EXISTS (SELECT 1
                 FROM summaries
                WHERE summaries.tenant_id = $1 AND summaries.session_id = sessions.id)
         AS has_summary,
       (SELECT count(*)
          FROM overrides
         WHERE overrides.tenant_id = $1
           AND overrides.session_id = sessions.id
           AND overrides.published_at IS NOT NULL
           AND NOT EXISTS (SELECT 1
                             FROM overrides AS later
                            WHERE later.tenant_id = $1
                              AND later.session_id = overrides.session_id
                              AND later.replaces = overrides.id
                              AND later.published_at IS NOT NULL))
         AS corrections
  FROM sessions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = sessions.lesson_id
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = sessions.lesson_version_id
  JOIN people ON people.tenant_id = $1 AND people.id = sessions.student_id
  LEFT JOIN reviews ON reviews.tenant_id = $1 AND reviews.session_id = sessions.id
  LEFT JOIN people AS reviewers
    ON reviewers.tenant_id = $1 AND reviewers.id = reviews.reviewer_id
 WHERE sessions.tenant_id = $1 AND sessions.id = ANY($2::uuid[])
 ORDER BY sessions.started_at DESC, sessions.id DESC;

-- standing(tenant_id, student_id)
-- Where a student stands with each lesson they began.
SELECT lesson_id,
       bool_or(progress = 'lesson_done') AS done,
       (array_agg(id ORDER BY started_at DESC, id DESC) FILTER (WHERE status = 'live'))[1]
         AS live_session_id
  FROM sessions
 WHERE tenant_id = $1 AND student_id = $2 AND NOT sandbox
 GROUP BY lesson_id;
