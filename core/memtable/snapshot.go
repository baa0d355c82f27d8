package memtable

import (
	"context"
	"errors"
	"iter"
	"maps"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// Snapshot is the immutable state of a store at one moment. It is also the read-only transaction on that state, and is
// safe for concurrent use.
type Snapshot struct {
	model   *core.Model
	tables  []table      // by resource index
	durable func() error // waits until the log has made the snapshot durable; nil without a log and for the initial snapshot
}

var _ core.BackendTx = (*Snapshot)(nil)

var errReadOnly = errors.New("memtable: the transaction is read-only; begin a read-write transaction to write")

// Len returns the number of records of the resource.
func (s *Snapshot) Len(r *core.Resource) int { return s.tables[r.Index()].size() }

// Records yields the records of the resource, ascending by key.
func (s *Snapshot) Records(r *core.Resource) iter.Seq[core.Record] {
	return func(yield func(core.Record) bool) {
		s.tables[r.Index()].scan(&queryPlan{field: r.Key(), intervals: []interval{everyValue}}, yield)
	}
}

// waitDurable returns when the snapshot is durable and visible to readers, or with the log's error if it never will be.
func (s *Snapshot) waitDurable() error {
	if s.durable == nil {
		return nil
	}
	return s.durable()
}

// Read answers a Load or a Select.
//
// Errors: the context's.
func (s *Snapshot) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := ctx.Err(); err != nil {
		return core.Result{}, err
	}
	return read(ctx, s.tables, op)
}

// Count answers a Count.
//
// Errors: the context's.
func (s *Snapshot) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return count(ctx, s.tables, op)
}

// Aggregate answers an Aggregate.
//
// Errors: the context's; those of [core.Groups.Result].
func (s *Snapshot) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := ctx.Err(); err != nil {
		return core.Result{}, err
	}
	return aggregate(ctx, s.tables, op)
}

// Lock fails: a read-only transaction takes no locks.
func (s *Snapshot) Lock(context.Context, []string) error { return errReadOnly }

// Insert fails: the transaction is read-only.
func (s *Snapshot) Insert(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Update fails: the transaction is read-only.
func (s *Snapshot) Update(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Delete fails: the transaction is read-only.
func (s *Snapshot) Delete(context.Context, *core.Op) error { return errReadOnly }

// NextIDs fails: the transaction is read-only.
func (s *Snapshot) NextIDs(context.Context, *core.Op) ([]core.Value, error) { return nil, errReadOnly }

// Commit does nothing but report the context's error.
func (s *Snapshot) Commit(ctx context.Context) error { return ctx.Err() }

// Rollback does nothing.
func (s *Snapshot) Rollback(context.Context) error { return nil }

// Data returns all records as plain Go values, from which [seed.Records] builds the same records again. Null
// fields and sides of relations that are not stored are left out. The caller owns the result.
func (s *Snapshot) Data() seed.Data {
	data := make(seed.Data)
	for _, r := range s.model.Resources() {
		records := make(map[any]map[string]any, s.Len(r))
		for rec := range s.Records(r) {
			fields := rec.Map()
			maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
			records[rec.Key().Any()] = fields
		}
		data[r.Name()] = records
	}
	return data
}
