package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// transaction holds a connection from its first operation to its end. Statements
// travel together: BEGIN with the first one, COMMIT with the last one if it is
// known to be the last.
type transaction struct {
	backend  *Backend
	opts     core.TxOptions
	conn     *pgxpool.Conn
	begun    bool   // on the server
	wrote    bool   // or tried to
	deferred bool   // constraints are
	done     bool   // committed along with an operation
	behind   *table // whose sequence handed out a key that was taken
}

var _ core.BackendTx = (*transaction)(nil)

var errRolledBack = errors.New("postgres: the server rolled the transaction back")

// call is a statement, and what reads its rows; nil if they are of no interest.
type call struct {
	sql  string
	args []any
	read func(rows pgx.Rows) error
}

func (t *transaction) acquire(ctx context.Context) (err error) {
	if t.conn == nil {
		t.conn, err = t.backend.acquire(ctx)
	}
	return err
}

// end gives the connection back. One that is not in order is closed by the pool.
func (t *transaction) end() {
	if t.conn != nil {
		t.conn.Release()
		t.conn = nil
	}
}

// run executes the calls of one operation, in one round trip.
func (t *transaction) run(ctx context.Context, op *core.Op, calls ...call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.acquire(ctx); err != nil {
		return err
	}
	if t.conn.Conn().IsClosed() {
		return unavailable(pgconn.ErrConnClosed)
	}
	writes := op.Kind.Writes()
	alone := t.opts.Single && t.backend.autocommit && len(calls) == 1
	commits := alone || op.Final
	t.wrote = t.wrote || writes
	var err error
	if !alone {
		calls = t.enclose(calls, writes, commits)
	}
	if len(calls) == 1 {
		err = t.query(ctx, calls[0])
	} else {
		err = t.send(ctx, calls)
	}
	if err != nil {
		return t.failed(ctx, op, err, commits)
	}
	if commits {
		t.done = true
		t.end()
	}
	return nil
}

// enclose adds what the transaction needs before and after the calls.
func (t *transaction) enclose(calls []call, writes, commits bool) []call {
	all := make([]call, 0, len(calls)+3)
	if !t.begun {
		all = append(all, call{sql: t.beginSQL()})
		t.begun = true
	}
	if writes && !t.deferred {
		all = append(all, call{sql: "SET CONSTRAINTS ALL DEFERRED"})
		t.deferred = true
	}
	all = append(all, calls...)
	if commits {
		all = append(all, call{sql: "COMMIT"})
	}
	return all
}

func (t *transaction) beginSQL() string {
	if t.opts.ReadOnly {
		return t.backend.begin[1]
	}
	return t.backend.begin[0]
}

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

// Commit is a round trip if anything happened that was not committed along with
// the last operation.
func (t *transaction) Commit(ctx context.Context) error {
	defer t.end()
	if t.done || !t.begun {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, t.undo(context.WithoutCancel(ctx)))
	}
	if t.conn.Conn().IsClosed() {
		return unavailable(pgconn.ErrConnClosed)
	}
	tag, err := t.conn.Exec(ctx, "COMMIT")
	switch {
	case err != nil:
		return t.failed(ctx, nil, err, true)
	case tag.String() == "ROLLBACK": // how COMMIT answers in a transaction that failed
		return errRolledBack
	}
	return nil
}

// Rollback undoes the transaction. If it failed because a sequence is behind, it
// then moves the sequence on, so that another try does not fail the same way.
func (t *transaction) Rollback(ctx context.Context) error {
	defer t.end()
	if t.conn == nil || t.conn.Conn().IsClosed() {
		return nil
	}
	if err := t.undo(ctx); err != nil {
		return err
	}
	if t.behind != nil {
		return t.behind.sequence.catchUp(ctx, t.conn.Conn(), t.behind)
	}
	return nil
}

func (t *transaction) undo(ctx context.Context) error {
	if t.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	_, err := t.conn.Exec(ctx, "ROLLBACK")
	return err
}
