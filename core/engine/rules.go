package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// checkRule returns an error if the write rule of field f forbids to change it in rec, the record before the
// change. Records that this transaction created may be changed freely. A record that a policy shows only in part
// cannot be evaluated, so its fields count as forbidden. written is the resource of the record that the client
// wrote.
func (w *writer) checkRule(ctx context.Context, f *core.Field, rec core.Record, written *core.Resource) error {
	if !f.HasWriteRule() || w.known[f.Resource().Index()][rec.Key()].created {
		return nil
	}
	ok, err := w.allowsWrite(ctx, f, rec)
	if err != nil || ok {
		return err
	}
	return f.UpdateForbidden(written)
}

// allowsWrite evaluates the write rule of a field on the record as the principal sees it.
func (w *writer) allowsWrite(ctx context.Context, f *core.Field, rec core.Record) (bool, error) {
	if !isComplete(rec) {
		return false, nil
	}
	visible, err := w.visibleRecord(ctx, rec)
	return err == nil && f.Writable(visible), err
}

// isComplete reports whether the record has every column.
func isComplete(rec core.Record) bool {
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			return false
		}
	}
	return true
}

// checkPartnerRules checks the write rule of field f on the records with the keys, which gain or lose a partner
// through a change on the other side. A hidden record cannot be evaluated, so it forbids the change; so does an
// absent key, which stands for a target that a policy hides.
func (w *writer) checkPartnerRules(ctx context.Context, f *core.Field, keys []core.Value) error {
	if f == nil || !f.HasWriteRule() {
		return nil
	}
	info := w.engine.info(f.Resource())
	if slices.ContainsFunc(keys, core.Value.IsAbsent) {
		return f.UpdateForbidden(f.Target())
	}
	if err := w.loadUnknown(ctx, info, keys); err != nil {
		return err
	}
	m := w.knownOf(info)
	for _, key := range keys {
		known := m[key]
		if known.created {
			continue
		}
		if known.record.IsZero() {
			return f.UpdateForbidden(f.Target())
		}
		if err := w.checkRule(ctx, f, known.record, f.Target()); err != nil {
			return err
		}
	}
	return nil
}

// visibleRecord returns the record as the principal sees it: a to-one relation to a hidden record is null, and
// lists omit hidden records.
func (w *writer) visibleRecord(ctx context.Context, rec core.Record) (core.Record, error) {
	if !w.engine.mayHide {
		return rec, nil
	}
	for i, f := range rec.Resource().Columns() {
		if f.Target() == nil || !rec.At(i).IsSet() {
			continue
		}
		v, err := w.visibleRelation(ctx, f, rec.At(i))
		if err != nil {
			return core.Record{}, err
		}
		rec = rec.With(i, v)
	}
	return rec, nil
}

func (w *writer) visibleRelation(ctx context.Context, f *core.Field, v core.Value) (core.Value, error) {
	keys := []core.Value{v}
	if f.Many() {
		var err error
		if keys, err = f.Elements(v); err != nil {
			return core.Value{}, err
		}
	}
	info := w.engine.info(f.Target())
	if err := w.loadUnknown(ctx, info, core.SortKeys(slices.Clone(keys))); err != nil && !isDenied(err) {
		return core.Value{}, err
	}
	m := w.knownOf(info)
	keys = slices.DeleteFunc(keys, func(key core.Value) bool { return m[key].record.IsZero() && !m[key].created })
	switch {
	case f.Many():
		return core.ListOf(keys...), nil
	case len(keys) == 0:
		return core.Null, nil
	}
	return v, nil
}

