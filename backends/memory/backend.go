package memory

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
	"github.com/larder-go/larder/core/seed"
)

// Backend stores records in memory. It is made by [New] or [NewWith], and belongs
// to one store.
type Backend struct {
	data  seed.Data       // to start with, until Bind
	store *memtable.Store // nil until Bind
}

var _ core.Backend = (*Backend)(nil)

// New returns an empty backend.
func New() *Backend { return NewWith(nil) }

// NewWith returns a backend that starts with data, which it does not keep.
// [seed.Parse] reads data from JSON. Data that breaks the model makes
// [core.New] fail with an error that names each record and field at fault.
func NewWith(data seed.Data) *Backend { return &Backend{data: data} }

var errBound = errors.New("memory: the backend is already bound to a store; create one backend per store")

// Bind takes the model and the data that the backend was made with.
//
// Errors: those of [seed.Records]; one for a backend that is in use
// already.
func (b *Backend) Bind(ctx context.Context, m *core.Model) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.store != nil {
		return errBound
	}
	records, err := seed.Records(m, b.data)
	if err != nil {
		return err
	}
	b.store = memtable.New(m, memtable.Content{Records: records}, nil)
	b.data = nil
	return nil
}

// Begin opens a transaction. A read-only one is the current snapshot. Another one
// waits until it is the only one that writes; with [core.BackendTxOptions.Single] it
// waits in its one operation instead, which is when it begins, so that handing
// out keys waits for nobody.
//
// Errors: [core.ErrClosed], the context's.
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	return b.store.Begin(ctx, opts)
}

// Ping reports whether transactions can begin.
//
// Errors: [core.ErrClosed], the context's.
func (b *Backend) Ping(ctx context.Context) error { return b.store.Ping(ctx) }

// KeySource is [core.DefaultKeySource].
func (b *Backend) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// Close makes every later Begin fail with [core.ErrClosed].
func (b *Backend) Close() error {
	if b.store != nil {
		b.store.Close()
	}
	return nil
}

// String names the backend in [core.Store.Describe].
func (b *Backend) String() string { return "memory" }

// Dump returns everything that is committed, for tests and for looking at it.
// [NewWith] takes it back. Null fields and the sides of relations that are not
// stored are left out; and it does not tell which keys were handed out beyond the
// largest one there is. The data is the caller's. Before the backend belongs to a
// store it is empty.
func (b *Backend) Dump() seed.Data {
	if b.store == nil {
		return make(seed.Data)
	}
	return b.store.Snapshot().Data()
}
