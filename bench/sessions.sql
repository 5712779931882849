-- people(tenant_id, students)
-- The students, and after them a teacher and a tutor.
INSERT INTO people (tenant_id, id, email, name, created_at)
SELECT $1, uuidv7(), 'p' || n || '@bench.example', 'Person ' || n, now()
  FROM generate_series(1, $2::integer + 2) AS n;

-- roles(tenant_id, students)
INSERT INTO person_roles (tenant_id, person_id, role)
SELECT $1, id,
       CASE email
         WHEN 'p' || $2::integer + 1 || '@bench.example' THEN 'instructor'
         WHEN 'p' || $2::integer + 2 || '@bench.example' THEN 'tutor'
         ELSE 'student'
       END
  FROM people
 WHERE tenant_id = $1;

-- students()
-- Numbered from 1, for the statements below.
CREATE TEMPORARY TABLE students AS
SELECT row_number() OVER (ORDER BY length(people.email), people.email) AS number, people.id
  FROM people
  JOIN person_roles AS roles ON roles.tenant_id = people.tenant_id AND roles.person_id = people.id
 WHERE roles.role = 'student';

-- care(tenant_id, per_tutor)
INSERT INTO assignments (tenant_id, id, tutor_id, student_id, starts_at)
SELECT $1, uuidv7(), roles.person_id, students.id, now() - interval '1 day'
  FROM person_roles AS roles, students
 WHERE roles.tenant_id = $1 AND roles.role = 'tutor' AND students.number <= $2::integer;

-- lessons(tenant_id, lessons)
INSERT INTO lessons (tenant_id, id, slug, title, subject, language, owner_id, created_at)
SELECT $1, uuidv7(), 'lesson-' || n, 'Lesson ' || n, 'Maths', 'en', students.id, now()
  FROM generate_series(1, $2::integer) AS n, students
 WHERE students.number = 1;

-- versions(tenant_id, versions)
-- With plans of 3,000 characters.
INSERT INTO lesson_versions (tenant_id, id, lesson_id, number, plan, author_id, created_at)
SELECT $1, uuidv7(), lessons.id, n,
       jsonb_build_object('title', lessons.title, 'steps',
                          repeat('A question, its answers, its hints and its solution. ', 60)),
       owner_id, now()
  FROM lessons, generate_series(1, $2::integer) AS n
 WHERE lessons.tenant_id = $1;

-- brief(tenant_id)
INSERT INTO briefs (tenant_id, hash, brief) VALUES ($1, 'b', '');

-- sessions(tenant_id, sessions, lessons, versions)
-- Two years of them, evenly. Lesson 1 was taken ten times in all, `nova-sonic` took part in one of
-- 2,000, 40 are running, staff ended one of 5,000, one of 1,000 lasted an hour, one of 2,500 was not
-- reviewed, students found one of 400 no help.
INSERT INTO sessions (tenant_id, id, student_id, lesson_id, lesson_version_id, brief_hash, sandbox,
                      mode, status, started_at, ended_at, end_reason, wall_ms, steps, engines,
                      reviewed, thumbs)
SELECT $1, uuidv7(age), students.id, versions.lesson_id, versions.id, 'b', false, 'voice',
       CASE WHEN live THEN 'live' ELSE 'ended' END, now() + age,
       CASE WHEN NOT live THEN now() + age + interval '10 minutes' END,
       CASE
         WHEN live THEN NULL
         WHEN n % 5000 = 7 THEN 'ended_by_staff'
         WHEN n % 3 = 0 THEN 'abandoned'
         ELSE 'finished'
       END,
       CASE WHEN n % 1000 = 3 THEN 3600000 ELSE 300000 + n % 900 * 1000 END, 6,
       CASE WHEN n % 2000 = 5 THEN '["offline", "nova-sonic"]'::jsonb ELSE '["offline"]' END,
       NOT live AND n % 2500 <> 11,
       CASE WHEN n % 400 = 9 THEN 'down' WHEN n % 3 = 0 THEN 'up' ELSE 'none' END
  FROM (SELECT n, n > $2::integer - 40 AS live,
               (n - $2::integer) * interval '2 years' / $2::integer AS age,
               1 + (n::bigint * 7919 % 1000)::integer AS student,
               CASE
                 WHEN n % ($2::integer / 10) = 1 THEN 1
                 ELSE 2 + n % ($3::integer - 1)
               END AS lesson,
               CASE WHEN n % ($2::integer / 10) = 1 THEN 1 ELSE 1 + n / 60 % $4::integer END
                 AS version
          FROM generate_series(1, $2::integer) AS n) AS made
  JOIN students ON students.number = made.student
  JOIN lessons ON lessons.tenant_id = $1 AND lessons.slug = 'lesson-' || made.lesson
  JOIN lesson_versions AS versions
    ON versions.tenant_id = $1
   AND versions.lesson_id = lessons.id
   AND versions.number = made.version
 ORDER BY made.n;

-- reviews(tenant_id)
INSERT INTO reviews (tenant_id, session_id, reviewer_id, reviewed_at)
SELECT $1, sessions.id, roles.person_id, now()
  FROM sessions, person_roles AS roles
 WHERE sessions.tenant_id = $1
   AND sessions.reviewed
   AND roles.tenant_id = $1
   AND roles.role = 'tutor';

-- summaries(tenant_id)
INSERT INTO summaries (tenant_id, session_id, number, kind, engine, content)
SELECT $1, id, 1, 'normal', 'rules', decode(repeat('ab', 900), 'hex')
  FROM sessions
 WHERE tenant_id = $1 AND status = 'ended';

-- overrides(tenant_id)
-- Three corrections in each session of the last hundred days.
INSERT INTO overrides (tenant_id, session_id, id, target_kind, target_id, original, content,
                       reasons, note, author_id, created_at, changed_at, published_at, succeeds)
SELECT $1, sessions.id, uuidv7(), 'words', 'item_' || n, '', '', '[]', '', roles.person_id, now(),
       now(), now(), '00000000-0000-0000-0000-000000000000'
  FROM sessions, person_roles AS roles, generate_series(1, 3) AS n
 WHERE sessions.tenant_id = $1
   AND sessions.started_at > now() - interval '100 days'
   AND roles.tenant_id = $1
   AND roles.role = 'tutor';

-- settle()
-- As autovacuum does by and by.
VACUUM ANALYZE;
