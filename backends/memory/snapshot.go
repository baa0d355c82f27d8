package memory

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

// snapshot is the content of the store at one moment, by resource. Once
// published it never changes, so it is also the read-only transaction on itself.
type snapshot struct {
	tables []table
}

var _ core.BackendTx = (*snapshot)(nil)

var errReadOnly = errors.New("memory: write in a read-only transaction")

// Read reads from the snapshot.
func (s *snapshot) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := ctx.Err(); err != nil {
		return core.Result{}, err
	}
	return read(s.tables[op.Resource.Index()], op), nil
}

// Count counts in the snapshot.
func (s *snapshot) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return count(s.tables[op.Resource.Index()], op), nil
}

// Insert is refused, and so are the other writes.
func (s *snapshot) Insert(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Update is refused.
func (s *snapshot) Update(context.Context, *core.Op) ([]core.Record, error) { return nil, errReadOnly }

// Delete is refused.
func (s *snapshot) Delete(context.Context, *core.Op) error { return errReadOnly }

// NextIDs is refused.
func (s *snapshot) NextIDs(context.Context, *core.Op) ([]core.Value, error) { return nil, errReadOnly }

// Commit has nothing to do.
func (s *snapshot) Commit(ctx context.Context) error { return ctx.Err() }

// Rollback has nothing to do.
func (s *snapshot) Rollback(context.Context) error { return nil }
