-- for: control

-- schools()
SELECT count(*) FROM control.tenants;

-- emptying()
-- The statements that take away our schemas as a first start leaves them: without schools.
SELECT format('DROP SCHEMA %I CASCADE', nspname) AS sql
  FROM pg_namespace
 WHERE pg_get_userbyid(nspowner) = 'student_connect_owner';
