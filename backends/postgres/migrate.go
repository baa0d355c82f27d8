package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// migrationLock is the advisory lock that migrations hold (manual, section
// 13.3.5), so that two processes that start at once do not both create a table.
const migrationLock = 0x6c61726465720001

// Migrate creates what the schema lacks of what the model needs: the schema itself,
// tables, columns, constraints and indexes, in one transaction, all or nothing.
// It never drops or changes anything, but for the names of columns whose fields say what
// they were called before ([core.FieldSpec.Was]). If more would be needed it does nothing
// at all, and the error names every difference and the statement that a person should
// review, where one statement would do.
//
// A column that is added has the field's default in all rows that are there, if it is a
// constant and the field not Unique, and null otherwise. Where the table has data in
// columns that the model does not name, the log says so ([Options.Logger]), because
// the field may have been renamed; one that must not be null and has no default is an
// error.
//
// Creating an index or a constraint locks out those who write to the table. For
// tables that are large and in use, and for every other change, use a migration
// tool, such as goose.
//
// Errors: one that names what it refuses; [core.Unavailable]; the server's, such as
// one that a unique constraint cannot be added because values are not unique.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string, m *core.Model) error {
	return New(pool, schema, Options{}).migrate(ctx, m)
}

func (b *Backend) migrate(ctx context.Context, m *core.Model) error {
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// Not serializable: what was committed while waiting for the lock must show.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", int64(migrationLock))); err != nil {
			return err
		}
		return migrate(ctx, tx, b.schema, m, b.opts)
	})
	if err != nil {
		return b.errorOn(ctx, conn, err)
	}
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx, schema string, m *core.Model, opts Options) error {
	found, err := readCatalog(ctx, tx.Conn(), schema)
	if err != nil {
		return err
	}
	differences := compare(found, schema, m, opts, true)
	if err := unsafeError(schema, differences); err != nil {
		return err
	}
	if err := warnAboutRenames(ctx, tx, found, schema, m, differences, opts); err != nil {
		return err
	}
	for _, d := range differences {
		if _, err := tx.Exec(ctx, d.fix); err != nil {
			return fmt.Errorf("postgres: %s: %s: %w", d.problem, d.fix, err)
		}
	}
	return nil
}

// refuse returns an error if any of the differences takes more than adding
// something.
func unsafeError(schema string, differences []difference) error {
	var lines []string
	for _, d := range differences {
		switch {
		case d.additive:
		case d.fix == "":
			lines = append(lines, "\t"+d.problem)
		default:
			lines = append(lines, "\t"+d.problem+"; to review: "+d.fix)
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(fmt.Sprintf("postgres: schema %q needs changes that are not made automatically:\n", schema) + strings.Join(lines, "\n"))
}
