package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// transaction is a transaction on one connection. It takes the connection at its first operation and releases it at its
// end. BEGIN is sent together with the first statement, and COMMIT with the last one if the operation is marked Final.
type transaction struct {
	backend       *binding
	opts          core.BackendTxOptions
	conn          *pgxpool.Conn
	begun         bool     // BEGIN was sent
	wrote         bool     // a write was sent
	deferred      bool     // constraints are deferred, or need not be
	done          bool     // committed together with an operation
	moreFollows   bool     // the operation has further statements
	jsonWrite     *table   // table of a write that returns columns of jsonText; nil otherwise
	replica       *replica // for the reads; nil for the primary
	detached      map[reference]bool
	staleTable    *table            // its sequence has generated an existing key
	explicitKeys  map[*table]keySet // keys of inserted records that the sequence has not reached
	generatedKeys map[*table]keySet // keys that NextIDs has returned
	locks         []int64           // keys of advisory locks that the transaction holds
}

var _ core.BackendTx = (*transaction)(nil)

var errRolledBack = errors.New("postgres: the server rolled the transaction back")

// acquire takes a connection, unless the transaction has one.
func (t *transaction) acquire(ctx context.Context) (err error) {
	switch {
	case t.conn != nil:
	case t.replica != nil:
		t.conn, err = t.replica.acquire(ctx)
	default:
		t.conn, err = t.backend.acquire(ctx)
		if err == nil {
			clearWarnings(t.conn.Conn())
		}
	}
	return err
}

// end releases the connection. The pool closes a connection that is in a transaction or broken.
func (t *transaction) end() {
	if t.conn != nil {
		t.conn.Release()
		t.conn = nil
	}
}

// Lock takes advisory locks (manual, section 13.3.5). Every statement that takes an advisory lock also takes the
// snapshot. A transaction that has not begun therefore waits in a preceding one: that one takes the locks for the
// session, and ROLLBACK AND CHAIN ends it and begins the real one, which takes the locks for itself and returns those of
// the session. Between both there is no moment outside of transactions, so that PgBouncer cannot pass the session on to
// another client. If a statement fails, the session may still hold locks: only closing the connection releases all.
func (t *transaction) Lock(ctx context.Context, names []string) error {
	keys := slices.DeleteFunc(t.backend.lockKeys(names), func(key int64) bool { return slices.Contains(t.locks, key) })
	if err := ctx.Err(); err != nil || len(keys) == 0 {
		return err
	}
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	if err := t.acquire(ctx); err != nil {
		return err
	}
	t.locks = append(t.locks, keys...)
	if t.begun {
		return t.tryLock(ctx, keys)
	}
	t.begun = true
	err := t.execute(ctx, []call{
		{sql: t.beginSQL()},
		{sql: "SELECT pg_advisory_lock(k) FROM unnest($1::bigint[]) AS k", args: []any{keys}},
		{sql: "ROLLBACK AND CHAIN"},
		{sql: "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k", args: []any{keys}},
		{sql: "SELECT pg_advisory_unlock(k) FROM unnest($1::bigint[]) AS k", args: []any{keys}},
	})
	if err == nil {
		return nil
	}
	err = t.operationError(ctx, nil, err, false)
	_ = t.conn.Conn().Close(ctx)
	return err
}

// tryLock takes the locks without waiting, in a transaction that has its snapshot.
func (t *transaction) tryLock(ctx context.Context, keys []int64) error {
	var taken bool
	err := t.execute(ctx, []call{{
		sql: "SELECT bool_and(pg_try_advisory_xact_lock(k)) FROM unnest($1::bigint[]) AS k", args: []any{keys},
		read: func(rows pgx.Rows) error {
			_, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (struct{}, error) {
				return struct{}{}, row.Scan(&taken)
			})
			return err
		},
	}})
	switch {
	case err != nil:
		return t.operationError(ctx, nil, err, false)
	case !taken:
		return fmt.Errorf("%w: another transaction holds a lock that this one requests after its snapshot", core.ErrConflict)
	}
	return nil
}

// lockKeys returns the keys of advisory locks for names. The locks of two schemas differ.
func (b *Backend) lockKeys(names []string) []int64 {
	keys := make([]int64, len(names))
	for i, name := range names {
		sum := sha256.Sum256([]byte(b.schema + "\x00" + name))
		keys[i] = int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // all bits of the hash
	}
	return keys
}

