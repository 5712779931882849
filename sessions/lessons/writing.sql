-- insert_lesson(tenant_id, id, slug, title, subject, language, owner_id, at)
-- A new lesson; no row where the school has the slug already.
INSERT INTO lessons (tenant_id, id, slug, title, subject, language, owner_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, slug) DO NOTHING
RETURNING id;

-- slugs_like(tenant_id, slug)
-- Which slugs that begin so are taken.
SELECT slug
  FROM lessons
 WHERE tenant_id = $1 AND (slug = $2 OR starts_with(slug, $2 || '-'));

-- insert_version(tenant_id, id, lesson_id, plan, step_ids, author_id, note, at)
-- The next version of a lesson, numbered.
INSERT INTO lesson_versions
       (tenant_id, id, lesson_id, number, plan, step_ids, author_id, note, created_at)
SELECT $1, $2, $3, COALESCE(max(number), 0) + 1, $4, $5, $6, $7, $8
  FROM lesson_versions
 WHERE tenant_id = $1 AND lesson_id = $3
RETURNING number;

-- insert_trial(tenant_id, id, lesson_id, plan, author_id, at)
-- What an author tries; it has no number.
INSERT INTO lesson_versions (tenant_id, id, lesson_id, plan, author_id, created_at)
SELECT $1, $2, lessons.id, $4, $5, $6
  FROM lessons
 WHERE lessons.tenant_id = $1 AND lessons.id = $3
RETURNING (SELECT slug FROM lessons WHERE tenant_id = $1 AND id = $3);

-- insert_draft(tenant_id, lesson_id, content, digest, based_on, based_digest, by, at)
INSERT INTO lesson_drafts (tenant_id, lesson_id, content, digest, based_on, based_digest,
                           changed_by, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- hold_draft(tenant_id, lesson_id)
-- Nobody else changes the draft until this transaction ends. Whoever needs the lesson's row too
-- takes it after this one.
SELECT drafts.content, drafts.digest, drafts.revision, drafts.touched, drafts.based_digest,
       drafts.changed_by, drafts.changed_at,
       (SELECT number
          FROM lesson_versions AS versions
         WHERE versions.tenant_id = $1 AND versions.id = drafts.based_on) AS based_on
  FROM lesson_drafts AS drafts
 WHERE drafts.tenant_id = $1 AND drafts.lesson_id = $2
   FOR UPDATE;

-- change_draft(tenant_id, lesson_id, content, digest, touched, by, at)
UPDATE lesson_drafts
   SET content = $3, digest = $4, touched = $5, changed_by = $6, changed_at = $7,
       revision = revision + 1
 WHERE tenant_id = $1 AND lesson_id = $2
RETURNING revision;

-- base_draft(tenant_id, lesson_id, version_id)
-- The draft is the same as this version.
UPDATE lesson_drafts
   SET based_on = $3, based_digest = digest
 WHERE tenant_id = $1 AND lesson_id = $2;

-- hold_lesson(tenant_id, id)
-- A lesson's slug and state; nobody else publishes or archives it until this transaction ends.
SELECT slug, published_version_id, archived_at
  FROM lessons
 WHERE tenant_id = $1 AND id = $2
   FOR UPDATE;

-- entitle(tenant_id, lesson_id, title, subject, language)
-- What lists show of a lesson that was never published.
UPDATE lessons
   SET title = $3, subject = $4, language = $5
 WHERE tenant_id = $1 AND id = $2 AND published_version_id IS NULL;

-- publish(tenant_id, lesson_id, version_id)
-- Point the lesson at one of its own versions; what lists sort and filter by follows.
UPDATE lessons
   SET published_version_id = versions.id,
       title = versions.plan ->> 'title',
       subject = versions.plan ->> 'subject',
       language = COALESCE(versions.plan ->> 'language', 'en')
  FROM lesson_versions AS versions
 WHERE lessons.tenant_id = $1
   AND lessons.id = $2
   AND lessons.archived_at IS NULL
   AND versions.tenant_id = $1
   AND versions.lesson_id = $2
   AND versions.id = $3
   AND versions.number IS NOT NULL
RETURNING lessons.id;
