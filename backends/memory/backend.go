package memory

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
	"github.com/larder-go/larder/core/seed"
)

// Backend stores records in memory. Create one with [New] or [NewWith]. A backend can be bound to one store only. It is
// safe for concurrent use once it is bound.
type Backend struct {
	data  seed.Data       // initial content; nil after Bind
	store *memtable.Store // nil until Bind
}

var _ core.Backend = (*Backend)(nil)

// New returns an empty backend.
func New() *Backend { return NewWith(nil) }

// NewWith returns a backend with initial data, which is converted when [core.New] binds the backend. The caller must not
// change the data before. [seed.Parse] reads data from JSON. If the data does not fit the model, [core.New] fails with
// an error that names at most 20 offending records and fields.
func NewWith(data seed.Data) *Backend { return &Backend{data: data} }

var errBound = errors.New("memory: the backend is already bound to a store; create one backend per store")

// Bind creates the store for the model from the initial data. [core.New] calls it.
//
// Errors: the errors of [seed.Records]; an error if the backend is already bound; the context's.
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

// Begin opens a transaction. A read-only transaction is the current snapshot and never waits. A read-write transaction
// waits until no other one is open. With [core.BackendTxOptions.Single] that wait is part of its only operation, so that
// generating keys never waits.
//
// Errors: [core.ErrClosed]; the context's.
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	return b.store.Begin(ctx, opts)
}

// Ping reports whether transactions can begin.
//
// Errors: [core.ErrClosed]; the context's.
func (b *Backend) Ping(ctx context.Context) error { return b.store.Ping(ctx) }

// KeySource returns [core.DefaultKeySource].
func (b *Backend) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// Close makes every later Begin fail with [core.ErrClosed]. It always returns nil.
func (b *Backend) Close() error {
	if b.store != nil {
		b.store.Close()
	}
	return nil
}

// String returns the name of the backend in [core.Store.Describe].
func (b *Backend) String() string { return "memory" }

// Dump returns all committed records, for tests and debugging. [NewWith] accepts the result. Null fields and sides of
// relations that are not stored are left out, and so are the positions of key sequences: a backend created from a dump
// generates keys above the largest dumped key. Before the backend is bound, the result is empty. The caller owns the
// result.
func (b *Backend) Dump() seed.Data {
	if b.store == nil {
		return make(seed.Data)
	}
	return b.store.Snapshot().Data()
}
