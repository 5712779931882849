-- for: control
-- databases: all
--
-- What is about schools, and never of them: which there are, where their rows live, the wrapped keys
-- that open their words, and the work that is due.

CREATE TABLE migrations (
    cell text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cell, number)
);

CREATE TABLE cells (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,53}[a-z0-9])?$'),
    name text NOT NULL,
    cell text NOT NULL REFERENCES cells (name),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE data_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    key_id integer NOT NULL CHECK (key_id BETWEEN 1 AND 65535),
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key_id)
);

CREATE TABLE domains (
    domain text PRIMARY KEY CHECK (domain = lower(domain)),
    tenant_id uuid NOT NULL REFERENCES tenants (id)
);

-- Ids only: what a job needs to know of a school it reads in that school's cell.
CREATE TABLE jobs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    leased_by text,
    leased_until timestamptz,
    last_error text,
    done_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, kind, key)
);

-- databases: postgresql

CREATE INDEX jobs_due ON jobs (due_at) WHERE done_at IS NULL;

GRANT SELECT ON migrations, cells, tenants, data_keys, domains TO student_connect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO student_connect_app;

-- down:
-- databases: all

DROP TABLE jobs;
DROP TABLE domains;
DROP TABLE data_keys;
DROP TABLE tenants;
DROP TABLE cells;
DROP TABLE migrations;
