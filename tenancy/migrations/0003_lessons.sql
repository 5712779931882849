-- for: cell
-- databases: all

-- What a teacher offers. Which of its versions students get is only this pointer.
CREATE TABLE lessons (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  slug text NOT NULL,
  title text NOT NULL,                        -- of the published version, for lists
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

-- The plans. A row never changes: an edit is another row.
CREATE TABLE lesson_versions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  plan jsonb NOT NULL,
  author_id uuid NOT NULL,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, lesson_id, number),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, author_id) REFERENCES people (tenant_id, id)
);

-- Who may take a lesson: one student, or with NULL everyone at the school.
CREATE TABLE lesson_assignments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  student_id uuid,
  due_at timestamptz,
  assigned_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, lesson_id, student_id),
  UNIQUE (tenant_id, student_id, id),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, student_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, assigned_by) REFERENCES people (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON lessons TO student_connect_app;
GRANT SELECT, INSERT ON lesson_versions TO student_connect_app;
GRANT SELECT, INSERT, DELETE, UPDATE (due_at) ON lesson_assignments TO student_connect_app;

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

ALTER TABLE lesson_assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE lesson_assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON lesson_assignments
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- down:

DROP TABLE lesson_assignments;
DROP TABLE lesson_versions;
DROP TABLE lessons;
