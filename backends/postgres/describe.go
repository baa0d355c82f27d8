package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// describe finds out what the queries of the sources return, without executing them,
// and which columns of their views are stored in a table.
func (c *catalog) describeSources(ctx context.Context, conn *pgx.Conn, schema string, m *core.Model, opts Options) error {
	c.queries = make(map[string]*catalogTable)
	for _, r := range m.Resources() {
		source := opts.source(r)
		for _, view := range []string{source.View, source.Table} {
			if err := c.describeView(ctx, conn, schema, view); err != nil {
				return err
			}
		}
		query := source.Query
		if query == "" {
			continue
		}
		found, err := describeQuery(ctx, conn, query)
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && !isTransient(server.Code) || errors.Is(err, errNotOneQuery) {
			return &mismatchError{fmt.Errorf(
				"postgres: %s: the query must be one SELECT without parameters, whose columns have different names: %w", r.Name(), err)}
		}
		if err != nil {
			return err
		}
		c.queries[r.Name()] = found
	}
	return nil
}

var errNotOneQuery = errors.New("it is not")

func describeQuery(ctx context.Context, conn *pgx.Conn, query string) (*catalogTable, error) {
	// Alone it shows that it is one statement that does not end before its end,
	// enclosed that it is a SELECT.
	alone, err := conn.PgConn().Prepare(ctx, "", query, nil)
	if err != nil {
		return nil, err
	}
	from := Source{Query: query}.from("")
	enclosed, err := conn.PgConn().Prepare(ctx, "", "SELECT * FROM "+from+" AS t", nil)
	if err != nil {
		return nil, err
	}
	if len(alone.ParamOIDs) > 0 {
		return nil, fmt.Errorf("%w: it has parameters", errNotOneQuery)
	}
	var names []string
	var types, collations []int64
	var modifiers []int32
	known := make(map[string]bool)
	for _, f := range enclosed.Fields {
		if known[f.Name] {
			return nil, fmt.Errorf("%w: the column %q comes twice", errNotOneQuery, f.Name)
		}
		known[f.Name] = true
		collation, err := collationOf(ctx, conn, from, f)
		if err != nil {
			return nil, err
		}
		names, types = append(names, f.Name), append(types, int64(f.DataTypeOID))
		modifiers, collations = append(modifiers, f.TypeModifier), append(collations, collation)
	}
	found := &catalog{tables: make(map[string]*catalogTable)}
	batch := &pgx.Batch{}
	batch.Queue(describedQuery, names, types, modifiers, collations).Query(found.readColumns)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	return found.tables[""], found.tables[""].markStoredColumns(ctx, conn, enclosed.Fields)
}

// collationOf returns what a column of a query is compared by; 0 for types that have
// no collation.
func collationOf(ctx context.Context, conn *pgx.Conn, from string, f pgconn.FieldDescription) (oid int64, err error) {
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		err = conn.QueryRow(ctx, "SELECT coalesce(pg_collation_for((SELECT t."+pgsql.Name(f.Name)+" FROM "+from+" AS t LIMIT 0))::regcollation::oid::bigint, 0)").Scan(&oid)
	}
	return oid, err
}
