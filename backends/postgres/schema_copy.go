package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// CopySchema copies the tables of a model, with their rows and the positions of their sequences, into a new schema, usually on
// another server. [Migrate] creates the new schema as. All rows are those of one snapshot, and they are committed together, after
// the rows of each table have been counted again. To lose no write, call [StopWrites] before.
//
// The copy has the descriptions, constraints and indexes of the model. Everything else that the schema contains is named by an error
// and not copied: tables, views, columns, indexes, constraints, triggers and functions outside the model. Privileges are not copied.
//
// After an error the new schema may exist, without rows; drop it before the next attempt. CopySchema is not limited by
// [Options.StatementTimeout].
//
// Errors: those of Migrate; an error that lists the objects which the model lacks; [core.Unavailable]; errors of the servers, for
// example if the new schema has rows.
func CopySchema(ctx context.Context, from *pgxpool.Pool, schema string, to *pgxpool.Pool, as string, m *core.Model) error {
	if err := Migrate(ctx, to, as, m); err != nil {
		return err
	}
	return inTransaction(ctx, from, pgx.RepeatableRead, func(source pgx.Tx) error {
		return inTransaction(ctx, to, pgx.ReadCommitted, func(target pgx.Tx) error {
			c := schemaCopy{source, target, schema, as}
			for _, step := range []func(context.Context) error{c.checkObjects, c.copyTables, c.copySequences} {
				if err := step(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// inTransaction runs fn in a transaction without limits of time, and commits.
func inTransaction(ctx context.Context, pool *pgxpool.Pool, level pgx.TxIsoLevel, fn func(tx pgx.Tx) error) error {
	b := New(pool, "", Options{})
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		return fn(tx)
	})
	if err != nil {
		return b.errorOn(ctx, conn, err)
	}
	return nil
}

type schemaCopy struct {
	source, target pgx.Tx
	from, to       string // names of the schemas
}

// stopped is the name of the triggers and of the function of [StopWrites].
const stopped = "larder_stopped"

// objectsQuery describes the objects of the schema $1 without its name. The names of indexes and constraints may differ between two
// schemas of a model, which were migrated in other steps.
const objectsQuery = `
SELECT format('column %I.%I', c.relname, a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = $1::text::regnamespace AND c.relkind NOT IN ('i', 'I', 'S')
UNION ALL
SELECT format('index on %I %s', c.relname, regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? USING ', ''))
FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid
WHERE c.relnamespace = $1::text::regnamespace
UNION ALL
SELECT format('constraint on %I %s', c.relname, replace(pg_get_constraintdef(k.oid), c.relnamespace::regnamespace || '.', ''))
FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
WHERE c.relnamespace = $1::text::regnamespace
UNION ALL
SELECT format('trigger %I on %I', g.tgname, c.relname)
FROM pg_class c JOIN pg_trigger g ON g.tgrelid = c.oid
WHERE c.relnamespace = $1::text::regnamespace AND NOT g.tgisinternal AND g.tgname <> '` + stopped + `'
UNION ALL
SELECT format('function %I', p.proname)
FROM pg_proc p
WHERE p.pronamespace = $1::text::regnamespace AND p.proname <> '` + stopped + `'`

// checkObjects returns an error for objects that the copy lacks.
func (c schemaCopy) checkObjects(ctx context.Context) error {
	rows, _ := c.source.Query(ctx, objectsQuery, pgx.QueryExecModeExec, pgsql.Name(c.from))
	lacking, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	rows, _ = c.target.Query(ctx, objectsQuery, pgx.QueryExecModeExec, pgsql.Name(c.to))
	copied, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	lacking = slices.DeleteFunc(lacking, func(object string) bool { return slices.Contains(copied, object) })
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("postgres: schema %q has objects that the model lacks, and a copy would lose them: %s; drop them, or copy the schema with pg_dump",
		c.from, strings.Join(lacking, ", "))
}

func (c schemaCopy) copyTables(ctx context.Context) error {
	rows, _ := c.source.Query(ctx, `
		SELECT c.relname::text, coalesce((SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
			WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '')
		FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
		pgx.QueryExecModeExec, pgsql.Name(c.from))
	type table struct{ Name, Columns string }
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	for _, t := range tables {
		if err := c.copyTable(ctx, t.Name, t.Columns); err != nil {
			return fmt.Errorf("postgres: copying table %q: %w", t.Name, err)
		}
	}
	return err
}

// copyTable copies the rows of a table, and counts the rows of the copy.
func (c schemaCopy) copyTable(ctx context.Context, table, columns string) error {
	r, w := io.Pipe()
	type result struct {
		rows int64
		err  error
	}
	sent := make(chan result, 1)
	go func() {
		tag, err := c.source.Conn().PgConn().CopyTo(ctx, w, "COPY "+pgsql.Name(c.from)+"."+pgsql.Name(table)+" ("+columns+") TO STDOUT")
		_ = w.CloseWithError(err) // nil ends the data
		sent <- result{tag.RowsAffected(), err}
	}()
	into := pgsql.Name(c.to) + "." + pgsql.Name(table)
	_, failed := c.target.Conn().PgConn().CopyFrom(ctx, r, "COPY "+into+" ("+columns+") FROM STDIN")
	_ = r.CloseWithError(failed) // ends CopyTo
	from := <-sent
	if err := errors.Join(from.err, failed); err != nil {
		return err
	}
	var arrived int64
	if err := c.target.QueryRow(ctx, "SELECT count(*) FROM "+into, pgx.QueryExecModeExec).Scan(&arrived); err != nil {
		return err
	}
	if arrived != from.rows {
		return fmt.Errorf("%d rows were sent, and the copy has %d", from.rows, arrived)
	}
	return nil
}

func (c schemaCopy) copySequences(ctx context.Context) error {
	rows, _ := c.source.Query(ctx, "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = $1 AND last_value IS NOT NULL",
		pgx.QueryExecModeExec, c.from)
	type sequence struct {
		Name string
		Last int64
	}
	sequences, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sequence])
	for _, s := range sequences {
		if _, err := c.target.Exec(ctx, "SELECT setval($1::text::regclass, $2)", pgx.QueryExecModeExec, pgsql.Name(c.to)+"."+pgsql.Name(s.Name), s.Last); err != nil {
			return fmt.Errorf("postgres: copying sequence %q: %w", s.Name, err)
		}
	}
	return err
}

// StopWrites makes every later write to the tables of a schema fail with [core.Unavailable], also those of other processes and of
// programs other than Larder, and waits for transactions that have written. Reads go on. It lasts until [PermitWrites]: the tables
// have a trigger that raises an error. A repeated StopWrites does nothing more. The role needs to own the tables.
//
// Errors: [core.Unavailable]; errors of the server. After an error nothing has changed.
func StopWrites(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return inTransaction(ctx, pool, pgx.ReadCommitted, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p')
				AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = '`+stopped+`')
			ORDER BY 1`, pgx.QueryExecModeExec, pgsql.Name(schema))
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		function := pgsql.Name(schema) + "." + stopped
		statements := []string{"CREATE OR REPLACE FUNCTION " + function + `() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN RAISE EXCEPTION ''writes to the schema are stopped'' USING ERRCODE = ''lock_not_available''; END'`}
		for _, name := range tables {
			table := pgsql.Name(schema) + "." + pgsql.Name(name)
			statements = append(statements, "CREATE TRIGGER "+stopped+" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+table+
				" FOR EACH STATEMENT EXECUTE FUNCTION "+function+"()")
		}
		_, err = tx.Exec(ctx, strings.Join(statements, ";\n"), pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// PermitWrites ends [StopWrites]. Without it, PermitWrites does nothing.
//
// Errors: [core.Unavailable]; errors of the server.
func PermitWrites(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return inTransaction(ctx, pool, pgx.ReadCommitted, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DROP FUNCTION IF EXISTS "+pgsql.Name(schema)+"."+stopped+"() CASCADE")
		return err
	})
}
