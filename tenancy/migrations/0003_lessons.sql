-- for: cell
-- databases: all

-- What a teacher offers. Which of its versions students get is only this pointer.
CREATE TABLE lessons (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  slug text NOT NULL,
  title text NOT NULL,                        -- for lists: of the published version, before
                                              -- there is one of the draft; so are the next two
  subject text NOT NULL,
  language text NOT NULL,
  owner_id uuid NOT NULL,
  published_version_id uuid,                  -- NULL: nobody but its teachers sees it
  created_at timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, slug),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES people (tenant_id, id)
);

-- The plans. A row never changes: an edit is another row. What an author tries has no number, and is
-- gone with the session that tried it.
CREATE TABLE lesson_versions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  number integer CHECK (number > 0),
  plan jsonb NOT NULL,
  step_ids jsonb NOT NULL DEFAULT '[]',       -- of its steps, in order: which is which in the next
  author_id uuid NOT NULL,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, lesson_id, number),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, author_id) REFERENCES people (tenant_id, id)
);

-- What an author is writing: one draft a lesson, as typed, whole or not.
CREATE TABLE lesson_drafts (
  tenant_id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  content jsonb NOT NULL,
  digest text NOT NULL,                       -- of the content
  revision integer NOT NULL DEFAULT 1,        -- counts changes
  touched jsonb NOT NULL DEFAULT '{}',        -- by path: who changed it last, at which revision
  based_on uuid,                              -- the version it was last the same as; NULL: none
  based_digest text,                          -- what the digest was then
  changed_by uuid NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, lesson_id),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, changed_by) REFERENCES people (tenant_id, id)
);

-- Who may take a lesson, from when, and until when it should be done: one student, one class, or
-- with neither everyone at the school.
CREATE TABLE lesson_assignments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  class_id uuid,
  student_id uuid,
  starts_at timestamptz,
  due_at timestamptz,
  assigned_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, lesson_id, student_id),
  UNIQUE (tenant_id, lesson_id, class_id),
  UNIQUE (tenant_id, student_id, id),
  CHECK (class_id IS NULL OR student_id IS NULL),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, class_id) REFERENCES classes (tenant_id, id),
  FOREIGN KEY (tenant_id, student_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, assigned_by) REFERENCES people (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON lessons TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON lesson_versions TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON lesson_drafts TO student_connect_app;
GRANT SELECT, INSERT, DELETE, UPDATE (starts_at, due_at) ON lesson_assignments TO student_connect_app;

-- databases: postgresql

ALTER TABLE lessons ENABLE ROW LEVEL SECURITY;
ALTER TABLE lessons FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON lessons
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE lesson_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lesson_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON lesson_versions
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- Only what was tried goes.
CREATE POLICY numbered_stay ON lesson_versions AS RESTRICTIVE FOR DELETE
  USING (number IS NULL);

ALTER TABLE lesson_drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE lesson_drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON lesson_drafts
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE lesson_assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE lesson_assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON lesson_assignments
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- down:

DROP TABLE lesson_assignments;
DROP TABLE lesson_drafts;
DROP TABLE lesson_versions;
DROP TABLE lessons;
