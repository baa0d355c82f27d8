package postgres

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// transaction holds a connection from its first operation to its end. Statements
// travel together: BEGIN with the first one, COMMIT with the last one if it is
// known to be the last.
type transaction struct {
	backend       *binding
	opts          core.BackendTxOptions
	conn          *pgxpool.Conn
	begun         bool     // on the server
	wrote         bool     // or tried to
	deferred      bool     // constraints are
	done          bool     // committed along with an operation
	moreFollows   bool     // another statement of the same operation follows
	jsonWrite     *table   // whose write returns columns that may not be readable; nil if it does not
	replica       *replica // to read from; nil is the primary
	detached      map[reference]bool
	staleTable    *table            // whose sequence generated a key that was taken
	explicitKeys  map[*table]keySet // keys given to records, beyond the sequences
	generatedKeys map[*table]keySet // keys generated for the caller
}

var _ core.BackendTx = (*transaction)(nil)

var errRolledBack = errors.New("postgres: the server rolled the transaction back")

func (t *transaction) acquire(ctx context.Context) (err error) {
	switch {
	case t.conn != nil:
	case t.replica != nil:
		t.conn, err = t.replica.acquire(ctx)
	default:
		t.conn, err = t.backend.acquire(ctx)
		if err == nil {
			clearSyncRepWarning(t.conn.Conn())
		}
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
	if slices.ContainsFunc(calls, call.tooLarge) {
		return &core.Error{Code: core.BadRequest, Message: "the condition has too many values"}
	}
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	writes := op.Kind.Writes()
	for i := range calls {
		calls[i].readOnly = calls[i].readOnly || !writes
	}
	if t.replica != nil {
		if done, err := t.readReplica(ctx, op, calls); done {
			return err
		}
	}
	if err := t.acquire(ctx); err != nil {
		return err
	}
	if t.conn.Conn().IsClosed() {
		return unavailable(pgconn.ErrConnClosed)
	}
	alone := t.opts.Single && t.backend.autocommit && len(calls) == 1 && !t.begun && !t.moreFollows && !(writes && (t.backend.replicated() || len(t.explicitKeys) > 0))
	commits := alone || op.Final && !t.moreFollows && len(t.detached) == 0
	t.wrote = t.wrote || writes
	if !alone {
		calls = t.wrap(calls, writes, commits)
	}
	err := t.execute(ctx, calls)
	if _, unread := errors.AsType[*resultError](err); unread || err != nil && !t.done {
		return t.operationError(ctx, op, err, commits)
	}
	if commits {
		t.done = true
		t.noteCommit(err)
		err = t.syncRepError(ctx)
		t.end()
		return err
	}
	return nil
}

// execute sends the calls and reads what they return.
func (t *transaction) execute(ctx context.Context, calls []call) error {
	if len(calls) == 1 {
		return t.query(ctx, calls[0])
	}
	return t.send(ctx, calls)
}

// enclose adds what the transaction needs before and after the calls.
func (t *transaction) wrap(calls []call, writes, commits bool) []call {
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
		all = append(all, t.commitCalls()...)
	}
	return all
}

// commitCalls are what commits, and then for replicas asks how far the log has come and
// moves sequences.
func (t *transaction) commitCalls() []call {
	calls := []call{{sql: "COMMIT", read: func(rows pgx.Rows) error {
		rows.Close()
		if t.done = rows.CommandTag().String() == "COMMIT"; !t.done && rows.Err() == nil {
			return errRolledBack // how COMMIT answers in a transaction that failed: ROLLBACK
		}
		return rows.Err()
	}}}
	if t.wrote && t.backend.replicated() {
		calls = append(calls, t.backend.written.positionCall())
	}
	return append(calls, t.sequenceCalls()...)
}

// committed notes that what the transaction wrote is there, and that its position
// may not be known.
func (t *transaction) noteCommit(err error) {
	if err != nil {
		t.backend.written.noteUnknown()
	}
}

func (t *transaction) beginSQL() string {
	if t.opts.ReadOnly {
		return t.backend.begin[1]
	}
	return t.backend.begin[0]
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
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	if t.replica != nil {
		_ = t.undo(ctx) // all that was asked for was read
		return nil
	}
	if t.conn.Conn().IsClosed() {
		return unavailable(pgconn.ErrConnClosed)
	}
	if err := t.unresolvedReference(); err != nil {
		return errors.Join(err, t.undo(ctx))
	}
	err := t.execute(ctx, t.commitCalls())
	if err != nil && !t.done {
		return t.operationError(ctx, nil, err, true)
	}
	t.noteCommit(err)
	return t.syncRepError(ctx)
}

// Rollback undoes the transaction. If it failed because a sequence is behind, it
// then moves the sequence on, so that another try does not fail the same way. One that
// goes down has moved by one.
func (t *transaction) Rollback(ctx context.Context) error {
	defer t.end()
	if err := t.undo(ctx); err != nil {
		return err
	}
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	if t.staleTable != nil && t.staleTable.sequence != nil && t.conn != nil && !t.conn.Conn().IsClosed() {
		return t.staleTable.sequence.catchUp(ctx, t.conn.Conn(), t.staleTable)
	}
	return nil
}

func (t *transaction) undo(ctx context.Context) error {
	if t.conn == nil || t.conn.Conn().IsClosed() || t.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	_, err := t.conn.Exec(ctx, "ROLLBACK")
	return err
}

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
