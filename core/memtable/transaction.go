package memtable

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// transaction is a read-write transaction: from open to its end the only one that
// may change tables. It works on tables of the current snapshot and on clones of
// those that it wrote to, which a commit publishes together.
type transaction struct {
	store    *Store
	base     *Snapshot // nil until open
	current  *Snapshot // base until the first write
	checks   integrityChecks
	written  []writtenKey   // for the log, repetitions included
	explicit []explicitKeys // by resource; nil if there are none
	ended    bool
}

var _ core.BackendTx = (*transaction)(nil)

// errLogFailed is for a log that does not say why it failed.
var errLogFailed error = &core.Error{Code: core.Unavailable, Cause: errors.New("memtable: the log failed; no further writes are accepted")}

// begin waits until the transaction is the only writer and takes what the last one
// left, whether it is shown already or not.
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

// unlock lets the next writer go on.
func (t *transaction) unlock() {
	if t.base != nil && !t.ended {
		t.ended = true
		<-t.store.writeLock
	}
}

// table returns the resource's table as the transaction sees it.
func (t *transaction) table(r *core.Resource) table { return t.current.tables[r.Index()] }

// writable returns the resource's table as one that may be written to.
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

// Read reads what is committed and what the transaction itself wrote.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.begin(ctx); err != nil {
		return core.Result{}, err
	}
	return t.current.Read(ctx, op)
}

// Count counts as Read reads.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	return t.current.Count(ctx, op)
}

// NextIDs needs no turn as the writer.
func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.nextKeys(op.Resource, op.N)
}

// Commit publishes what the transaction wrote unless it breaks integrity. Once the
// log was told, the context has no influence any more.
func (t *transaction) Commit(ctx context.Context) error {
	if err := t.publish(ctx); err != nil {
		t.current = t.base
		return cmp.Or(t.finish(), err)
	}
	return t.finish()
}

// publish shows what the transaction wrote to the next writer and, when the log
// says so, to readers.
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
	s.closing.RLock() // what is appended is in the final positions
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

// finish ends the transaction and waits until what it saw or made is shown: an
// answer may tell of it.
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
	if t.current == t.base { // it wrote nothing itself, so nothing of it can have come to be
		return cmp.Or(t.store.log.Failed(), err)
	}
	return err
}

// Rollback drops what the transaction wrote.
//
// Errors: the log's, if what the transaction saw never came to be.
func (t *transaction) Rollback(context.Context) error {
	t.current = t.base
	return t.finish()
}
