package softdelete

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// delete turns a Delete into an Update that sets the field. The update has the transaction and the guards of outer decorators.
// As a database would, it refuses to delete a record while living ones point at it by a relation that cascades or restricts,
// those that the principal cannot see included: package core/engine deletes the dependants that it can see before.
func (k *keeper) delete(ctx context.Context, op *core.Op) (core.Result, error) {
	if len(k.resources[op.Resource.Index()].blockers) == 0 {
		return k.mark(ctx, op)
	}
	return op.InTx(ctx, k.next, func(ctx context.Context, op *core.Op) (core.Result, error) {
		op.Final = false                           // the check follows
		if _, err := k.mark(ctx, op); err != nil { // a denial comes before what the check reveals
			return core.Result{}, err
		}
		return core.Result{}, k.checkBlockers(ctx, op)
	})
}

// mark sets the field.
func (k *keeper) mark(ctx context.Context, op *core.Op) (core.Result, error) {
	of := &k.resources[op.Resource.Index()]
	update := *op
	update.Kind = core.Update
	update.Using = core.And(op.Using, of.living) // a deleted record cannot be deleted again
	update.Records = of.with(op.Keys, core.TimeValue(op.Now()))
	_, err := k.next(ctx, &update)
	return core.Result{}, err // a Delete returns no records
}

// checkBlockers returns [core.StillReferenced] if a living record points at one of the deleted ones.
func (k *keeper) checkBlockers(ctx context.Context, op *core.Op) error {
	for _, f := range k.resources[op.Resource.Index()].blockers {
		referrers := op.Derive(core.Select, f.Resource())
		referrers.Principal, referrers.Limit, referrers.Fields = program, 1, []*core.Field{f.Resource().Key()}
		referrers.Where, referrers.Using = f.Compare(core.FilterIn, op.Keys...), k.resources[f.Resource().Index()].living
		found, err := k.next(ctx, referrers)
		if err == nil && len(found.Records) > 0 {
			err = f.StillReferenced()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove is a Delete for good. Deleted records that point at the records are detached or, where the relation cascades or cannot
// be null, deleted for good before. The program does that, because the principal cannot see them. If it is the program that
// deletes, what may be a deleted record, living records are detached from it, too, where the relation detaches.
func (k *keeper) remove(ctx context.Context, op *core.Op) (core.Result, error) {
	all := op.Principal.SeesDeleted() && len(op.Resource.Referrers()) > 0
	if !all && !k.resources[op.Resource.Index()].clears {
		return k.next(ctx, op)
	}
	return op.InTx(ctx, k.next, func(ctx context.Context, op *core.Op) (core.Result, error) {
		c := clearing{k, op, all, make(map[*core.Resource]map[core.Value]bool)}
		if err := c.clear(ctx, op.Resource, op.Keys); err != nil {
			return core.Result{}, err
		}
		return k.next(ctx, op)
	})
}

// clearing removes the references to records that are about to be deleted for good.
type clearing struct {
	*keeper

	op     *core.Op
	living bool                                   // living records are detached, too
	gone   map[*core.Resource]map[core.Value]bool // keys of records that are deleted for good
}

// clear deletes or detaches the records that point at those with the keys.
func (c *clearing) clear(ctx context.Context, r *core.Resource, keys []core.Value) error {
	if c.gone[r] == nil {
		c.gone[r] = make(map[core.Value]bool)
	}
	for _, key := range keys {
		c.gone[r][key] = true
	}
	for _, f := range r.Referrers() {
		of := &c.resources[f.Resource().Index()]
		detachesLiving := c.living && f.OnDelete() == core.Detach
		if f.Resource().ReadOnly() || of.field == nil && !detachesLiving {
			continue
		}
		referrers := c.op.Derive(core.Select, f.Resource())
		referrers.Principal, referrers.Fields, referrers.Where = program, []*core.Field{f.Resource().Key()}, f.Compare(core.FilterIn, keys...)
		if !detachesLiving {
			referrers.Using = of.deleted
		}
		found, err := c.next(ctx, referrers)
		if err != nil {
			return err
		}
		var left []core.Value
		for _, rec := range found.Records {
			if !c.gone[f.Resource()][rec.Key()] {
				left = append(left, rec.Key())
			}
		}
		switch {
		case len(left) == 0:
		case f.OnDelete() != core.Cascade && f.Detachable():
			err = c.detach(ctx, f, left)
		default:
			err = c.removeDependants(ctx, f.Resource(), left)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *clearing) removeDependants(ctx context.Context, r *core.Resource, keys []core.Value) error {
	if err := c.clear(ctx, r, keys); err != nil {
		return err
	}
	remove := c.op.Derive(core.Delete, r)
	remove.Principal, remove.Keys = program, keys
	_, err := c.next(ctx, remove)
	return err
}

// detach sets the relation of the records to null.
func (c *clearing) detach(ctx context.Context, f *core.Field, keys []core.Value) error {
	r := f.Resource()
	fields := append(slices.Clone(f.DetachedParts()), f)
	update := c.op.Derive(core.Update, r)
	update.Principal, update.Keys = program, keys
	for _, key := range keys {
		change := r.Patch(key)
		for _, field := range fields {
			change = change.Set(field, core.Null)
		}
		update.Records = append(update.Records, change)
	}
	_, err := c.next(ctx, update)
	return err
}
