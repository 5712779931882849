-- for: control

-- owner_exists()
-- Whether the role that owns the schemas is there.
SELECT 1 FROM pg_roles WHERE rolname = 'student_connect_owner';

-- make_owner()
CREATE ROLE student_connect_owner NOLOGIN;

-- app_exists()
-- Whether the role that the server connects as is there.
SELECT 1 FROM pg_roles WHERE rolname = 'student_connect_app';

-- make_app()
CREATE ROLE student_connect_app LOGIN;

-- may_be_owner()
-- A superuser may be anyone. Others ask every time: since PostgreSQL 16 being a member is not enough.
SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper;

-- become_owner()
GRANT student_connect_owner TO CURRENT_USER;

-- may_make_schemas()
SELECT has_database_privilege('student_connect_owner', current_database(), 'CREATE');

-- let_make_schemas()
-- Schemas belong to the owner; nobody makes temporary tables, which would hide the real ones.
DO $$
BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO student_connect_owner', current_database());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

-- lock_runner()
-- One migration run at a time; given back when the connection closes.
SELECT pg_try_advisory_lock(7361021);

-- unlock_runner()
SELECT pg_advisory_unlock(7361021);

-- has_control()
SELECT to_regclass('control.migrations') IS NOT NULL;

-- make_schema(name)
-- The statements that make a schema; the database itself quotes the name.
SELECT format(
    'CREATE SCHEMA IF NOT EXISTS %1$I; GRANT USAGE ON SCHEMA %1$I TO student_connect_app', $1::text
);

-- act_as_owner()
SET LOCAL ROLE student_connect_owner;

-- look_in(schema)
SELECT set_config('search_path', quote_ident($1), true);
