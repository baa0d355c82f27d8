package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
)

// A column of a view or a query is an expression, and so is a virtual generated column of a
// table. Where the expression is nothing but a stored column of a table, reading it cannot
// fail, and conditions on it need no fence: see [builder.comparison].

// isComputed reports whether the value of a column is computed when it is read, by the kind
// of its relation (pg_class.relkind) and what generates it (pg_attribute.attgenerated): in a
// view or a foreign table, and in a virtual generated column, which PostgreSQL has since
// version 18.
func mayFailToRead(relkind, attgenerated string) bool {
	return relkind == "v" || relkind == "f" || attgenerated == "v"
}

// describeView finds out which columns of a view are stored in a table. A view that
// cannot be looked into has none.
func (c *catalog) describeView(ctx context.Context, conn *pgx.Conn, schema, view string) error {
	t := c.tables[view]
	if t == nil || t.kind != "v" {
		return nil
	}
	var definition string
	err := conn.QueryRow(ctx, "SELECT coalesce(pg_get_viewdef(to_regclass($1::text)), '')", pgsql.Name(schema)+"."+pgsql.Name(view)).Scan(&definition)
	if err != nil {
		return err
	}
	described, err := conn.PgConn().Prepare(ctx, "", definition, nil)
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	if len(described.Fields) != len(t.columns) {
		return nil
	}
	return t.markStoredColumns(ctx, conn, described.Fields)
}

// markStored marks the columns of a described query that are columns of tables. Those
// of a view or a foreign table are not stored, and neither are virtual generated ones.
func (t *catalogTable) markStoredColumns(ctx context.Context, conn *pgx.Conn, fields []pgconn.FieldDescription) error {
	tables, places := make([]int64, len(fields)), make([]int16, len(fields))
	for i, f := range fields {
		tables[i], places[i] = int64(f.TableOID), int16(f.TableAttributeNumber) //nolint:gosec // a number of a column
	}
	rows, err := conn.Query(ctx, storedColumnsQuery, tables, places)
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	for _, i := range stored {
		if c := t.columns[fields[i-1].Name]; c != nil {
			c.mayFail = false
		}
	}
	return err
}

// storedQuery returns the places of the columns, given by table and number, that are
// stored.
const storedColumnsQuery = `
SELECT f.place
FROM unnest($1::bigint[], $2::smallint[]) WITH ORDINALITY AS f (oid, num, place)
JOIN pg_class c ON c.oid = f.oid::oid AND c.relkind IN ('r', 'p', 'm')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.num AND a.attgenerated <> 'v'`
