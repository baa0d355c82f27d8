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

	op       *core.Op
	waiting  []dependants // for a record that they point at, too, and that is still deleted
	restored map[*core.Resource]map[core.Value]bool
	done     int // number of restored dependants
}

// dependants are deleted records of one resource that match the guard.
type dependants struct {
	records []core.Record
	guard   core.Filter
}

// restore sets the field to null in the records of a Restore, and in the dependants that were deleted with them.
func (k *keeper) restore(ctx context.Context, op *core.Op) (core.Result, error) {
	return op.InTx(ctx, k.next, func(ctx context.Context, op *core.Op) (core.Result, error) {
		return (&restoring{keeper: k, op: op, restored: make(map[*core.Resource]map[core.Value]bool)}).restore(ctx)
	})
}

func (r *restoring) restore(ctx context.Context) (core.Result, error) {
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
	update := *op
	update.Kind, update.Using, update.Records = core.Update, core.And(op.Using, of.deleted), of.with(op.Keys, core.Null)
	res, err := r.next(ctx, &update)
	if err == nil {
		err = r.restoreDependants(ctx, found.Records)
	}
	if err == nil {
		err = r.restoreWaiting(ctx)
	}
	if err != nil {
		return core.Result{}, err
	}
	orphans, err := r.orphans(ctx, found.Records, false) // a parent may be a dependant, too
	for _, rec := range found.Records {
		if f := orphans[rec.Key()]; err == nil && f != nil {
			err = f.Target().NotFound(rec.At(f.Column()))
		}
	}
	return res, err
}

// restoreWaiting restores the dependants that have waited for others, until no further one can be restored.
func (r *restoring) restoreWaiting(ctx context.Context) error {
	for before := -1; len(r.waiting) > 0 && r.done > before; {
		before = r.done
		waiting := r.waiting
		r.waiting = nil
		for _, d := range waiting {
			if err := r.restoreAll(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreDependants restores the records that were deleted at the same time as the given ones of one resource and point at them
// by a relation that cascades, and their own dependants. It restores what the principal may restore: the condition comes from
// the policies of the store. A dependant of another record that is still deleted, and that the principal may restore, waits for it.
func (r *restoring) restoreDependants(ctx context.Context, records []core.Record) error {
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
			referrers := r.op.Derive(core.Select, f.Resource())
			referrers.Principal, referrers.Using = program, core.And(guard, of.field.Compare(core.FilterEq, when))
			referrers.Where = f.Compare(core.FilterIn, keys...)
			found, err := r.next(ctx, referrers)
			if err == nil {
				err = r.restoreAll(ctx, dependants{found.Records, referrers.Using})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreAll restores the dependants that do not have to wait, and their own dependants.
func (r *restoring) restoreAll(ctx context.Context, d dependants) error {
	orphans, err := r.orphans(ctx, d.records, true)
	if err != nil {
		return err
	}
	var ready, wait []core.Record
	for _, rec := range d.records {
		switch {
		case orphans[rec.Key()] != nil:
			wait = append(wait, rec)
		case !r.restored[rec.Resource()][rec.Key()]: // it may have waited, and have come by another relation since
			ready = append(ready, rec)
		}
	}
	if len(wait) > 0 {
		r.waiting = append(r.waiting, dependants{wait, d.guard})
	}
	if len(ready) == 0 {
		return nil
	}
	of := ready[0].Resource()
	if r.restored[of] == nil {
		r.restored[of] = make(map[core.Value]bool)
	}
	update := r.op.Derive(core.Update, of)
	for _, rec := range ready {
		update.Keys = append(update.Keys, rec.Key())
		r.restored[of][rec.Key()] = true
	}
	r.done += len(ready)
	update.Using, update.Records = d.guard, r.resources[of.Index()].with(update.Keys, core.Null)
	if _, err := r.next(ctx, update); err != nil {
		return err
	}
	return r.restoreDependants(ctx, ready)
}

// orphans returns, by key, the records of one resource that point by a relation that cascades or restricts at a deleted record
// which the principal may restore before. Another deleted record is as unknown to the principal as one that it cannot read, and
// must make no difference. Neither must a relation that the principal may not read. deletedRecords means that the records are still
// deleted.
func (r *restoring) orphans(ctx context.Context, records []core.Record, deletedRecords bool) (map[core.Value]*core.Field, error) {
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
		var keys []core.Value
		for _, target := range deleted {
			keys = append(keys, targets[target.Key()]...)
		}
		if keys, err = r.readable(ctx, f, keys, deletedRecords); err != nil {
			return nil, err
		}
		for _, key := range keys {
			orphans[key] = f
		}
	}
	return orphans, nil
}

// readable returns the keys of those of the records in which the principal may read the field.
func (r *restoring) readable(ctx context.Context, f *core.Field, keys []core.Value, deletedRecords bool) ([]core.Value, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	of := f.Resource()
	asked := r.op.Derive(core.Visibility, of)
	asked.Fields, asked.Deleted = []*core.Field{f}, deletedRecords
	res, err := r.op.SendRead(ctx, asked)
	switch {
	case errors.Is(err, core.Forbidden), errors.Is(err, core.Unauthorized), errors.Is(err, core.UnknownField):
		return nil, nil // none
	case err != nil:
		return nil, err
	}
	load := r.op.Derive(core.Load, of)
	load.Principal, load.Keys, load.Fields, load.Using = program, core.SortKeys(keys), []*core.Field{of.Key()}, res.Guard
	found, err := r.next(ctx, load)
	keys = nil
	for _, rec := range found.Records {
		keys = append(keys, rec.Key())
	}
	return keys, err
}

// restorable returns the deleted ones of the records with the keys that the principal may restore.
func (r *restoring) restorable(ctx context.Context, of *core.Resource, keys []core.Value) ([]core.Record, error) {
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
