package memtable

import (
	"context"
	"errors"
	"iter"
	"maps"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// Snapshot is the content of a store at one moment. It never changes, so it is
// also the read-only transaction on itself.
type Snapshot struct {
	model   *core.Model
	tables  []table      // by resource
	durable func() error // waits until it is shown; nil without a log and for the first one
}

var _ core.BackendTx = (*Snapshot)(nil)

var errReadOnly = errors.New("memtable: the transaction is read-only; begin a read-write transaction to write")

// Len returns how many records of the resource there are.
func (s *Snapshot) Len(r *core.Resource) int { return s.tables[r.Index()].size() }

// Records returns the records of the resource, ascending by key.
func (s *Snapshot) Records(r *core.Resource) iter.Seq[core.Record] {
	return func(yield func(core.Record) bool) {
		s.tables[r.Index()].scan(&queryPlan{field: r.Key(), intervals: []interval{everyValue}}, yield)
	}
}

// waitDurable waits until the snapshot is shown to readers.
//
// Errors: the log's, because of which it never will be.
func (s *Snapshot) waitDurable() error {
	if s.durable == nil {
		return nil
	}
	return s.durable()
}

// Read reads from the snapshot.
func (s *Snapshot) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := ctx.Err(); err != nil {
		return core.Result{}, err
	}
	return read(s.tables[op.Resource.Index()], op), nil
}

// Count counts in the snapshot.
func (s *Snapshot) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return count(s.tables[op.Resource.Index()], op), nil
}

// Insert is refused, and so are the other writes.
func (s *Snapshot) Insert(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Update is refused.
func (s *Snapshot) Update(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Delete is refused.
func (s *Snapshot) Delete(context.Context, *core.Op) error { return errReadOnly }

// NextIDs is refused.
func (s *Snapshot) NextIDs(context.Context, *core.Op) ([]core.Value, error) { return nil, errReadOnly }

// Commit has nothing to do.
func (s *Snapshot) Commit(ctx context.Context) error { return ctx.Err() }

// Rollback has nothing to do.
func (s *Snapshot) Rollback(context.Context) error { return nil }

// Data returns the snapshot as plain Go values, from which [seed.Records]
// makes the same records. Null fields and the sides of relations that are not
// stored are left out. The data is the caller's.
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
