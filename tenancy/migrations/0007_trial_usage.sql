-- for: cell
-- databases: all
--
-- What trials of lessons used, kept when the trials are deleted: money that was spent stays spent.
-- Neither who tried nor what was tried.

CREATE TABLE trial_usage (
  tenant_id uuid NOT NULL,
  trial_id uuid NOT NULL,                     -- made for this table; names no session
  month timestamptz NOT NULL,                 -- the beginning of the one it began in, UTC
  engine text NOT NULL,
  unit text NOT NULL,
  model text NOT NULL,
  quantity bigint NOT NULL,
  cost_micros bigint,
  price_micros bigint,
  PRIMARY KEY (tenant_id, trial_id, engine, unit, model)
);

CREATE INDEX trial_usage_month ON trial_usage (tenant_id, month);

GRANT SELECT, INSERT ON trial_usage TO student_connect_app;

-- databases: postgresql

ALTER TABLE trial_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE trial_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY own_school ON trial_usage
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

-- down:

DROP TABLE trial_usage;
