package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"
)

// call is a statement, and what reads its rows; nil if they are of no interest.
type call struct {
	sql  string
	args []any
	read func(rows pgx.Rows) error
	// asks says that the call only reads: its failure is not the client's.
	readOnly bool
}

// tooLarge reports whether the protocol cannot take so many arguments (manual,
// section 55.7, Bind).
func (c call) tooLarge() bool { return len(c.args) > math.MaxUint16 }

// query sends one call.
func (t *transaction) query(ctx context.Context, c call) error {
	rows, err := t.conn.Query(ctx, c.sql, c.args...)
	if err != nil {
		return c.wrap(err)
	}
	return c.finish(rows)
}

// askError is an error of a statement that only reads.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

func (c call) wrap(err error) error {
	if c.readOnly {
		return &readError{err}
	}
	return err
}

// unreadError is an error of reading the rows of statements that succeeded.
type resultError struct{ error }

func (e *resultError) Unwrap() error { return e.error }

// finish reads all rows. The error of the statement counts before that of reading
// them, which may be its consequence.
func (c call) finish(rows pgx.Rows) (err error) {
	defer rows.Close()
	if c.read != nil {
		err = c.read(rows)
	}
	rows.Close()
	if rows.Err() != nil {
		return c.wrap(rows.Err())
	}
	if err != nil && !errors.Is(err, errRolledBack) && !errors.Is(err, errReplicaBehind) && !errors.Is(err, errNoPosition) {
		return &resultError{err}
	}
	return err
}

// send sends calls together. When one fails, those behind it are not executed, and
// how those end that are behind one whose rows cannot be read, as a commit may be,
// counts before that.
func (t *transaction) send(ctx context.Context, calls []call) error {
	var unread *resultError
	batch := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(calls))}
	for _, c := range calls {
		batch.Queue(c.sql, c.args...).Fn = func(br pgx.BatchResults) error {
			rows, err := br.Query()
			if err != nil {
				return c.wrap(err)
			}
			err = c.finish(rows)
			if errors.As(err, &unread) {
				return nil
			}
			return err
		}
	}
	err := t.conn.SendBatch(ctx, batch).Close()
	if unread != nil && (err == nil || t.done) {
		return unread
	}
	return err
}
