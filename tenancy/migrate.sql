-- for: control

-- applied()
-- Every file that was run, and where.
SELECT cell, number, name, checksum FROM control.migrations;

-- cells()
SELECT name FROM control.cells ORDER BY name;

-- note(cell, number, name, checksum)
INSERT INTO control.migrations (cell, number, name, checksum) VALUES ($1, $2, $3, $4);

-- forget(cell, number)
DELETE FROM control.migrations WHERE cell = $1 AND number = $2;

-- add_cell(name)
INSERT INTO control.cells (name) VALUES ($1) ON CONFLICT DO NOTHING;
