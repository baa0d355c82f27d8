package memory

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// Backend stores records in memory. It is made by [New] or [NewWith], and belongs
// to one store.
type Backend struct {
	model     *core.Model
	data      core.Data                // to start with, until Bind
	sequences []sequence               // by resource
	committed atomic.Pointer[snapshot] // nil until Bind
	writer    chan struct{}            // holds one element while a transaction writes
	closed    atomic.Bool
}

var _ core.Backend = (*Backend)(nil)

// New returns an empty backend.
func New() *Backend { return NewWith(nil) }

// NewWith returns a backend that starts with data, which it does not keep.
// [core.ParseData] reads data from JSON. Data that breaks the model makes
// [core.New] fail with an error that names each record and field at fault.
func NewWith(data core.Data) *Backend {
	return &Backend{data: data, writer: make(chan struct{}, 1)}
}

var errBound = errors.New("memory: backend already belongs to a store")

// Bind takes the model and the data that the backend was made with.
//
// Errors: those of [core.Model.Records]; one for a backend that is in use
// already.
func (b *Backend) Bind(ctx context.Context, m *core.Model) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.committed.Load() != nil {
		return errBound
	}
	records, err := m.Records(b.data)
	if err != nil {
		return err
	}
	first := &snapshot{tables: make([]table, len(records))}
	b.sequences = make([]sequence, len(records))
	for i, r := range m.Resources() {
		first.tables[i] = newTable(r)
		for _, rec := range records[i] {
			first.tables[i].put(core.Record{}, rec)
			b.sequences[i].follow(rec.Key())
		}
	}
	b.model, b.data = m, nil
	b.committed.Store(first)
	return nil
}

// Begin opens a transaction. A read-only one is the current snapshot. Another one
// waits until it is the only one that writes; with [core.TxOptions.Single] it
// waits in its one operation instead, which is when it begins, so that handing
// out keys waits for nobody.
//
// Errors: [core.ErrClosed], the context's.
func (b *Backend) Begin(ctx context.Context, opts core.TxOptions) (core.BackendTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.closed.Load() {
		return nil, core.ErrClosed
	}
	if opts.ReadOnly {
		return b.committed.Load(), nil
	}
	tx := &transaction{backend: b}
	if opts.Single {
		return tx, nil
	}
	if err := tx.open(ctx); err != nil {
		return nil, err
	}
	return tx, nil
}

// Close makes every later Begin fail with [core.ErrClosed].
func (b *Backend) Close() error {
	b.closed.Store(true)
	return nil
}

// String names the backend in [core.Store.Describe].
func (b *Backend) String() string { return "memory" }
