-- for: cell
-- databases: all

-- Everyone with an account at a school.
CREATE TABLE people (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  email text NOT NULL,                        -- in lower case
  name text NOT NULL,
  locale text NOT NULL DEFAULT 'en',
  grade_level text NOT NULL DEFAULT '',       -- as the school writes it
  preferences jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deactivated')),
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email)
);

-- One person may be teacher, tutor and parent.
CREATE TABLE person_roles (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('student', 'instructor', 'tutor', 'parent', 'admin')),
  PRIMARY KEY (tenant_id, person_id, role),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);

-- How a person proves who they are. A password's subject is the person's id.
CREATE TABLE identities (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('password', 'oidc', 'lti')),
  subject text NOT NULL,
  password_hash text,                         -- argon2id, with its parameters
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, subject),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);

-- What a signed-in person holds: only a hash of it. The two last UNIQUEs are look-up indexes.
CREATE TABLE access_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('cookie', 'bearer', 'ephemeral')),
  hash bytea NOT NULL,                        -- SHA-256 of the secret
  parent_id uuid,                             -- what it was made from, and dies with
  lesson text,                                -- the one lesson an ephemeral key is for
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  idle_s integer,                             -- NULL: may lie unused until it expires
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, hash),
  UNIQUE (tenant_id, parent_id, id),
  UNIQUE (tenant_id, person_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);

-- Groups of students with their teachers: what a lesson is assigned to.
CREATE TABLE classes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);

CREATE TABLE class_members (
  tenant_id uuid NOT NULL,
  class_id uuid NOT NULL,
  person_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('student', 'instructor')),
  since timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, class_id, person_id),
  UNIQUE (tenant_id, person_id, class_id),
  FOREIGN KEY (tenant_id, class_id) REFERENCES classes (tenant_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);

-- Whose parent somebody is.
CREATE TABLE guardians (
  tenant_id uuid NOT NULL,
  parent_id uuid NOT NULL,
  student_id uuid NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, parent_id, student_id),
  UNIQUE (tenant_id, student_id, parent_id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, student_id) REFERENCES people (tenant_id, id)
);

-- Which tutor looks after which student.
CREATE TABLE assignments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  tutor_id uuid NOT NULL,
  student_id uuid NOT NULL,
  subject text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'completed')),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz,
  notes text,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, tutor_id, student_id, id),
  UNIQUE (tenant_id, student_id, id),
  FOREIGN KEY (tenant_id, tutor_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, student_id) REFERENCES people (tenant_id, id)
);

-- Layered: a person's setting beats their lesson's, a lesson's its class's, up to the school's.
CREATE TABLE settings (
  tenant_id uuid NOT NULL,
  layer text NOT NULL CHECK (layer IN ('school', 'subject', 'class', 'lesson', 'person')),
  layer_id text NOT NULL DEFAULT '',          -- empty for the school's own
  name text NOT NULL,
  value jsonb NOT NULL,
  author uuid,
  reason text,
  expires_at timestamptz,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, layer, layer_id, name)
);

-- Who did what to which, when, from where. Each row's mac covers the row before it.
CREATE TABLE audit (
  tenant_id uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  actor uuid,
  verb text NOT NULL,
  thing text NOT NULL,
  thing_id text NOT NULL,
  detail jsonb,
  address text,
  mac bytea NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);

-- The end of each school's chain, and the lock of its writers.
CREATE TABLE audit_heads (
  tenant_id uuid NOT NULL PRIMARY KEY,
  seq bigint NOT NULL,
  mac bytea NOT NULL
);

-- Who opened whose transcript.
CREATE TABLE reads (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  id uuid NOT NULL,
  reader_id uuid NOT NULL,
  role text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, session_id, id),
  FOREIGN KEY (tenant_id, reader_id) REFERENCES people (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON people TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON person_roles TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON identities TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_tokens TO student_connect_app;
GRANT SELECT, INSERT, UPDATE ON classes TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON class_members TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON guardians TO student_connect_app;
GRANT SELECT, INSERT, UPDATE ON assignments TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON settings TO student_connect_app;
GRANT SELECT, INSERT ON audit TO student_connect_app;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO student_connect_app;
GRANT SELECT, INSERT ON reads TO student_connect_app;

-- databases: postgresql

ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON people
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE person_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON person_roles
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON identities
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE access_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON access_tokens
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE classes ENABLE ROW LEVEL SECURITY;
ALTER TABLE classes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON classes
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE class_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE class_members FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON class_members
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE guardians ENABLE ROW LEVEL SECURITY;
ALTER TABLE guardians FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON guardians
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON assignments
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON settings
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON audit
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON audit_heads
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE reads ENABLE ROW LEVEL SECURITY;
ALTER TABLE reads FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON reads
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- down:

DROP TABLE reads;
DROP TABLE audit_heads;
DROP TABLE audit;
DROP TABLE settings;
DROP TABLE assignments;
DROP TABLE guardians;
DROP TABLE class_members;
DROP TABLE classes;
DROP TABLE access_tokens;
DROP TABLE identities;
DROP TABLE person_roles;
DROP TABLE people;
