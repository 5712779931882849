-- for: cell
-- databases: all
--
-- What a school's tutor engines are reached with. Keys are sealed by the application: bytea.

-- One credential of a school at a provider. It is written and used, and never read out again.
CREATE TABLE engine_keys (
  tenant_id uuid NOT NULL,
  provider text NOT NULL CHECK (provider IN ('openai', 'aws')),
  sealed bytea NOT NULL,
  ends_with text NOT NULL,                    -- so that people know which one it is
  set_by uuid,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, provider),
  FOREIGN KEY (tenant_id, set_by) REFERENCES people (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON engine_keys TO student_connect_app;

-- databases: postgresql

ALTER TABLE engine_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE engine_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON engine_keys
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- down:

DROP TABLE engine_keys;
