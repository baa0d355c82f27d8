package softdelete

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// restoring is the restore of records with their dependants.
type restoring struct {
	*keeper

	op *core.Op
}

// restore sets the field to null in the records of a Restore, and in the dependants that were deleted with them.
func (k *keeper) restore(ctx context.Context, op *core.Op) (core.Result, error) {
	return op.InTx(ctx, k.next, func(ctx context.Context, op *core.Op) (core.Result, error) {
		return restoring{k, op}.restore(ctx)
	})
}

func (r restoring) restore(ctx context.Context) (core.Result, error) {
	op := r.op
	of := &r.resources[op.Resource.Index()]
	load := op.Derive(core.Load, op.Resource)
	load.Principal, load.Keys, load.Using = program, op.Keys, core.And(op.Using, of.deleted)
	found, err := r.next(ctx, load)
	if err != nil {
		return core.Result{}, err
	}
	for i, key := range op.Keys {
		if i >= len(found.Records) || found.Records[i].Key() != key {
			return core.Result{}, op.Resource.NotFound(key)
		}
	}
	orphans, err := r.orphans(ctx, found.Records)
	if err != nil {
		return core.Result{}, err
	}
	for _, rec := range found.Records {
		if f := orphans[rec.Key()]; f != nil {
			return core.Result{}, f.Target().NotFound(rec.At(f.Column()))
		}
	}
	update := *op
	update.Kind, update.Using, update.Records = core.Update, core.And(op.Using, of.deleted), of.with(op.Keys, core.Null)
	res, err := r.next(ctx, &update)
	if err == nil {
		err = r.restoreDependants(ctx, found.Records)
	}
	return res, err
}

// restoreDependants restores the records that were deleted at the same time as the given ones of one resource and point at them
// by a relation that cascades, and their own dependants. It restores what the principal may restore: the condition comes from
// the policies of the store. A dependant of another record that is
// still deleted, and that the principal may restore, stays deleted.
func (r restoring) restoreDependants(ctx context.Context, records []core.Record) error {
	target := records[0].Resource()
	at := make(map[core.Value][]core.Value) // keys by the time of the delete
	for _, rec := range records {
		when := rec.At(r.resources[target.Index()].field.Column())
		at[when] = append(at[when], rec.Key())
	}
	for _, f := range target.Referrers() {
		of := &r.resources[f.Resource().Index()]
		if f.OnDelete() != core.Cascade || of.field == nil || f.Resource().ReadOnly() {
			continue
		}
		guard, err := r.op.Restorable(ctx, f.Resource())
		if err != nil {
			return err
		}
		for when, keys := range at {
			dependants := r.op.Derive(core.Select, f.Resource())
			dependants.Principal, dependants.Using = program, core.And(guard, of.field.Compare(core.FilterEq, when))
			dependants.Where = f.Compare(core.FilterIn, keys...)
			found, err := r.next(ctx, dependants)
			if err == nil {
				err = r.restoreAll(ctx, found.Records, dependants.Using)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreAll restores dependants, records of one resource that match the guard.
func (r restoring) restoreAll(ctx context.Context, dependants []core.Record, guard core.Filter) error {
	orphans, err := r.orphans(ctx, dependants)
	if err != nil {
		return err
	}
	records := slices.DeleteFunc(dependants, func(rec core.Record) bool { return orphans[rec.Key()] != nil })
	if len(records) == 0 {
		return nil
	}
	update := r.op.Derive(core.Update, records[0].Resource())
	for _, rec := range records {
		update.Keys = append(update.Keys, rec.Key())
	}
	update.Using, update.Records = guard, r.resources[update.Resource.Index()].with(update.Keys, core.Null)
	if _, err := r.next(ctx, update); err != nil {
		return err
	}
	return r.restoreDependants(ctx, records)
}

// orphans returns, by key, the records of one resource that point by a relation that cascades or restricts at a deleted record
// which the principal may restore before. Another deleted record is as unknown to the principal as one that it cannot read, and
// must make no difference.
func (r restoring) orphans(ctx context.Context, records []core.Record) (map[core.Value]*core.Field, error) {
	orphans := make(map[core.Value]*core.Field)
	if len(records) == 0 {
		return orphans, nil
	}
	of := records[0].Resource()
	for _, f := range of.References() {
		if rule := f.OnDelete(); rule != core.Cascade && rule != core.Restrict || r.resources[f.Target().Index()].field == nil {
			continue
		}
		targets := make(map[core.Value][]core.Value) // keys of the records by that of the target
		for _, rec := range records {
			if v := rec.At(f.Column()); v.IsSet() {
				targets[v] = append(targets[v], rec.Key())
			}
		}
		if f.Target() == of {
			for _, rec := range records {
				delete(targets, rec.Key()) // restored together
			}
		}
		deleted, err := r.restorable(ctx, f.Target(), slices.SortedFunc(maps.Keys(targets), core.Compare))
		if err != nil {
			return nil, err
		}
		for _, target := range deleted {
			for _, key := range targets[target.Key()] {
				orphans[key] = f
			}
		}
	}
	return orphans, nil
}

// restorable returns the deleted ones of the records with the keys that the principal may restore.
func (r restoring) restorable(ctx context.Context, of *core.Resource, keys []core.Value) ([]core.Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	guard, err := r.op.Restorable(ctx, of)
	switch {
	case errors.Is(err, core.Forbidden), errors.Is(err, core.Unauthorized), errors.Is(err, core.ReadOnly):
		return nil, nil // none
	case err != nil:
		return nil, err
	}
	load := r.op.Derive(core.Load, of)
	load.Principal, load.Keys, load.Fields = program, keys, []*core.Field{of.Key()}
	load.Using = core.And(guard, r.resources[of.Index()].deleted)
	found, err := r.next(ctx, load)
	return found.Records, err
}
