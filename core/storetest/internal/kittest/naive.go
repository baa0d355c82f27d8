// Package kittest has helpers for the tests of the kits: a simple backend, a decorator, an observer, and a testing.TB that
// records failures.
package kittest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// Naive is a simple backend that keeps every promise. It holds records in maps. Each transaction copies all maps, and
// one transaction is open at a time. Tests replace single methods of it to break single promises.
type Naive struct {
	Model *core.Model
	Turn  chan struct{} // holds a token while a transaction is open
	Rows  []Rows        // by resource index
	Last  []int64       // the highest key that was generated, or chosen and committed; never decreases

	Closed atomic.Bool
}

// Rows are the records of one resource by key.
type Rows map[core.Value]core.Record

var _ core.Backend = (*Naive)(nil)

// Bind implements [core.Backend].
func (b *Naive) Bind(_ context.Context, m *core.Model) error {
	b.Model, b.Turn = m, make(chan struct{}, 1)
	if b.Rows == nil {
		b.Rows, b.Last = make([]Rows, len(m.Stored())), make([]int64, len(m.Stored()))
		for i := range b.Rows {
			b.Rows[i] = make(Rows)
		}
	}
	for i, r := range m.Stored() { // after a restart the model is another one
		for key, rec := range b.Rows[i] {
			values := make([]core.Value, rec.Len())
			for j := range values {
				values[j] = rec.At(j)
			}
			b.Rows[i][key] = r.RecordOf(values)
		}
	}
	return nil
}

