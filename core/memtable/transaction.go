package memtable

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// transaction is a read-write transaction. From begin to finish it holds the store's write lock. It works on the tables
// of the snapshot that it began on, and on clones of the tables that it wrote to. A commit publishes them together.
type transaction struct {
	store    *Store
	base     *Snapshot // nil until begin
	current  *Snapshot // base until the first write
	checks   integrityChecks
	written  []writtenKey   // written records for the log; may contain a record several times
	explicit []explicitKeys // by resource index; nil if there are none
	ended    bool
}

var _ core.BackendTx = (*transaction)(nil)

// errLogFailed is used if Log.Failed returns nil after a failure.
var errLogFailed error = &core.Error{Code: core.Unavailable, Cause: errors.New("memtable: the log failed; no further writes are accepted")}

// begin acquires the store's write lock and takes the last commit as the base, durable or not. It does nothing if the
// transaction has begun.
func (t *transaction) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil || t.base != nil {
		return err
	}
	select {
	case t.store.writeLock <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.store.failed.Load() {
		<-t.store.writeLock
		return cmp.Or(t.store.log.Failed(), errLogFailed)
	}
	t.base = t.store.head
	t.current = t.base
	return nil
}

// unlock releases the store's write lock.
func (t *transaction) unlock() {
	if t.base != nil && !t.ended {
		t.ended = true
		<-t.store.writeLock
	}
}

// table returns the resource's table with the transaction's own writes.
func (t *transaction) table(r *core.Resource) table { return t.current.tables[r.Index()] }

// writable returns a table of the resource that the transaction may write to. It clones the table of the base first.
func (t *transaction) writable(r *core.Resource) table {
	if t.current == t.base {
		t.current = &Snapshot{model: t.base.model, tables: slices.Clone(t.base.tables)}
	}
	i := r.Index()
	if t.current.tables[i] == t.base.tables[i] {
		t.current.tables[i] = t.base.tables[i].clone()
	}
	return t.current.tables[i]
}

// Lock begins the transaction. Read-write transactions run one at a time, so that there is nothing else to lock.
func (t *transaction) Lock(ctx context.Context, _ []string) error { return t.begin(ctx) }

// Read answers a Load or a Select and sees the transaction's own writes.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.begin(ctx); err != nil {
		return core.Result{}, err
	}
	return t.current.Read(ctx, op)
}

// Count answers a Count and sees the transaction's own writes.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	return t.current.Count(ctx, op)
}

// Aggregate answers an Aggregate and sees the transaction's own writes.
func (t *transaction) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.begin(ctx); err != nil {
		return core.Result{}, err
	}
	return t.current.Aggregate(ctx, op)
}

// NextIDs generates keys. It does not wait for the write lock.
func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.nextKeys(op.Resource, op.N)
}

// Commit publishes the transaction's writes if they preserve integrity. Once the log has accepted them, the context has
// no effect any more.
//
// Errors: the context's; [core.NotFound], [core.StillReferenced] or [core.AlreadyExists] for broken integrity;
// [core.ErrClosed] with a log if the store was closed; the log's.
func (t *transaction) Commit(ctx context.Context) error {
	if err := t.publish(ctx); err != nil {
		t.current = t.base
		return cmp.Or(t.finish(), err)
	}
	return t.finish()
}

// publish makes the writes visible to the next writer and, once they are durable, to readers.
func (t *transaction) publish(ctx context.Context) error {
	if err := ctx.Err(); err != nil || t.current == t.base {
		return err
	}
	if err := t.checkIntegrity(); err != nil {
		return err
	}
	s, now := t.store, t.current
	if s.log == nil {
		t.advanceSequences()
		s.head = now
		s.committed.Store(now)
		return nil
	}
	s.closing.RLock() // Close must not compute the final positions between here and the end of Append
	defer s.closing.RUnlock()
	if s.finalPositions != nil {
		return core.ErrClosed
	}
	changes := t.changes()
	if changes.empty() {
		t.advanceSequences()
		t.current = t.base
		return nil
	}
	durable, err := s.log.Append(changes, func() { s.committed.Store(now) })
	if err == nil {
		t.advanceSequences()
		now.durable = durable
		s.head = now
	}
	return err
}

// finish releases the write lock and waits until the snapshot that the transaction read or wrote is durable, because the
// caller may report its content.
func (t *transaction) finish() error {
	t.unlock()
	if t.base == nil {
		return nil
	}
	err := t.current.waitDurable()
	if err == nil {
		return nil
	}
	t.store.failed.Store(true)
	if t.current == t.base { // without writes of its own the outcome is known
		return cmp.Or(t.store.log.Failed(), err)
	}
	return err
}

// Rollback discards the writes.
//
// Errors: the log's, if the snapshot that the transaction read was lost.
func (t *transaction) Rollback(context.Context) error {
	t.current = t.base
	return t.finish()
}
