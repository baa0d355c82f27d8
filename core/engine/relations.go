package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// relationValue is the new value of a relation that other records store.
type relationValue struct {
	field    *core.Field
	keys     []core.Value // ascending and distinct
	nested   int          // number of members that this request creates
	implicit bool         // the body does not name the relation
}

// setMembers makes the members point at the owner, and detaches or deletes all other records that do. Lists and
// one-to-one relations work alike: an added member moves here from its former owner.
func (w *writer) setMembers(ctx context.Context, c *change, m relationValue) error {
	owner, field, inverse := c.key(), m.field, m.field.Inverse()
	near, _ := field.Through()
	limit := 0
	if Continues(field) && !c.isNew {
		limit = w.engine.opts.MaxMembers + m.nested
	}
	var current []core.Record
	var all bool
	var err error
	if near != nil {
		current, all, err = w.links(ctx, field, owner, limit)
	} else {
		current, all, err = w.referrers(ctx, inverse, []core.Value{owner}, limit)
	}
	switch {
	case m.implicit && isDenied(err):
		// PUT: the client cannot have seen the list.
		return nil
	case err != nil:
		return err
	case !all && m.implicit:
		// PUT: the client cannot have seen the whole list.
		return nil
	case !all:
		return tooManyMembers(field)
	case near != nil:
		return w.setLinks(ctx, c, m, current)
	}
	pending := newPendingWrites(w.engine.info(inverse.Resource()))
	pending.updates.path = slices.Concat(c.path, []any{field.APIName()})
	for _, rec := range current {
		if _, kept := slices.BinarySearchFunc(m.keys, rec.Key(), core.Compare); kept {
			continue
		}
		if refusesPartner(inverse) && len(m.keys) > 0 {
			return w.refusal(inverse.Resource(), inverse.AlreadyExistsWith(owner))
		}
		if err := w.detachOrDelete(ctx, inverse, rec, pending); err != nil {
			return err
		}
	}
	if err := w.reassign(ctx, inverse, owner, m.keys, pending); err != nil {
		return err
	}
	// The members of a new record were checked when they were written.
	if !c.isNew && pending.notEmpty() {
		if err := w.checkRule(ctx, field, c.before, field.Resource()); err != nil {
			return err
		}
	}
	return w.flush(ctx, pending)
}

// reassign makes the records with the keys point at the owner through f. It skips records that do already.
func (w *writer) reassign(ctx context.Context, f *core.Field, owner core.Value, keys []core.Value, pending *pendingWrites) error {
	var formerOwners []core.Value // contains an absent key if a policy hides the field
	m := w.knownOf(pending.updates.info)
	for _, key := range keys {
		rec := m.record(key)
		if rec.IsZero() {
			return f.Resource().NotFound(key) // a cascade of this request deleted it
		}
		former := rec.At(f.Column())
		if former == owner {
			continue
		}
		if refusesPartner(f) && !former.IsNull() {
			return w.refusal(f.Resource(), f.AlreadyExistsWith(owner))
		}
		if err := w.checkRule(ctx, f, rec, f.Target()); err != nil {
			return err
		}
		if err := w.checkListRules(ctx, pending.updates.info, nil, []core.Record{rec}, []core.Record{rec.Set(f, owner)}); err != nil {
			return err
		}
		if !former.IsNull() {
			formerOwners = append(formerOwners, former)
		}
		if err := pending.updates.point(rec, f, owner); err != nil {
			return err
		}
	}
	return w.checkPartnerRules(ctx, f.Inverse(), core.SortKeys(formerOwners))
}

// refusesPartner reports whether f is the stored side of a one-to-one relation that refuses partners that are taken.
func refusesPartner(f *core.Field) bool { return f.Partner() == core.RefusePartner }

// refusal returns the error of a relation rule that refuses to write a record of the resource. In a store that rejects
// all writes of the resource, that error comes first.
func (w *writer) refusal(r *core.Resource, err error) error {
	if w.engine.store.ReadOnly(r) {
		return &core.Error{Code: core.ReadOnly, Resource: r.APIName(), Cause: err}
	}
	return err
}

// detachHolders adds the records that hold a one-to-one partner which the change takes to the pending writes. If the
// relation refuses that, it returns [core.AlreadyExists]; the backend gives the same error for a hidden holder.
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
			if refusesPartner(f) {
				return w.refusal(f.Resource(), f.AlreadyExistsWith(v))
			}
			if err := w.detachOrDelete(ctx, f, holder, pending); err != nil {
				return err
			}
		}
	}
	return nil
}

// detachOrDelete removes the reference f of a record: by an update, or by a delete of the record if f deletes orphans.
func (w *writer) detachOrDelete(ctx context.Context, f *core.Field, rec core.Record, pending *pendingWrites) error {
	if f.Orphans() == core.DeleteOrphans {
		pending.deletions = append(pending.deletions, rec.Key())
		return nil
	}
	if err := w.checkRule(ctx, f, rec, f.Target()); err != nil {
		return err
	}
	if err := w.checkListRules(ctx, pending.updates.info, nil, []core.Record{rec}, []core.Record{rec.Set(f, core.Null)}); err != nil {
		return err
	}
	return pending.updates.point(rec, f, core.Null)
}

// keepsMembers reports whether the members of a relation that other records store cannot leave it: it is in their keys.
func keepsMembers(f *core.Field) bool {
	inverse := f.Inverse()
	return inverse != nil && !inverse.Detachable() && inverse.Orphans() == core.KeepOrphans
}

// clearRelations empties the relations that other records store, that the change does not set and that a client
// could have named. It leaves relations whose members cannot leave, and a list of links if the change sets the list through
// them, or the other way round.
func (w *writer) clearRelations(ctx context.Context, c *change) error {
	for _, f := range c.info.resource.Fields() {
		set := slices.ContainsFunc(c.relations, func(other *core.Field) bool { return ownerField(other) == ownerField(f) })
		if f.Stored() || !clientWritable(f) || f.OnDemand() || set || slices.Contains(c.partialLists, f) || keepsMembers(f) {
			continue
		}
		if err := w.setMembers(ctx, c, relationValue{field: f, implicit: true}); err != nil {
			return err
		}
	}
	return nil
}
