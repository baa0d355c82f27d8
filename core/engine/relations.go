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

// displace collects what becomes of those who hold the partners that the change
// takes in one-to-one relations.
func (w *writer) detachHolders(ctx context.Context, c *change, pending *pendingWrites) error {
	for _, f := range c.info.resource.References() {
		v := c.values[f.Column()]
		if !v.IsSet() || f.Inverse() == nil || f.Inverse().Many() {
			continue
		}
		holders, _, err := w.referrers(ctx, f, []core.Value{v}, 0)
		if err != nil {
			return err
		}
		for _, holder := range holders {
			if holder.Key() == c.key() {
				continue
			}
			if err := w.detachOrDelete(ctx, f, holder, pending); err != nil {
				return err
			}
		}
	}
	return nil
}

// detach has a record lose what it points at through f.
func (w *writer) detachOrDelete(ctx context.Context, f *core.Field, rec core.Record, pending *pendingWrites) error {
	if f.Cascade() {
		pending.deletions = append(pending.deletions, rec.Key())
		return nil
	}
	if err := w.checkRule(ctx, f, rec, f.Target()); err != nil {
		return err
	}
	pending.updates.set(rec.Key(), f, core.Null)
	return nil
}

// empty empties the relations that other records store and that the change does
// not set, as far as a client could name them.
func (w *writer) clearRelations(ctx context.Context, c *change) error {
	for _, f := range c.info.resource.Fields() {
		set := slices.ContainsFunc(c.inverse, func(m inverseAssignment) bool { return m.field == f })
		if f.Stored() || !clientWritable(f) || set || slices.Contains(c.partialLists, f) {
			continue
		}
		if err := w.setMembers(ctx, c, c.key(), inverseAssignment{assignment: assignment{field: f}, implicit: true}); err != nil {
			return err
		}
	}
	return nil
}
