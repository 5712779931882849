-- for: control

-- version()
SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name;

-- role()
-- Who we are, and whether that role could see or do more than the app's may.
SELECT rolname, rolsuper, rolbypassrls,
       COALESCE((SELECT pg_has_role(current_user, oid, 'MEMBER')
                   FROM pg_roles
                  WHERE rolname = 'student_connect_owner'), false) AS is_owner
  FROM pg_roles
 WHERE rolname = current_user;

-- schemas()
-- Schemas of ours, and `public`, in which we could make something.
SELECT nspname AS schema
  FROM pg_namespace
 WHERE (nspname IN (SELECT name FROM control.cells) OR nspname IN ('control', 'public'))
   AND has_schema_privilege(nspname, 'CREATE')
 ORDER BY nspname;

-- tables()
-- Every table of a cell, and what keeps its rows apart.
SELECT n.nspname AS schema, c.relname AS name, c.relrowsecurity AS enabled,
       c.relforcerowsecurity AS forced,
       EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
           AS has_tenant,
       EXISTS (SELECT FROM pg_policy p
                WHERE p.polrelid = c.oid AND p.polcmd = '*'
                  AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL) AS has_policy,
       EXISTS (SELECT FROM pg_policy p
                WHERE p.polrelid = c.oid AND p.polpermissive
                  AND (COALESCE(pg_get_expr(p.polqual, c.oid), 'app.tenant_id') || '.'
                       || COALESCE(pg_get_expr(p.polwithcheck, c.oid), 'app.tenant_id'))
                      NOT LIKE '%app.tenant_id%.%app.tenant_id%') AS has_gap,
       has_table_privilege(c.oid, 'TRUNCATE') AS truncatable,
       has_table_privilege(c.oid, 'TRIGGER') AS triggerable
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname IN (SELECT name FROM control.cells)
 ORDER BY 1, 2;

-- views()
-- Views that would show their owner's rows instead of the asker's.
SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (c.relkind = 'm'
        OR (c.relkind = 'v'
            AND NOT COALESCE('security_invoker=true' = ANY (c.reloptions)
                             OR 'security_invoker=on' = ANY (c.reloptions), false)))
   AND (n.nspname IN (SELECT name FROM control.cells) OR n.nspname = 'control')
 ORDER BY 1, 2;

-- functions()
-- Functions that would run with their owner's rights.
SELECT n.nspname AS schema, p.proname AS name
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef
   AND (n.nspname IN (SELECT name FROM control.cells) OR n.nspname IN ('control', 'public'))
 ORDER BY 1, 2;
