package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// relateAll sets the relations of a record that other records store.
func (w *work) relateAll(ctx context.Context, c *change, owner core.Value) error {
	for _, m := range c.later {
		if c.create {
			var err error
			if m.keys, err = w.members(ctx, m.assignment, preset{m.field.Inverse(), owner}); err != nil {
				return err
			}
		}
		if err := w.relate(ctx, c, owner, m); err != nil {
			return err
		}
	}
	return nil
}

// relate makes the members, and no other records, point at the owner. It is one
// algorithm for lists and for one-to-one relations: those added move here from
// wherever they were, and those dropped are detached, or die if they cannot live
// without an owner.
func (w *work) relate(ctx context.Context, c *change, owner core.Value, m membership) error {
	here, there := m.field, m.field.Inverse()
	limit := 0
	if Continues(here) && !c.create {
		limit = w.engine.opts.MaxMembers + m.created()
	}
	present, all, err := w.pointing(ctx, there, []core.Value{owner}, limit)
	switch {
	case err != nil:
		return err
	case !all && m.unnamed:
		return nil // a PUT keeps what its client cannot have seen to the end
	case !all:
		return tooMany(here)
	}
	out := newMoves(w.engine.shapeOf(there.Resource()))
	for _, rec := range present {
		if _, stays := slices.BinarySearchFunc(m.keys, rec.Key(), core.Compare); stays {
			continue
		}
		if err := w.detach(ctx, there, rec, out); err != nil {
			return err
		}
	}
	if err := w.attract(ctx, there, owner, m.keys, out); err != nil {
		return err
	}
	if !c.create && out.any() { // new members have asked when they were created
		if err := w.judge(ctx, here, c.before, here.Resource()); err != nil {
			return err
		}
	}
	return w.settle(ctx, out)
}

// attract has records point at the owner through f, unless they do.
func (w *work) attract(ctx context.Context, f *core.Field, owner core.Value, keys []core.Value, m *moves) error {
	var left []core.Value // the former owners; absent for one that a policy hides
	t := w.table(m.patches.shape)
	for _, key := range keys {
		rec := t.record(key)
		if rec.IsZero() {
			return f.Resource().NotFound(key) // it died in the course of this request
		}
		former := rec.At(f.Column())
		if former == owner {
			continue
		}
		if err := w.judge(ctx, f, rec, f.Target()); err != nil {
			return err
		}
		if !former.IsNull() {
			left = append(left, former)
		}
		m.patches.set(key, f, owner)
	}
	return w.judgePartners(ctx, f.Inverse(), core.SortKeys(left))
}