// keepInvisible keeps ids of hidden records in the relations that the record stores. The principal sees null or a
// shorter list there, so nothing changes for the principal, and the answer must not depend on the hidden records:
//
//   - A replacement that does not name a relation keeps the hidden records in it.
//   - A list that equals the visible part of the stored list keeps the stored list.
//   - A to-one relation with a write rule that leads to a hidden record is not cleared at all.
func (w *writer) keepInvisible(ctx context.Context, c *change) error {
	if !w.engine.mayHide {
		return nil
	}
	for i, f := range c.info.resource.Columns() {
		old, now, unnamed := c.before.At(i), c.values[i], c.isUnnamed(i)
		switch {
		case f.Target() == nil || !old.IsSet() || now.IsAbsent():
			continue
		case !f.Many() && !unnamed && !(f.HasWriteRule() && now.IsNull()):
			continue
		}
		visible, err := w.visibleRelation(ctx, f, old)
		if err != nil {
			return err
		}
		kept := old
		switch {
		case f.Many() && unnamed:
			if kept, err = without(f, old, visible); err != nil {
				return err
			}
			if isEmptyList(f, kept) {
				continue
			}
		case f.Many() && visible != now && !(isEmptyList(f, visible) && isEmptyList(f, now)):
			continue
		case !f.Many() && !visible.IsNull():
			continue
		}
		c.set(f, kept)
		if err := setOwnParts(c.values, c.before, f); err != nil {
			return err
		}
	}
	return nil
}

// without returns the ids of a stored list that are not in other.
func without(f *core.Field, list, other core.Value) (core.Value, error) {
	keys, err := f.Elements(list)
	if err != nil {
		return core.Value{}, err
	}
	removed, err := f.Elements(other)
	return core.ListOf(slices.DeleteFunc(keys, func(key core.Value) bool { return slices.Contains(removed, key) })...), err
}

// checkInsertRules checks the write rules of the records that new records point at.
func (w *writer) checkInsertRules(ctx context.Context, info *resourceInfo, ruled *core.Field, records []core.Record) error {
	if !info.inverseRules {
		return nil
	}
	for _, f := range info.resource.References() {
		if err := w.checkPartnerRules(ctx, f.Inverse(), targetKeys(f, records)); err != nil {
			return err
		}
	}
	return w.checkListRules(ctx, info, ruled, nil, records)
}

// targetKeys returns the keys that the records point at through f, ascending and distinct. It contains one absent
// value if a policy hides the field of some record.
func targetKeys(f *core.Field, records []core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}

// checkColumnRules checks the write rule of each column that changes, and the rules of its old and new partners
// that concern the same relation. It does nothing if the change did not read the record, since no rule applies
// then.
func (w *writer) checkColumnRules(ctx context.Context, c *change) error {
	if c.before.IsZero() {
		return nil
	}
	if err := w.keepInvisible(ctx, c); err != nil {
		return err
	}
	for i, f := range c.info.resource.Columns() {
		old, now := c.before.At(i), c.values[i]
		if now.IsAbsent() || now == old || isEmptyList(f, now) && isEmptyList(f, old) {
			continue
		}
		if !c.isReset(i) {
			if err := w.checkRule(ctx, f, c.before, f.Resource()); err != nil {
				return err
			}
		}
		if err := w.checkPartnerRules(ctx, f.Inverse(), nonNull(old, now)); err != nil {
			return err
		}
	}
	after := c.before.Merge(c.info.resource.RecordOf(c.values))
	return w.checkListRules(ctx, c.info, nil, []core.Record{c.before}, []core.Record{after})
}

// checkResetRules checks the write rules of columns that were left to the backend's default: only the written
// record shows whether such a column changed. A column that a policy hides counts as changed.
func (w *writer) checkResetRules(ctx context.Context, c *change) error {
	after := w.knownOf(c.info).record(c.key())
	if after.IsZero() {
		return nil
	}
	for _, f := range c.resetFields() {
		old, now := c.before.At(f.Column()), after.At(f.Column())
		if now == old && !now.IsAbsent() || isEmptyList(f, now) && isEmptyList(f, old) {
			continue
		}
		if err := w.checkRule(ctx, f, c.before, f.Resource()); err != nil {
			return err
		}
	}
	return nil
}

// isEmptyList reports whether v is null or the empty list, which mean the same.
func isEmptyList(f *core.Field, v core.Value) bool {
	return f.Many() && (v.IsNull() || v == core.ListOf())
}

// nonNull returns the values that are not null, ascending and distinct.
func nonNull(values ...core.Value) []core.Value {
	return core.SortKeys(slices.DeleteFunc(values, core.Value.IsNull))
}
