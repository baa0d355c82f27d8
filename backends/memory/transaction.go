package memory

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// transaction is a read-write transaction: from open to its end the only one that
// may change tables. It works on tables of the current snapshot and on clones of
// those that it wrote to, which a commit publishes together.
type transaction struct {
	backend *Backend
	base    *snapshot // nil until open
	now     *snapshot // base until the first write
	writes  writes
}

var _ core.BackendTx = (*transaction)(nil)

// open waits until the transaction is the only writer and takes the current
// snapshot.
func (t *transaction) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil || t.base != nil {
		return err
	}
	select {
	case t.backend.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	t.base = t.backend.committed.Load()
	t.now = t.base
	return nil
}

// end lets the next writer go on.
func (t *transaction) end() {
	if t.base != nil {
		<-t.backend.writer
	}
}

// table returns the resource's table as the transaction sees it.
func (t *transaction) table(r *core.Resource) table { return t.now.tables[r.Index()] }

// writable returns the resource's table as one that may be written to.
func (t *transaction) writable(r *core.Resource) table {
	if t.now == t.base {
		t.now = &snapshot{tables: slices.Clone(t.base.tables)}
	}
	i := r.Index()
	if t.now.tables[i] == t.base.tables[i] {
		t.now.tables[i] = t.base.tables[i].clone()
	}
	return t.now.tables[i]
}

// Read reads what is committed and what the transaction itself wrote.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.open(ctx); err != nil {
		return core.Result{}, err
	}
	return t.now.Read(ctx, op)
}

// Count counts as Read reads.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.open(ctx); err != nil {
		return 0, err
	}
	return t.now.Count(ctx, op)
}

// NextIDs needs no turn as the writer.
func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.backend.nextKeys(op.Resource, op.N)
}

// Commit publishes what the transaction wrote unless it breaks integrity.
func (t *transaction) Commit(ctx context.Context) error {
	defer t.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.now == t.base {
		return nil
	}
	if err := t.checkIntegrity(); err != nil {
		return err
	}
	t.backend.committed.Store(t.now)
	return nil
}

// Rollback drops what the transaction wrote.
func (t *transaction) Rollback(context.Context) error {
	t.end()
	return nil
}
