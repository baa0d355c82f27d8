package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// named is a constraint or an index of a table, or with no name the table itself.
type objectName struct{ schema, table, name string }

// partitions tell what the names in errors are parts of: the server names the
// partition that a row is in, and the index and the foreign key of that.
type partitions map[objectName]string

const partitionsQuery = `
WITH RECURSIVE part (oid, root) AS (
  SELECT c.oid, c.relname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1::text AND c.relkind IN ('p', 'I') AND NOT c.relispartition
  UNION ALL
  SELECT i.inhrelid, part.root FROM part JOIN pg_inherits i ON i.inhparent = part.oid
), reference (oid, root) AS (
  SELECT k.oid, k.conname
  FROM pg_constraint k
  JOIN pg_namespace n ON n.oid = k.connamespace
  WHERE n.nspname = $1::text AND k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT k.oid, reference.root FROM reference JOIN pg_constraint k ON k.conparentid = reference.oid
)
SELECT n.nspname::text, t.relname::text, CASE WHEN x.indexrelid IS NULL THEN '' ELSE c.relname::text END, part.root::text
FROM part
JOIN pg_class c ON c.oid = part.oid AND c.relispartition
LEFT JOIN pg_index x ON x.indexrelid = c.oid
JOIN pg_class t ON t.oid = coalesce(x.indrelid, c.oid)
JOIN pg_namespace n ON n.oid = t.relnamespace
UNION ALL
SELECT n.nspname::text, t.relname::text, k.conname::text, reference.root::text
FROM reference
JOIN pg_constraint k ON k.oid = reference.oid AND k.conparentid <> 0
JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace`

func (p partitions) read(rows pgx.Rows) error {
	var part objectName
	var whole string
	for rows.Next() {
		if err := rows.Scan(&part.schema, &part.table, &part.name, &whole); err != nil {
			return err
		}
		p[part] = whole
	}
	return rows.Err()
}

// whole returns the error as the partitioned table in the schema would have it.
func (p partitions) toRoot(schema string, err *pgconn.PgError) *pgconn.PgError {
	table, parted := p[objectName{err.SchemaName, err.TableName, ""}]
	name, inherited := p[objectName{err.SchemaName, err.TableName, err.ConstraintName}]
	if !parted && !inherited {
		return err
	}
	whole := *err
	if parted {
		whole.SchemaName, whole.TableName = schema, table
	}
	if inherited && err.ConstraintName != "" {
		whole.ConstraintName = name
	}
	return &whole
}
