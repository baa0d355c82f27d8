package main

import (
	"context"
	"iter"
	"maps"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

// backend keeps the records of each resource in a map. A transaction works on copies of the maps, and transactions run one
// at a time, which makes them serializable.
type backend struct {
	model  *core.Model
	turn   chan struct{} // holds one element while a transaction is open
	rows   []rows        // by index of the resource
	keys   []reference.Sequence
	closed atomic.Bool
}

type rows = map[core.Value]core.Record

func (b *backend) Bind(_ context.Context, m *core.Model) error {
	b.model, b.turn = m, make(chan struct{}, 1)
	b.rows, b.keys = make([]rows, len(m.Stored())), make([]reference.Sequence, len(m.Stored()))
	for i := range b.rows {
		b.rows[i] = make(rows)
	}
	return nil
}

func (b *backend) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

func (b *backend) Begin(ctx context.Context, _ core.BackendTxOptions) (core.BackendTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if b.closed.Load() {
		<-b.turn
		return nil, core.ErrClosed
	}
	tx := &transaction{backend: b, rows: make([]rows, len(b.rows))}
	for i, all := range b.rows {
		tx.rows[i] = maps.Clone(all)
	}
	return tx, nil
}

func (b *backend) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return core.ErrClosed
	}
	return ctx.Err()
}

func (b *backend) Close() error {
	b.closed.Store(true)
	return nil
}

// transaction works on its own maps until it commits. Functions of the core apply each operation to the maps.
type transaction struct {
	backend *backend
	rows    []rows
}

func (tx *transaction) of(r *core.Resource) iter.Seq[core.Record] {
	return maps.Values(tx.rows[r.Index()])
}

// Lock has nothing to do: transactions run one at a time.
func (tx *transaction) Lock(ctx context.Context, _ []string) error { return ctx.Err() }

// unlessEnded calls the function unless the context has ended.
func unlessEnded[T any](ctx context.Context, do func() (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	return do()
}

func (tx *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	return unlessEnded(ctx, func() (core.Result, error) { return reference.Read(tx.of, op) })
}

func (tx *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	return unlessEnded(ctx, func() (int, error) { return reference.Count(tx.of, op) })
}

func (tx *transaction) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	return unlessEnded(ctx, func() (core.Result, error) { return reference.Aggregate(tx.of, op) })
}

func (tx *transaction) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := op.Resource.Index()
	return reference.Insert(tx.rows[i], op, &tx.backend.keys[i])
}

func (tx *transaction) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	return unlessEnded(ctx, func() ([]core.Record, error) { return reference.Update(tx.rows[op.Resource.Index()], tx.of, op) })
}

func (tx *transaction) Delete(ctx context.Context, op *core.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return reference.Delete(tx.rows[op.Resource.Index()], tx.of, op)
}

func (tx *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	return unlessEnded(ctx, func() ([]core.Value, error) { return tx.backend.keys[op.Resource.Index()].Next(op.Resource, op.N) })
}

func (tx *transaction) Commit(ctx context.Context) (err error) {
	defer func() { tx.end(err == nil) }()
	if err := ctx.Err(); err != nil {
		return err
	}
	before := func(r *core.Resource) iter.Seq[core.Record] { return maps.Values(tx.backend.rows[r.Index()]) }
	if err := reference.CheckCommit(tx.backend.model, before, tx.of); err != nil {
		return err
	}
	tx.backend.rows = tx.rows
	return nil
}

func (tx *transaction) Rollback(context.Context) error {
	tx.end(false)
	return nil
}

// end lets the next transaction begin. A key that a client chose moves the generator only after a commit: a rejected insert
// must not change the keys of other clients.
func (tx *transaction) end(committed bool) {
	for i := range tx.backend.keys {
		tx.backend.keys[i].End(committed)
	}
	<-tx.backend.turn
}
