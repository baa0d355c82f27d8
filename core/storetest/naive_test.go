package storetest_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

// naive is the simplest backend that keeps every promise: maps, copied by every
// transaction, of which one is open at a time.
type naive struct {
	model *core.Model
	turn  chan struct{} // taken by the open transaction
	rows  []rows        // by index of the resource
	last  []int64       // the highest key that was generated, or chosen and committed; never goes back

	closed atomic.Bool
}

type rows map[core.Value]core.Record

var _ core.Backend = (*naive)(nil)

func (b *naive) Bind(_ context.Context, m *core.Model) error {
	b.model, b.turn = m, make(chan struct{}, 1)
	if b.rows == nil {
		b.rows, b.last = make([]rows, len(m.Resources())), make([]int64, len(m.Resources()))
		for i := range b.rows {
			b.rows[i] = make(rows)
		}
	}
	return nil
}

func (b *naive) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

func (b *naive) Begin(ctx context.Context, _ core.BackendTxOptions) (core.BackendTx, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case b.closed.Load():
		return nil, core.ErrClosed
	}
	select {
	case b.turn <- struct{}{}:
		return b.open(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (b *naive) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return core.ErrClosed
	}
	return ctx.Err()
}

func (b *naive) Close() error {
	b.closed.Store(true)
	return nil
}

// open returns a transaction on a copy of everything.
func (b *naive) open() *naiveTx {
	tx := &naiveTx{backend: b, rows: make([]rows, len(b.rows)), chosen: make([]map[int64]bool, len(b.rows))}
	for i, all := range b.rows {
		tx.rows[i], tx.chosen[i] = maps.Clone(all), make(map[int64]bool)
	}
	return tx
}

type naiveTx struct {
	backend *naive
	rows    []rows
	chosen  []map[int64]bool // keys that the transaction gave to records itself
}

// of goes by key, so that of several mistakes the same one is always told.
func (tx *naiveTx) of(r *core.Resource) iter.Seq[core.Record] {
	return func(yield func(core.Record) bool) {
		all := tx.rows[r.Index()]
		for _, key := range core.SortKeys(slices.Collect(maps.Keys(all))) {
			if !yield(all[key]) {
				return
			}
		}
	}
}

func (tx *naiveTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	return reference.Read(tx.of(op.Resource), op), ctx.Err()
}

func (tx *naiveTx) Count(ctx context.Context, op *core.Op) (int, error) {
	return reference.Count(tx.of(op.Resource), op), ctx.Err()
}

func (tx *naiveTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	r, all := op.Resource, tx.rows[op.Resource.Index()]
	for _, rec := range op.Records {
		if rec.Key().Type() == core.Int && rec.Key().IsSet() {
			tx.chosen[r.Index()][rec.Key().Int()] = true
		}
	}
	out := make([]core.Record, len(op.Records))
	for i, rec := range op.Records {
		if rec.Key().IsAbsent() {
			key, err := tx.nextID(r)
			if err != nil {
				return nil, err
			}
			rec = rec.With(r.Key().Column(), key)
		}
		if _, taken := all[rec.Key()]; taken {
			return nil, r.Key().AlreadyExists()
		}
		rec = nulls(rec)
		if !op.Check.Match(rec) {
			return nil, r.Forbidden()
		}
		all[rec.Key()], out[i] = rec, rec
	}
	return out, ctx.Err()
}

func (tx *naiveTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	all := tx.rows[op.Resource.Index()]
	if err := tx.there(op); err != nil {
		return nil, err
	}
	out := make([]core.Record, len(op.Records))
	for i, patch := range op.Records {
		out[i] = all[patch.Key()].Merge(patch)
		if !op.Check.Match(out[i]) {
			return nil, op.Resource.Forbidden()
		}
		all[patch.Key()] = out[i]
	}
	return out, ctx.Err()
}

func (tx *naiveTx) Delete(ctx context.Context, op *core.Op) error {
	all := tx.rows[op.Resource.Index()]
	if err := tx.there(op); err != nil {
		return err
	}
	for _, key := range op.Keys {
		delete(all, key)
	}
	return ctx.Err()
}

// there answers for the first key that is not there or hidden.
func (tx *naiveTx) there(op *core.Op) error {
	for _, key := range op.Keys {
		if rec, ok := tx.rows[op.Resource.Index()][key]; !ok || !op.Using.Match(rec) {
			return op.Resource.NotFound(key)
		}
	}
	return nil
}

func (tx *naiveTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	keys := make([]core.Value, op.N)
	for i := range keys {
		var err error
		if keys[i], err = tx.nextID(op.Resource); err != nil {
			return nil, err
		}
	}
	return keys, ctx.Err()
}

func (tx *naiveTx) nextID(r *core.Resource) (core.Value, error) {
	if core.DefaultKeySource(r).Assigned {
		return core.Value{}, r.NoNextKey()
	}
	if r.Key().Type() == core.UUID {
		return core.NewUUID(), nil
	}
	for {
		tx.backend.last[r.Index()]++
		if key := tx.backend.last[r.Index()]; !tx.chosen[r.Index()][key] {
			return core.IntValue(key), nil
		}
	}
}

func (tx *naiveTx) Commit(ctx context.Context) error {
	defer func() { <-tx.backend.turn }()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := tx.check()
	if err == nil {
		tx.follow()
		tx.backend.rows = tx.rows
	}
	return err
}

// follow makes keys go on behind those that the transaction chose. It has committed.
func (tx *naiveTx) follow() {
	for i, keys := range tx.chosen {
		for key := range keys {
			tx.backend.last[i] = max(tx.backend.last[i], key)
		}
	}
}

// check returns the error that a commit owes.
func (tx *naiveTx) check() error {
	for _, r := range tx.backend.model.Resources() {
		for _, f := range r.References() {
			for rec := range tx.of(r) {
				key, target := rec.At(f.Column()), f.Target()
				if _, there := tx.rows[target.Index()][key]; there || key.IsNull() {
					continue
				}
				if _, was := tx.backend.rows[target.Index()][key]; was {
					return f.StillReferenced()
				}
				return target.NotFound(key)
			}
		}
	}
	return reference.CheckIntegrity(tx.backend.model, tx.of)
}

func (tx *naiveTx) Rollback(context.Context) error {
	<-tx.backend.turn
	return nil
}

// nulls returns the record with null for what is absent.
func nulls(rec core.Record) core.Record {
	for c := range rec.Len() {
		if rec.At(c).IsAbsent() {
			rec = rec.With(c, core.Null)
		}
	}
	return rec
}
