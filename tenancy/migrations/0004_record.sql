-- for: cell
-- databases: all
--
-- What was said, how long it took and what it came to. Words are sealed by the application: bytea.

-- What a tutor was told, kept once however many sessions it was told to.
CREATE TABLE briefs (
  tenant_id uuid NOT NULL,
  hash text NOT NULL,                         -- SHA-256 of the compiled brief, hex
  brief bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, hash)
);

-- One student working through one lesson version. The UNIQUEs with started_at are look-up indexes,
-- one for each filter of lists that may leave only few; nothing that changes while a session runs is
-- in an index. What lists filter by is here, also where it is a copy: of `reviews` and of the
-- student's own `feedback`, written with them in one transaction.
CREATE TABLE sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  student_id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  lesson_version_id uuid NOT NULL,
  brief_hash text NOT NULL,
  sandbox boolean NOT NULL,
  expires_at timestamptz,                     -- of a sandbox: all of it is deleted then
  mode text NOT NULL CHECK (mode IN ('voice', 'text')),
  status text NOT NULL DEFAULT 'live' CHECK (status IN ('live', 'ended')),
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  end_reason text CHECK (end_reason IN ('finished', 'time_limit', 'ended_by_staff', 'abandoned')),
  wall_ms bigint NOT NULL DEFAULT 0,
  student_speech_ms bigint NOT NULL DEFAULT 0,
  tutor_speech_ms bigint NOT NULL DEFAULT 0,
  silence_ms bigint NOT NULL DEFAULT 0,
  step integer NOT NULL DEFAULT 0,            -- from 0
  steps integer NOT NULL,
  progress text NOT NULL DEFAULT 'asking',
  engines jsonb NOT NULL DEFAULT '[]',        -- names, in the order they came
  epoch integer NOT NULL DEFAULT 1,           -- its writer; another writer has another one
  last_seq integer NOT NULL DEFAULT 0,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  reviewed boolean NOT NULL DEFAULT false,
  thumbs text NOT NULL DEFAULT 'none' CHECK (thumbs IN ('up', 'down', 'none')),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, started_at, id),
  UNIQUE (tenant_id, student_id, started_at, id),
  UNIQUE (tenant_id, lesson_id, started_at, id),
  UNIQUE (tenant_id, lesson_version_id, started_at, id),
  UNIQUE (tenant_id, status, started_at, id),
  UNIQUE (tenant_id, end_reason, started_at, id),
  UNIQUE (tenant_id, reviewed, started_at, id),
  UNIQUE (tenant_id, thumbs, started_at, id),
  CHECK (sandbox = (expires_at IS NOT NULL)),
  CHECK ((status = 'ended') = (ended_at IS NOT NULL AND end_reason IS NOT NULL)),
  FOREIGN KEY (tenant_id, student_id) REFERENCES people (tenant_id, id),
  FOREIGN KEY (tenant_id, lesson_id) REFERENCES lessons (tenant_id, id),
  FOREIGN KEY (tenant_id, lesson_version_id) REFERENCES lesson_versions (tenant_id, id),
  FOREIGN KEY (tenant_id, brief_hash) REFERENCES briefs (tenant_id, hash)
);

-- The log of a session: seq is commit order, gapless; position is conversation order.
CREATE TABLE items (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  seq integer NOT NULL,
  position integer NOT NULL,
  item_id text NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
  speaker text NOT NULL CHECK (speaker IN ('student', 'ai', 'tutor', 'system')),
  kind text NOT NULL CHECK (kind IN ('audio', 'text')),
  status text NOT NULL CHECK (status IN ('in_progress', 'completed', 'incomplete')),
  said bytea,
  heard bytea,
  heard_ms bigint,
  interrupted boolean NOT NULL,
  started_ms bigint NOT NULL,
  ended_ms bigint,
  words bytea,                                -- with times and confidence
  engine text,
  data bytea,                                 -- what the engine keeps beside the item
  saved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, session_id, seq),
  UNIQUE (tenant_id, session_id, item_id),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

-- What a session came to. Made anew after corrections, it is another row; readers get the newest.
CREATE TABLE summaries (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  kind text NOT NULL CHECK (kind IN ('normal', 'brief', 'no_transcript')),
  engine text NOT NULL,
  content bytea NOT NULL,                     -- sentences, each with the items it rests on
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, session_id, number),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

-- How it was, said by who was there.
CREATE TABLE feedback (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  person_id uuid NOT NULL,
  helpful boolean NOT NULL,
  comment bytea,
  given_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, session_id, person_id),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);

-- What a session used of what costs, and what that costs in millionths of a dollar; NULL: nobody
-- knows. last_key names the report that was counted last.
CREATE TABLE usage (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  engine text NOT NULL,
  unit text NOT NULL,
  model text NOT NULL,                        -- empty for what runs here
  quantity bigint NOT NULL,
  cost_micros bigint,                         -- the provider's
  price_micros bigint,                        -- the school's own
  last_key text NOT NULL,
  PRIMARY KEY (tenant_id, session_id, engine, unit, model),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

GRANT SELECT, INSERT ON briefs TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO student_connect_app;
GRANT SELECT, INSERT, DELETE, UPDATE (heard, heard_ms, interrupted) ON items TO student_connect_app;
GRANT SELECT, INSERT, DELETE ON summaries TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON feedback TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage TO student_connect_app;

-- databases: postgresql

-- Each save rewrites the session's row: with room on the page it needs no new index entries.
ALTER TABLE sessions SET (fillfactor = 70);

ALTER TABLE briefs ENABLE ROW LEVEL SECURITY;
ALTER TABLE briefs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON briefs
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON sessions
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON items
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE summaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE summaries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON summaries
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE feedback ENABLE ROW LEVEL SECURITY;
ALTER TABLE feedback FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON feedback
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON usage
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- The record is kept: a session can be deleted only where it was a trial.
CREATE POLICY only_sandboxes_go ON sessions AS RESTRICTIVE FOR DELETE
  USING (sandbox);

CREATE POLICY only_sandboxes_go ON items AS RESTRICTIVE FOR DELETE
  USING (EXISTS (SELECT 1
                   FROM sessions
                  WHERE sessions.tenant_id = items.tenant_id
                    AND sessions.id = items.session_id
                    AND sessions.sandbox));

CREATE POLICY only_sandboxes_go ON summaries AS RESTRICTIVE FOR DELETE
  USING (EXISTS (SELECT 1
                   FROM sessions
                  WHERE sessions.tenant_id = summaries.tenant_id
                    AND sessions.id = summaries.session_id
                    AND sessions.sandbox));

CREATE POLICY only_sandboxes_go ON feedback AS RESTRICTIVE FOR DELETE
  USING (EXISTS (SELECT 1
                   FROM sessions
                  WHERE sessions.tenant_id = feedback.tenant_id
                    AND sessions.id = feedback.session_id
                    AND sessions.sandbox));

CREATE POLICY only_sandboxes_go ON usage AS RESTRICTIVE FOR DELETE
  USING (EXISTS (SELECT 1
                   FROM sessions
                  WHERE sessions.tenant_id = usage.tenant_id
                    AND sessions.id = usage.session_id
                    AND sessions.sandbox));

-- down:

DROP TABLE usage;
DROP TABLE feedback;
DROP TABLE summaries;
DROP TABLE items;
DROP TABLE sessions;
DROP TABLE briefs;
