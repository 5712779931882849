-- for: cell
-- databases: all
--
-- What people made of a record: which sessions they went through, and what they corrected.

-- Sessions that somebody has been through.
CREATE TABLE reviews (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  reviewer_id uuid NOT NULL,
  reviewed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, session_id),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id),
  FOREIGN KEY (tenant_id, reviewer_id) REFERENCES people (tenant_id, id)
);

-- Corrections. A draft has no published_at, and its author may still change it; a published row never
-- changes. `replaces` names the override it was made on, `succeeds` the same once it is published, or
-- the nil uuid for a target's first: being unique, it lets only one of two publishers in.
CREATE TABLE overrides (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  id uuid NOT NULL,
  target_kind text NOT NULL
    CHECK (target_kind IN ('words', 'speaker', 'answer', 'sentence', 'next_step')),
  target_id text NOT NULL,                    -- an item's id, or a sentence's place in its summary
  original bytea NOT NULL,                    -- what was there when the first correction was made
  content bytea NOT NULL,                     -- what is right
  reasons jsonb NOT NULL,                     -- codes
  note bytea NOT NULL,
  author_id uuid NOT NULL,
  replaces uuid,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  published_at timestamptz,
  succeeds uuid,
  PRIMARY KEY (tenant_id, session_id, id),
  UNIQUE (tenant_id, session_id, target_kind, target_id, succeeds),
  CHECK ((published_at IS NULL) = (succeeds IS NULL)),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id),
  FOREIGN KEY (tenant_id, author_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, session_id, replaces) REFERENCES overrides (tenant_id, session_id, id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON reviews TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON overrides TO student_connect_app;
GRANT UPDATE (content, reasons, note, replaces, changed_at, published_at, succeeds) ON overrides
   TO student_connect_app;

-- databases: postgresql

ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE reviews FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON reviews
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON overrides
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- What is published stays as it is, except that a sandbox goes whole.
CREATE POLICY published_stay ON overrides AS RESTRICTIVE FOR UPDATE
  USING (published_at IS NULL) WITH CHECK (true);
CREATE POLICY published_are_kept ON overrides AS RESTRICTIVE FOR DELETE
  USING (published_at IS NULL
         OR EXISTS (SELECT 1
                      FROM sessions
                     WHERE sessions.tenant_id = overrides.tenant_id
                       AND sessions.id = overrides.session_id
                       AND sessions.sandbox));

-- down:

DROP TABLE overrides;
DROP TABLE reviews;
