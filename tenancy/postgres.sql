-- for: control

-- tenant(id)
SELECT id, slug, name, cell, status FROM tenants WHERE id = $1;

-- tenant_by_slug(slug)
SELECT id, slug, name, cell, status FROM tenants WHERE slug = $1;

-- tenant_by_domain(domain)
SELECT tenants.id, slug, name, cell, status
  FROM tenants
  JOIN domains ON domains.tenant_id = tenants.id
 WHERE domain = $1;

-- tenants()
SELECT id, slug, name, cell, status FROM tenants ORDER BY slug;

-- data_keys(tenant_id)
SELECT key_id, wrapped FROM data_keys WHERE tenant_id = $1;

-- all_data_keys()
SELECT tenant_id, key_id, wrapped FROM data_keys;
