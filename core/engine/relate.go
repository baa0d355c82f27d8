package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// relateAll sets the relations of a record that other records store.
func (w *work) relateAll(ctx context.Context, c *change, owner core.Value) error {
	for _, a := range c.later {
		if err := w.relate(ctx, c, owner, a); err != nil {
			return err
		}
	}
	return nil
}

// relate makes the members of an assignment, and no other records, point at the
// owner. It is one algorithm for lists and for one-to-one relations: those
// added move here from wherever they were, and those dropped are detached, or
// die if they cannot live without an owner.
func (w *work) relate(ctx context.Context, c *change, owner core.Value, a assignment) error {
	here, there := a.field, a.field.Inverse()
	wanted, err := w.members(ctx, a, preset{there, owner})
	if err != nil {
		return err
	}
	present, err := w.pointing(ctx, there, []core.Value{owner})
	if err != nil {
		return err
	}
	moves := newDisplacement(w.engine.shapeOf(there.Resource()))
	for _, rec := range present {
		if _, stays := slices.BinarySearchFunc(wanted, rec.Key(), core.Compare); stays {
			continue
		}
		if err := w.detach(there, rec, moves); err != nil {
			return err
		}
	}
	if err := w.attract(ctx, there, owner, wanted, moves); err != nil {
		return err
	}
	if !a.creates() && len(moves.patches.keys)+len(moves.dying) == 0 {
		return nil
	}
	if err := w.judge(here, w.beforeOf(c, owner)); err != nil {
		return err
	}
	return w.settle(ctx, moves)
}

// attract has records point at the owner through f, unless they do.
func (w *work) attract(ctx context.Context, f *core.Field, owner core.Value, keys []core.Value, moves *displacement) error {
	var left []core.Value // the former owners
	t := w.table(moves.patches.shape)
	for _, key := range keys {
		rec := t.record(key)
		if rec.IsZero() {
			return f.Resource().NotFound(key) // it died in the course of this request
		}
		former := rec.At(f.Column())
		if former == owner {
			continue
		}
		if err := w.judge(f, rec); err != nil {
			return err
		}
		if former.IsSet() {
			left = append(left, former)
		}
		moves.patches.set(key, f, owner)
	}
	return w.judgePartners(ctx, f.Inverse(), core.SortKeys(left))
}

// beforeOf returns the owner as the request found it, or as it is now where
// nothing restricts it.
func (w *work) beforeOf(c *change, owner core.Value) core.Record {
	if !c.before.IsZero() {
		return c.before
	}
	return w.table(c.shape).record(owner)
}
