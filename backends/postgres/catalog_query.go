package postgres

import "github.com/larder-go/larder/backends/postgres/internal/pgsql"

// Queries of the system catalogs (manual, chapter 53). $1 is the list of schemas, or in settingsQuery the schema of the
// backend. The queries cast catalog types to basic types,
// so that the results are the same in every protocol.
const (
	settingsQuery = `
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text),
       current_setting('server_encoding'),
       current_setting('default_transaction_isolation'),
       pg_is_in_recovery(),
       EXISTS (SELECT FROM pg_constraint WHERE condeferrable AND NOT condeferred),
       to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL`

	// inSchemas matches the OID of a relation of the schemas. It finds the relations by an index of pg_depend, because no index of
	// pg_class serves the schema: with thousands of schemas, each query would read all of their relations. The server records no
	// dependencies on pg_catalog.
	inSchemas = ` = ANY (ARRAY(
  SELECT objid FROM pg_depend
  WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_namespace'::regclass
    AND refobjid = ANY (ARRAY(SELECT oid FROM pg_namespace WHERE nspname = ANY ($1::text[])))
  UNION ALL
  SELECT oid FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND 'pg_catalog' = ANY ($1::text[])))`

	columnsQuery = `
WITH RECURSIVE col AS MATERIALIZED (
  SELECT n.nspname, c.relname, c.relkind, a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod,
         a.attnotnull, a.attidentity, a.attgenerated, a.attcollation
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.oid` + inSchemas + ` AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
)` + columnsOf

	// describedQuery returns the same as columnsQuery for a query. Its parameters are the names, types, modifiers and
	// collations of the columns.
	describedQuery = `
WITH RECURSIVE col AS MATERIALIZED (
  SELECT '' AS nspname, '' AS relname, 'v' AS relkind, 0::oid AS attrelid, x.attname, x.attnum::smallint, x.atttypid::oid, x.atttypmod,
         false AS attnotnull, '' AS attidentity, '' AS attgenerated, x.attcollation::oid
  FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[]) WITH ORDINALITY AS x (attname, atttypid, atttypmod, attcollation, attnum)
)` + columnsOf

	// variesOf is true if a default expression may differ from row to row. An expression is the same for every row if
	// its parse tree has only constants, casts, and functions and operators that are IMMUTABLE (manual, section 38.7).
	// All other nodes, such as CURRENT_TIMESTAMP, and casts that parse text, such as 'now'::text::date, may vary.
	variesOf = `EXISTS (
         SELECT FROM regexp_matches(tree.bin, '\{([A-Z]+)|:(?:funcid|opfuncid) (\d+)', 'g') AS m
         LEFT JOIN pg_proc f ON f.oid = m[2]::oid
         WHERE f.provolatile <> 'i' OR m[1] NOT IN (
           'CONST', 'FUNCEXPR', 'OPEXPR', 'RELABELTYPE', 'COERCETODOMAIN', 'COLLATEEXPR', 'NAMEDARGEXPR', 'ARRAY', 'ARRAYEXPR', 'ROW', 'ROWEXPR'))`

	// columnsOf is the common part of columnsQuery and describedQuery. The base type of a domain is the first type
	// below it that is no domain.
	columnsOf = `, below (top, topmod, oid, mod) AS (
  SELECT col.atttypid, col.atttypmod, col.atttypid, col.atttypmod FROM col
  UNION
  SELECT below.top, below.topmod, d.typbasetype, CASE WHEN below.mod >= 0 THEN below.mod ELSE d.typtypmod END
  FROM below JOIN pg_type d ON d.oid = below.oid AND d.typtype = 'd'
)
SELECT a.nspname::text, a.relname::text, a.relkind::text, a.attname::text, a.attnum,
       CASE WHEN base.typnamespace = 'pg_catalog'::regnamespace THEN base.typname::text ELSE '' END,
       base.typtype::text, coalesce(e.typtype::text, ''), format('%I.%I', bn.nspname, base.typname),
       CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(a.atttypid, a.atttypmod) ELSE format('%I.%I', tn.nspname, t.typname) END,
       t.typtype = 'd',
       format_type(a.atttypid, a.atttypmod),
       CASE WHEN base.typname IN ('varchar', 'bpchar') AND below.mod > 4 THEN below.mod - 4
            WHEN base.typname IN ('bit', 'varbit') AND below.mod > 0 THEN below.mod ELSE 0 END,
       CASE WHEN base.typname = 'numeric' AND below.mod >= 4 THEN (((below.mod - 4) & 2047) # 1024) - 1024 END,
       a.attnotnull, NOT a.attnotnull OR (a.attrelid, a.attnum) IN (
         SELECT k.conrelid, k.conkey[1] FROM pg_constraint k WHERE k.contype = 'n' AND NOT k.convalidated),
       a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attgenerated = '' THEN '{}' ELSE ARRAY(
         SELECT DISTINCT p.refobjsubid::smallint FROM pg_depend p
         WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid > 0 AND p.refobjsubid <> a.attnum
           AND (p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                OR p.classid = 'pg_class'::regclass AND p.objid = a.attrelid AND p.objsubid = a.attnum)) END,
       coalesce(CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END, CASE WHEN t.typtype = 'd' THEN t.typdefault END, ''),
       ` + variesOf + `,
       coalesce(s.name, ''), coalesce(s.step, 0), coalesce(s.low, 0), coalesce(s.high, 0), coalesce(s.last, 0), coalesce(s.missing, '{}'),
       ` + pgsql.CollatesByCodePoint + `,
       coalesce(co.collisdeterministic, true), coalesce(quote_ident(cn.nspname) || '.' || quote_ident(co.collname), '')
FROM col a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
JOIN below ON below.top = a.atttypid AND below.topmod = a.atttypmod
JOIN pg_type base ON base.oid = below.oid AND base.typtype <> 'd'
JOIN pg_namespace bn ON bn.oid = base.typnamespace
LEFT JOIN pg_type e ON e.oid = base.typelem AND e.typarray = base.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (SELECT coalesce(d.adbin, t.typdefaultbin)::text AS bin) AS tree ON true
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
LEFT JOIN LATERAL (
  SELECT format('%I.%I', sn.nspname, sc.relname) AS name, sq.seqincrement AS step, sq.seqmin AS low, sq.seqmax AS high,
         CASE WHEN has_sequence_privilege(sc.oid, 'USAGE, SELECT') THEN pg_sequence_last_value(sc.oid) END AS last,
         ARRAY(SELECT g FROM unnest('{USAGE,SELECT,UPDATE}'::text[]) AS g WHERE NOT has_sequence_privilege(sc.oid, g)) AS missing
  FROM pg_depend p
  JOIN pg_sequence sq ON sq.seqrelid = CASE WHEN p.classid = 'pg_attrdef'::regclass THEN p.refobjid ELSE p.objid END
  JOIN pg_class sc ON sc.oid = sq.seqrelid
  JOIN pg_namespace sn ON sn.oid = sc.relnamespace
  WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
        AND pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(E?''([^'']|'''')+''::regclass\)$'
     OR p.classid = 'pg_class'::regclass AND p.deptype = 'i'
        AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum
  LIMIT 1) s ON true
ORDER BY a.nspname, a.relname, a.attnum`

	// indexesQuery returns the indexes on plain columns.
	indexesQuery = `
SELECT n.nspname::text, c.relname::text, i.relname::text, ` + pgsql.UniqueIndex + `, x.indimmediate,
       (x.indkey::int2[])[0:x.indnkeyatts - 1], (x.indoption::int2[])[0:x.indnkeyatts - 1],
       coalesce(pg_get_expr(x.indpred, x.indrelid), '')
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid` + inSchemas + ` AND c.relkind IN ('r', 'p')
  AND x.indisvalid AND x.indexprs IS NULL
ORDER BY 1, 2, 3`

	foreignKeysQuery = `
SELECT n.nspname::text, c.relname::text, k.conname::text, ARRAY(
         SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS x (num, place)
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num ORDER BY x.place),
       tn.nspname::text, t.relname::text, ARRAY(
         SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS x (num, place)
         JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.num ORDER BY x.place),
       NOT k.condeferrable OR k.confdeltype = 'r', k.confdeltype IN ('c', 'n', 'd'), k.confmatchtype = 'f' AND k.convalidated
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = k.confrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE c.oid` + inSchemas + ` AND k.contype = 'f' AND ` + pgsql.Enforced + `
ORDER BY 1, 2, 3`

	checksQuery = `
SELECT n.nspname::text, c.relname::text, k.conname::text, ARRAY(
  SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY a.attnum),
  coalesce(obj_description(k.oid, 'pg_constraint'), '')
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid` + inSchemas + ` AND k.contype = 'c'
ORDER BY 1, 2, 3`

	// rowSecurityQuery returns the tables with policies of row security that apply to the role.
	rowSecurityQuery = `
SELECT n.nspname::text, c.relname::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid` + inSchemas + ` AND c.relkind IN ('r', 'p') AND row_security_active(c.oid)`
)