// run executes the calls of one operation in one round trip.
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
	if _, isResultErr := errors.AsType[*resultError](err); isResultErr || err != nil && !t.done {
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

// execute sends the calls and reads their results.
func (t *transaction) execute(ctx context.Context, calls []call) error {
	if len(calls) == 1 {
		return t.query(ctx, calls[0])
	}
	return t.send(ctx, calls)
}

// wrap adds the statements that the transaction needs before and after the calls.
func (t *transaction) wrap(calls []call, writes, commits bool) []call {
	all := make([]call, 0, len(calls)+3)
	if !t.begun {
		all = append(all, t.backend.beginCalls(t.beginSQL())...)
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

// beginCalls returns the BEGIN. Behind a pooler, where sessions have no settings, the limit of statements follows.
func (b *Backend) beginCalls(begin string) []call {
	calls := []call{{sql: begin}}
	if b.opts.Bouncer {
		calls = append(calls, call{sql: "SET LOCAL statement_timeout = " + b.opts.statementTimeout()})
	}
	return calls
}

// commitCalls returns the COMMIT and the calls after it: with replicas, the query of the position in the log, and the
// calls that advance sequences.
func (t *transaction) commitCalls() []call {
	calls := []call{{sql: "COMMIT", read: func(rows pgx.Rows) error {
		rows.Close()
		if t.done = rows.CommandTag().String() == "COMMIT"; !t.done && rows.Err() == nil {
			return errRolledBack // COMMIT of a failed transaction reports ROLLBACK
		}
		return rows.Err()
	}}}
	if t.wrote && t.backend.replicated() {
		calls = append(calls, t.backend.written.positionCall())
	}
	return append(calls, t.sequenceCalls()...)
}

// noteCommit records a successful commit. An error means that the position of the commit is unknown.
func (t *transaction) noteCommit(err error) {
	if err != nil {
		t.backend.written.noteUnknown()
	}
}

func (t *transaction) beginSQL() string {
	if t.opts.ReadOnly {
		return t.backend.beginReadOnly
	}
	return t.backend.begin
}

// Commit commits the transaction. It takes a round trip unless nothing was sent or the last operation has committed.
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
		_ = t.undo(ctx) // a replica was only read
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

// Rollback undoes the transaction. If an Insert failed because the sequence was behind the table, Rollback advances the
// sequence, so that the next attempt gets another key. A descending sequence has already moved by one.
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

// undo sends ROLLBACK if the connection is in a transaction.
func (t *transaction) undo(ctx context.Context) error {
	if t.conn == nil || t.conn.Conn().IsClosed() || t.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	_, err := t.conn.Exec(ctx, "ROLLBACK")
	return err
}

// call is a statement and the function that reads its rows; nil to ignore them.
type call struct {
	sql  string
	args []any
	read func(rows pgx.Rows) error
	// readOnly is set for a call that only reads. Its failure is not caused by values of the client.
	readOnly bool
}

// tooLarge reports whether the call has more arguments than the protocol permits (manual, section 55.7, Bind).
func (c call) tooLarge() bool { return len(c.args) > math.MaxUint16 }

// query sends a single call.
func (t *transaction) query(ctx context.Context, c call) error {
	rows, err := t.conn.Query(ctx, c.sql, c.args...)
	if err != nil {
		return c.wrap(err)
	}
	return c.finish(rows)
}

// readError is an error of a call that only reads.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

// wrap marks the error of a call that only reads.
func (c call) wrap(err error) error {
	if c.readOnly {
		return &readError{err}
	}
	return err
}

// resultError is an error of reading the rows of a statement that succeeded.
type resultError struct{ error }

func (e *resultError) Unwrap() error { return e.error }

// finish reads all rows. An error of the statement takes precedence over an error of reading, which may be its
// consequence.
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

// send sends several calls together. If one fails, the server skips the later ones. If only the rows of one cannot be
// read, the later ones are executed, and their errors take precedence: one may be the commit.
func (t *transaction) send(ctx context.Context, calls []call) error {
	var resultErr *resultError
	batch := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(calls))}
	for _, c := range calls {
		batch.Queue(c.sql, c.args...).Fn = func(br pgx.BatchResults) error {
			rows, err := br.Query()
			if err != nil {
				return c.wrap(err)
			}
			err = c.finish(rows)
			if errors.As(err, &resultErr) {
				return nil
			}
			return err
		}
	}
	err := t.conn.SendBatch(ctx, batch).Close()
	if resultErr != nil && (err == nil || t.done) {
		return resultErr
	}
	return err
}
