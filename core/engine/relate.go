package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// relateAll sets the relations of a record that other records store.
func (w *writer) setInverseRelations(ctx context.Context, c *change, owner core.Value) error {
	for _, m := range c.inverse {
		if c.isNew {
			var err error
			if m.keys, err = w.memberKeys(ctx, m.assignment, preset{m.field.Inverse(), owner}); err != nil {
				return err
			}
		}
		if err := w.setMembers(ctx, c, owner, m); err != nil {
			return err
		}
	}
	return nil
}

// relate makes the members, and no other records, point at the owner. It is one
// algorithm for lists and for one-to-one relations: those added move here from
// wherever they were, and those dropped are detached, or die if they cannot live
// without an owner.
func (w *writer) setMembers(ctx context.Context, c *change, owner core.Value, m inverseAssignment) error {
	field, inverse := m.field, m.field.Inverse()
	limit := 0
	if Continues(field) && !c.isNew {
		limit = w.engine.opts.MaxMembers + m.nestedCount()
	}
	current, all, err := w.referrers(ctx, inverse, []core.Value{owner}, limit)
	switch {
	case err != nil:
		return err
	case !all && m.implicit:
		return nil // a PUT keeps what its client cannot have seen to the end
	case !all:
		return tooManyMembers(field)
	}
	pending := newPendingWrites(w.engine.info(inverse.Resource()))
	for _, rec := range current {
		if _, kept := slices.BinarySearchFunc(m.keys, rec.Key(), core.Compare); kept {
			continue
		}
		if err := w.detachOrDelete(ctx, inverse, rec, pending); err != nil {
			return err
		}
	}
	if err := w.reassign(ctx, inverse, owner, m.keys, pending); err != nil {
		return err
	}
	if !c.isNew && pending.notEmpty() { // new members have asked when they were created
		if err := w.checkRule(ctx, field, c.before, field.Resource()); err != nil {
			return err
		}
	}
	return w.flush(ctx, pending)
}

// attract has records point at the owner through f, unless they do.
func (w *writer) reassign(ctx context.Context, f *core.Field, owner core.Value, keys []core.Value, pending *pendingWrites) error {
	var formerOwners []core.Value // the former owners; absent for one that a policy hides
	m := w.knownOf(pending.updates.info)
	for _, key := range keys {
		rec := m.record(key)
		if rec.IsZero() {
			return f.Resource().NotFound(key) // it died in the course of this request
		}
		former := rec.At(f.Column())
		if former == owner {
			continue
		}
		if err := w.checkRule(ctx, f, rec, f.Target()); err != nil {
			return err
		}
		if !former.IsNull() {
			formerOwners = append(formerOwners, former)
		}
		pending.updates.set(key, f, owner)
	}
	return w.checkPartnerRules(ctx, f.Inverse(), core.SortKeys(formerOwners))
}
