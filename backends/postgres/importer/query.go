package importer

import "github.com/larder-go/larder/backends/postgres/internal/pgsql"

// Queries of the system catalogs (manual, chapter 53). $1 is the schema.
const (
	// These settings make the spelling of expressions and types independent of the session.
	settingsSQL = `
SELECT set_config('search_path', 'pg_catalog', true), set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
       set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
       set_config('standard_conforming_strings', 'on', true)`

	schemaSQL = `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text)`

	tablesSQL = `
SELECT c.oid, c.relname::text, c.relkind::text, c.relispartition,
       coalesce(parent.name, ''), coalesce(parent.schema, ''),
       EXISTS (SELECT FROM pg_inherits h
               JOIN pg_class heir ON heir.oid = h.inhrelid
               WHERE h.inhparent = c.oid AND NOT heir.relispartition),
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 7 = 7)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT p.relname::text AS name, pn.nspname::text AS schema
  FROM pg_inherits h
  JOIN pg_class p ON p.oid = h.inhparent
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
  WHERE h.inhrelid = c.oid AND c.relispartition AND p.relnamespace <> c.relnamespace) parent ON true
WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname`

	columnsSQL = `
WITH RECURSIVE col AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.attcollation
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
), below (top, topmod, type, mod) AS (
  SELECT atttypid, atttypmod, atttypid, atttypmod FROM col
  UNION
  SELECT below.top, below.topmod, d.typbasetype, CASE WHEN below.mod >= 0 THEN below.mod ELSE d.typtypmod END FROM below JOIN pg_type d ON d.oid = below.type AND d.typtype = 'd'
)
SELECT col.attrelid, col.attnum, col.attname::text,
       format_type(col.atttypid, col.atttypmod), format_type(t.oid, -1),
       t.typname::text, t.typtype::text, t.typnamespace = 'pg_catalog'::regnamespace,
       e.oid IS NOT NULL, coalesce(e.typname::text, ''), coalesce(e.typtype::text, ''),
       col.attnotnull, col.attidentity::text, col.attgenerated <> '',
       coalesce(pg_get_expr(d.adbin, d.adrelid), top.typdefault, ''),
       ` + pgsql.CollatesByCodePoint + `,
       CASE WHEN t.typname = 'numeric' AND below.mod >= 4 THEN (((below.mod - 4) & 2047) # 1024) - 1024 END,
       coalesce(col_description(col.attrelid, col.attnum), ''),
       col.attnotnull OR EXISTS (SELECT FROM below b JOIN pg_type d ON d.oid = b.type AND d.typnotnull WHERE b.top = col.atttypid AND b.topmod = col.atttypmod),
       CASE WHEN t.typname = 'varchar' AND below.mod > 4 THEN below.mod - 4 ELSE 0 END,
       ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)
FROM col
JOIN pg_type top ON top.oid = col.atttypid
JOIN below ON below.top = col.atttypid AND below.topmod = col.atttypmod
JOIN pg_type t ON t.oid = below.type AND t.typtype <> 'd'
LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_attrdef d ON d.adrelid = col.attrelid AND d.adnum = col.attnum
LEFT JOIN pg_collation co ON co.oid = col.attcollation
ORDER BY col.attrelid, col.attnum`

	indexesSQL = `
SELECT x.indrelid, i.relname::text, am.amname::text, x.indisprimary, ` + pgsql.UniqueIndex + `, x.indimmediate,
       x.indpred IS NOT NULL, coalesce(pg_get_expr(x.indpred, x.indrelid), ''), (x.indoption::int2[])[0:x.indnkeyatts - 1], x.indexprs IS NOT NULL,
       coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false),
       ARRAY(SELECT coalesce(a.attname::text, pg_get_indexdef(x.indexrelid, k.pos::int, true))
             FROM unnest((x.indkey::int2[])[0:x.indnkeyatts - 1]) WITH ORDINALITY k(num, pos)
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.num
             ORDER BY k.pos)
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_am am ON am.oid = i.relam
WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'm') AND x.indisvalid
ORDER BY x.indrelid, i.relname`

	// Foreign keys to or from partitioned tables have copies for the partitions. The copies have a parent and are skipped.
	foreignKeysSQL = `
SELECT k.conrelid, k.conname::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, pos)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.pos),
       tn.nspname::text, t.relname::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, pos)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.pos),
       k.confdeltype::text,
       ARRAY(SELECT a.attname::text FROM jsonb_array_elements_text(CASE jsonb_typeof(to_jsonb(k) -> 'confdelsetcols') WHEN 'array' THEN to_jsonb(k) -> 'confdelsetcols' ELSE '[]' END) WITH ORDINALITY u(num, pos)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num::int2 ORDER BY u.pos),
       k.confmatchtype = 'f', k.convalidated, ` + pgsql.Enforced + `, coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = k.confrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE n.nspname = $1::text AND k.contype = 'f' AND k.conparentid = 0
ORDER BY k.conrelid, k.conkey, k.conname`

	// Checks of domains have one row for each column of the domain, and no name.
	checksSQL = `
SELECT k.conrelid, k.conname::text, ARRAY(
         SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY a.attnum),
       pg_get_expr(k.conbin, k.conrelid, true)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text AND k.contype = 'c' AND ` + pgsql.Enforced + `
UNION ALL
SELECT * FROM (
  WITH RECURSIVE below (attrelid, attname, type) AS (
    SELECT a.attrelid, a.attname, a.atttypid
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT below.attrelid, below.attname, d.typbasetype FROM below JOIN pg_type d ON d.oid = below.type AND d.typtype = 'd'
  )
  SELECT below.attrelid, '', ARRAY[below.attname::text], pg_get_expr(k.conbin, 0, true)
  FROM below JOIN pg_constraint k ON k.contypid = below.type AND k.contype = 'c'
) d
ORDER BY 1, 2, 4`
)