// KeySource implements [core.Backend].
func (b *Naive) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// Begin implements [core.Backend]. It waits until the open transaction has ended.
func (b *Naive) Begin(ctx context.Context, _ core.BackendTxOptions) (core.BackendTx, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case b.Closed.Load():
		return nil, core.ErrClosed
	}
	select {
	case b.Turn <- struct{}{}:
		return b.Open(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Ping implements [core.Backend].
func (b *Naive) Ping(ctx context.Context) error {
	if b.Closed.Load() {
		return core.ErrClosed
	}
	return ctx.Err()
}

// Close implements [core.Backend].
func (b *Naive) Close() error {
	b.Closed.Store(true)
	return nil
}

// Open returns a transaction on copies of all maps.
func (b *Naive) Open() *NaiveTx {
	tx := &NaiveTx{Backend: b, Rows: make([]Rows, len(b.Rows)), Chosen: make([]map[int64]bool, len(b.Rows))}
	for i, all := range b.Rows {
		tx.Rows[i], tx.Chosen[i] = maps.Clone(all), make(map[int64]bool)
	}
	return tx
}

// NaiveTx is a transaction of [Naive].
type NaiveTx struct {
	Backend *Naive
	Rows    []Rows
	Chosen  []map[int64]bool // keys that inserts of the transaction set
}

// Of iterates over the records of a resource ascending by key, so that the same error is returned each time if several
// records violate a rule.
func (tx *NaiveTx) Of(r *core.Resource) iter.Seq[core.Record] {
	return func(yield func(core.Record) bool) {
		all := tx.Rows[r.Index()]
		for _, key := range core.SortKeys(slices.Collect(maps.Keys(all))) {
			if !yield(all[key]) {
				return
			}
		}
	}
}

// Matches reports whether the record matches the filter, which must be bound, with the related records of the transaction.
func (tx *NaiveTx) Matches(f core.Filter, rec core.Record) bool { return kit.Matches(f, rec, tx.Of) }

// Lock implements [core.BackendTx]. Transactions run one at a time.
func (tx *NaiveTx) Lock(ctx context.Context, _ []string) error { return ctx.Err() }

// Read implements [core.BackendTx].
func (tx *NaiveTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	res, err := reference.Read(tx.Of, op)
	return res, cmp.Or(err, ctx.Err())
}

// Count implements [core.BackendTx].
func (tx *NaiveTx) Count(ctx context.Context, op *core.Op) (int, error) {
	n, err := reference.Count(tx.Of, op)
	return n, cmp.Or(err, ctx.Err())
}

// Aggregate implements [core.BackendTx].
func (tx *NaiveTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	res, err := reference.Aggregate(tx.Of, op)
	return res, cmp.Or(err, ctx.Err())
}

// Insert implements [core.BackendTx].
func (tx *NaiveTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	r, all := op.Resource, tx.Rows[op.Resource.Index()]
	for _, rec := range op.Records {
		if rec.Key().Type() == core.Int && rec.Key().IsSet() {
			tx.Chosen[r.Index()][rec.Key().Int()] = true
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
			return nil, r.Key().AlreadyExistsWith(rec.Key())
		}
		rec = Nulls(rec)
		if !tx.Matches(op.Check, rec) {
			return nil, r.Forbidden()
		}
		all[rec.Key()], out[i] = rec, rec
	}
	return out, ctx.Err()
}

// Update implements [core.BackendTx].
func (tx *NaiveTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	all := tx.Rows[op.Resource.Index()]
	if err := tx.there(op); err != nil {
		return nil, err
	}
	out := make([]core.Record, len(op.Records))
	for i, patch := range op.Records {
		out[i] = op.AfterImage(i, all[patch.Key()])
		if !tx.Matches(op.Check, out[i]) {
			return nil, op.Resource.Forbidden()
		}
		all[patch.Key()] = out[i]
	}
	return out, ctx.Err()
}

// Delete implements [core.BackendTx].
func (tx *NaiveTx) Delete(ctx context.Context, op *core.Op) error {
	all := tx.Rows[op.Resource.Index()]
	if err := tx.there(op); err != nil {
		return err
	}
	for _, key := range op.Keys {
		delete(all, key)
	}
	return ctx.Err()
}

// there returns NotFound for the first key without a record, or with a record that does not match Using.
func (tx *NaiveTx) there(op *core.Op) error {
	for _, key := range op.Keys {
		if rec, ok := tx.Rows[op.Resource.Index()][key]; !ok || !tx.Matches(op.Using, rec) {
			return op.Resource.NotFound(key)
		}
	}
	return nil
}

// NextIDs implements [core.BackendTx].
func (tx *NaiveTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	keys := make([]core.Value, op.N)
	for i := range keys {
		var err error
		if keys[i], err = tx.nextID(op.Resource); err != nil {
			return nil, err
		}
	}
	return keys, ctx.Err()
}

func (tx *NaiveTx) nextID(r *core.Resource) (core.Value, error) {
	if core.DefaultKeySource(r).Assigned {
		return core.Value{}, r.NoNextKey()
	}
	if r.Key().Type() == core.UUID {
		return core.NewUUID(), nil
	}
	for {
		tx.Backend.Last[r.Index()]++
		if key := tx.Backend.Last[r.Index()]; !tx.Chosen[r.Index()][key] {
			return core.IntValue(key), nil
		}
	}
}

// Commit implements [core.BackendTx].
func (tx *NaiveTx) Commit(ctx context.Context) error {
	defer func() { <-tx.Backend.Turn }()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := tx.Check()
	if err == nil {
		tx.Follow()
		tx.Backend.Rows = tx.Rows
	}
	return err
}

// Follow moves key generation past the keys that the committed transaction chose.
func (tx *NaiveTx) Follow() {
	for i, keys := range tx.Chosen {
		for key := range keys {
			tx.Backend.Last[i] = max(tx.Backend.Last[i], key)
		}
	}
}

// Check returns the integrity error of a commit, or nil.
func (tx *NaiveTx) Check() error {
	for _, r := range tx.Backend.Model.Resources() {
		for _, f := range r.References() {
			for rec := range tx.Of(r) {
				key, target := rec.At(f.Column()), f.Target()
				if _, there := tx.Rows[target.Index()][key]; there || key.IsNull() || f.Keeps() {
					continue
				}
				if _, was := tx.Backend.Rows[target.Index()][key]; was {
					return f.StillReferenced()
				}
				return target.NotFound(key)
			}
		}
	}
	return reference.CheckIntegrity(tx.Backend.Model, tx.Of)
}

// Rollback implements [core.BackendTx].
func (tx *NaiveTx) Rollback(context.Context) error {
	<-tx.Backend.Turn
	return nil
}

// Nulls returns the record with null in each absent column.
func Nulls(rec core.Record) core.Record {
	for c := range rec.Len() {
		if rec.At(c).IsAbsent() {
			rec = rec.With(c, core.Null)
		}
	}
	return rec
}

// Reopen returns a backend with the same records and the last generated keys, as after a restart.
func (b *Naive) Reopen() core.Backend { return &Naive{Rows: b.Rows, Last: b.Last} }

// OpenNaive is the factory of [Naive].
func OpenNaive(testing.TB, *core.Model) core.Backend { return new(Naive) }
