package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// catchUpAll moves the sequences past the keys of their tables. One statement, for
// however many tables, finds those that are behind, which are few.
func catchUpSequences(ctx context.Context, c *pgx.Conn, tables []*table) error {
	var sequenced []*table
	var tops []string
	for _, t := range tables {
		if t.sequence != nil && t.sequence.canAdvance() {
			sequenced, tops = append(sequenced, t), append(tops, t.highestKeySQL())
		}
	}
	if len(sequenced) == 0 {
		return nil
	}
	highest, err := highestKeys(ctx, c, tops)
	if err != nil {
		return err
	}
	for i, t := range sequenced {
		if n := highest[i]; n != nil && *n > t.sequence.last.Load() {
			if err := t.sequence.catchUp(ctx, c, t); err != nil {
				return err
			}
			t.sequence.noteValue(*n)
		}
	}
	return nil
}

// highestKeys returns the values of the expressions, in one round trip.
func highestKeys(ctx context.Context, c *pgx.Conn, tops []string) (highest []*int64, err error) {
	batch := &pgx.Batch{}
	// Not serializable: reading all keys would conflict with everybody who adds one.
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
	batch.Queue("SELECT ARRAY[" + strings.Join(tops, ", ") + "]::bigint[]").QueryRow(func(row pgx.Row) error { return row.Scan(&highest) })
	batch.Queue("COMMIT")
	return highest, c.SendBatch(ctx, batch).Close()
}
