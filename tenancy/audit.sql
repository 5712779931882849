-- head(tenant_id)
-- The end of a school's chain, locked until the transaction ends: one writer at a time.
SELECT seq, mac FROM audit_heads WHERE tenant_id = $1 FOR UPDATE;

-- start(tenant_id, mac)
-- The first entry's head; another writer may have been first.
INSERT INTO audit_heads (tenant_id, seq, mac) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING;

-- append(tenant_id, seq, at, actor, verb, thing, thing_id, detail, address, mac, head_mac)
-- The entry and the chain's new end, in one statement.
WITH entry AS (
    INSERT INTO audit (tenant_id, seq, at, actor, verb, thing, thing_id, detail, address, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
)
UPDATE audit_heads SET seq = $2, mac = $11 WHERE tenant_id = $1;

-- entry(tenant_id, seq, at, actor, verb, thing, thing_id, detail, address, mac)
-- One of many; `move` closes them.
INSERT INTO audit (tenant_id, seq, at, actor, verb, thing, thing_id, detail, address, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- move(tenant_id, seq, mac)
-- The chain's new end.
UPDATE audit_heads SET seq = $2, mac = $3 WHERE tenant_id = $1;

-- snapshot()
-- For the rest of the transaction everything is seen as it is now. Control: it reads no table.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- end(tenant_id)
SELECT seq, mac FROM audit_heads WHERE tenant_id = $1;

-- entries(tenant_id, after, limit)
SELECT seq, at, actor, verb, thing, thing_id, detail, address, mac
  FROM audit
 WHERE tenant_id = $1 AND seq > $2
 ORDER BY seq
 LIMIT $3;

-- list(tenant_id, actor, verb, thing, from, to, before, limit)
-- Newest first, with the actor's name; NULL does not filter.
SELECT a.seq, a.at, a.actor, p.name, a.verb, a.thing, a.thing_id, a.detail, a.address
  FROM audit a
  LEFT JOIN people p ON p.tenant_id = $1 AND p.id = a.actor
 WHERE a.tenant_id = $1
   AND ($2::uuid IS NULL OR a.actor = $2)
   AND ($3::text IS NULL OR a.verb = $3)
   AND ($4::text IS NULL OR a.thing = $4)
   AND ($5::timestamptz IS NULL OR a.at >= $5)
   AND ($6::timestamptz IS NULL OR a.at < $6)
   AND ($7::bigint IS NULL OR a.seq < $7)
 ORDER BY a.seq DESC
 LIMIT $8;

-- names(tenant_id, ids)
-- What people and classes are called now.
SELECT id, name FROM people WHERE tenant_id = $1 AND id = ANY($2::uuid[])
 UNION ALL
SELECT id, name FROM classes WHERE tenant_id = $1 AND id = ANY($2::uuid[]);
