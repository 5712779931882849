-- for: control

-- first_two()
-- Enough to know whether there is exactly one.
SELECT id, slug, name, cell, status FROM tenants ORDER BY slug LIMIT 2;
