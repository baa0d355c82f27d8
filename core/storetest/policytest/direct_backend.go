package policytest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// directBackend is a backend that the kit also reads and fills directly, past the store and its decorators.
type directBackend struct {
	core.Backend

	model *core.Model
}

func (d *directBackend) Bind(ctx context.Context, m *core.Model) error {
	d.model = m
	return d.Backend.Bind(ctx, m)
}

// rows are the records of a store by resource index, ascending by key.
type rows [][]core.Record

// with returns a state in which the records take the place of those with the same keys.
func (all rows) with(recs ...core.Record) rows {
	after := slices.Clone(all)
	for i := range after {
		of := slices.DeleteFunc(slices.Clone(recs), func(rec core.Record) bool { return rec.Resource().Index() != i })
		if len(of) == 0 {
			continue
		}
		after[i] = slices.Concat(all.without(of...)[i], of)
		slices.SortFunc(after[i], func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	}
	return after
}

// without returns a state without the records with these keys.
func (all rows) without(recs ...core.Record) rows {
	after := slices.Clone(all)
	for _, rec := range recs {
		i := rec.Resource().Index()
		after[i] = slices.DeleteFunc(slices.Clone(after[i]), func(row core.Record) bool { return row.Key() == rec.Key() })
	}
	return after
}

// of returns the records of the resource; it is a [reference.Records].
func (all rows) of(r *core.Resource) iter.Seq[core.Record] { return slices.Values(all[r.Index()]) }

// read returns every stored record.
func (d *directBackend) read(ctx context.Context) (all rows, err error) {
	err = d.tx(ctx, func(tx core.BackendTx) error {
		all, err = d.readIn(ctx, tx)
		return err
	})
	return all, err
}

// replace deletes all records and inserts these.
func (d *directBackend) replace(ctx context.Context, all rows) error {
	return d.tx(ctx, func(tx core.BackendTx) error {
		old, err := d.readIn(ctx, tx)
		if err != nil {
			return err
		}
		for i, r := range d.model.Resources() {
			if keys := kit.KeysOf(old[i]); len(keys) > 0 {
				if err := tx.Delete(ctx, &core.Op{Kind: core.Delete, Resource: r, Keys: keys}); err != nil {
					return err
				}
			}
			if len(all[i]) == 0 {
				continue
			}
			if _, err := tx.Insert(ctx, &core.Op{Kind: core.Insert, Resource: r, Records: all[i]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// consumeKey inserts and deletes a record with the key in each resource with keys of its type, so that all keys
// generated later are greater.
func (d *directBackend) consumeKey(ctx context.Context, key core.Value) error {
	return d.tx(ctx, func(tx core.BackendTx) error {
		for _, r := range d.model.Resources() {
			if r.Key().Type() != key.Type() {
				continue
			}
			row := kit.WithDefaults(r.RecordOf(make([]core.Value, len(r.Columns())))).With(r.Key().Column(), key)
			if _, err := tx.Insert(ctx, &core.Op{Kind: core.Insert, Resource: r, Records: []core.Record{row}}); err != nil {
				return err
			}
			if err := tx.Delete(ctx, &core.Op{Kind: core.Delete, Resource: r, Keys: []core.Value{key}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *directBackend) readIn(ctx context.Context, tx core.BackendTx) (rows, error) {
	all := make(rows, len(d.model.Resources()))
	for i, r := range d.model.Resources() {
		res, err := tx.Read(ctx, &core.Op{Kind: core.Select, Resource: r, Order: []core.Order{{Field: r.Key()}}})
		if err != nil {
			return nil, err
		}
		all[i] = res.Records
	}
	return all, nil
}

// tx runs fn in a transaction of the backend and repeats it after a conflict.
func (d *directBackend) tx(ctx context.Context, fn func(tx core.BackendTx) error) (err error) {
	for range kit.ManyAttempts {
		if err = d.try(ctx, fn); !errors.Is(err, core.ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("directly on the backend: %w", err)
	}
	return nil
}

func (d *directBackend) try(ctx context.Context, fn func(tx core.BackendTx) error) error {
	tx, err := d.Begin(ctx, core.BackendTxOptions{})
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback(ctx))
	}
	return tx.Commit(ctx)
}
