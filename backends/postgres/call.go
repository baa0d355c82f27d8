package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"
)

// call is a statement, and what reads its rows; nil if they are of no interest.
type call struct {
	sql  string
	args []any
	read func(rows pgx.Rows) error
}

// tooLarge reports whether the protocol cannot take so many arguments (manual,
// section 55.7, Bind).
func (c call) tooLarge() bool { return len(c.args) > math.MaxUint16 }

// query sends one call.
func (t *transaction) query(ctx context.Context, c call) error {
	rows, err := t.conn.Query(ctx, c.sql, c.args...)
	if err != nil {
		return err
	}
	return c.finish(rows)
}

// finish reads all rows. The error of the statement counts before that of reading
// them, which may be its consequence.
func (c call) finish(rows pgx.Rows) (err error) {
	defer rows.Close()
	if c.read != nil {
		err = c.read(rows)
	}
	rows.Close()
	if rows.Err() != nil {
		return rows.Err()
	}
	return err
}

// send sends calls together. When one fails, those behind it are not executed.
func (t *transaction) send(ctx context.Context, calls []call) error {
	batch := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(calls))}
	for _, c := range calls {
		batch.Queue(c.sql, c.args...).Fn = func(br pgx.BatchResults) error {
			rows, err := br.Query()
			if err != nil {
				return err
			}
			return c.finish(rows)
		}
	}
	return t.conn.SendBatch(ctx, batch).Close()
}
