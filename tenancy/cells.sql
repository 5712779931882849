-- for: control

-- taken(slug)
SELECT EXISTS (SELECT FROM control.tenants WHERE slug = $1);

-- add(id, slug, name, cell)
INSERT INTO control.tenants (id, slug, name, cell) VALUES ($1, $2, $3, $4);

-- add_key(tenant_id, key_id, wrapped)
INSERT INTO control.data_keys (tenant_id, key_id, wrapped) VALUES ($1, $2, $3);

-- add_domain(domain, tenant_id)
INSERT INTO control.domains (domain, tenant_id) VALUES ($1, $2);

-- all_keys()
SELECT tenant_id, key_id, wrapped FROM control.data_keys ORDER BY tenant_id, key_id FOR UPDATE;

-- set_key(tenant_id, key_id, wrapped)
UPDATE control.data_keys SET wrapped = $3 WHERE tenant_id = $1 AND key_id = $2;

-- act_for(tenant_id)
-- The row policies bind the owner of the tables too.
SELECT set_config('app.tenant_id', $1, true);
