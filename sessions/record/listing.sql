-- list_sessions(tenant_id, student_ids, lesson_id, status, from, to, before, before_id, limit)
-- Newest first, with the names that lists show; what is NULL does not filter. Sandboxes are nobody's.
SELECT sessions.id, sessions.student_id, sessions.lesson_id, sessions.lesson_version_id,
       sessions.brief_hash, sessions.sandbox, sessions.mode, sessions.status,
       sessions.started_at, sessions.ended_at, sessions.end_reason, sessions.wall_ms,
       sessions.student_speech_ms, sessions.tutor_speech_ms, sessions.silence_ms,
       sessions.step, sessions.steps, sessions.progress, sessions.engines, sessions.epoch,
       sessions.last_seq, sessions.last_seen_at,
       lessons.slug, versions.plan ->> 'title' AS title, versions.number,
       people.name AS student_name,
       EXISTS (SELECT 1
                 FROM summaries
                WHERE summaries.tenant_id = $1 AND summaries.session_id = sessions.id)
         AS has_summary
  FROM sessions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = sessions.lesson_id
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = sessions.lesson_version_id
  JOIN people ON people.tenant_id = $1 AND people.id = sessions.student_id
 WHERE sessions.tenant_id = $1
   AND NOT sessions.sandbox
   AND ($2::uuid[] IS NULL OR sessions.student_id = ANY($2))
   AND ($3::uuid IS NULL OR sessions.lesson_id = $3)
   AND ($4::text IS NULL OR sessions.status = $4)
   AND ($5::timestamptz IS NULL OR sessions.started_at >= $5)
   AND ($6::timestamptz IS NULL OR sessions.started_at < $6)
   AND ($7::timestamptz IS NULL OR (sessions.started_at, sessions.id) < ($7, $8::uuid))
 ORDER BY sessions.started_at DESC, sessions.id DESC
 LIMIT $9;

-- session_card(tenant_id, id)
-- One session with the same names.
SELECT sessions.id, sessions.student_id, sessions.lesson_id, sessions.lesson_version_id,
       sessions.brief_hash, sessions.sandbox, sessions.mode, sessions.status,
       sessions.started_at, sessions.ended_at, sessions.end_reason, sessions.wall_ms,
       sessions.student_speech_ms, sessions.tutor_speech_ms, sessions.silence_ms,
       sessions.step, sessions.steps, sessions.progress, sessions.engines, sessions.epoch,
       sessions.last_seq, sessions.last_seen_at,
       lessons.slug, versions.plan ->> 'title' AS title, versions.number,
       people.name AS student_name,
       EXISTS (SELECT 1
                 FROM summaries
                WHERE summaries.tenant_id = $1 AND summaries.session_id = sessions.id)
         AS has_summary
  FROM sessions
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.id = sessions.lesson_id
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1 AND versions.id = sessions.lesson_version_id
  JOIN people ON people.tenant_id = $1 AND people.id = sessions.student_id
 WHERE sessions.tenant_id = $1 AND sessions.id = $2;

-- standing(tenant_id, student_id)
-- Where a student stands with each lesson they began.
SELECT lesson_id,
       bool_or(progress = 'lesson_done') AS done,
       (array_agg(id ORDER BY started_at DESC, id DESC) FILTER (WHERE status = 'live'))[1]
         AS live_session_id
  FROM sessions
 WHERE tenant_id = $1 AND student_id = $2 AND NOT sandbox
 GROUP BY lesson_id;
