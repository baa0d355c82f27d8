package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// judge refuses to change a field of a record that does not let it change. The
// record is the one from before the change; one that was born in this
// transaction lets everything happen. One that a policy shows only in part cannot
// be asked, so it refuses. Written is the resource of which the client wrote a record.
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

// writable asks the record, as the principal sees it, whether its field may change.
func (w *writer) allowsWrite(ctx context.Context, f *core.Field, rec core.Record) (bool, error) {
	if !isComplete(rec) {
		return false, nil
	}
	visible, err := w.visibleRecord(ctx, rec)
	return err == nil && f.Writable(visible), err
}

// whole reports whether the record has every column.
func isComplete(rec core.Record) bool {
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			return false
		}
	}
	return true
}

// judgePartners judges the field of the records that gain or lose a partner by a
// change on the other side. One that the principal cannot see cannot be asked, so
// it refuses, and so does one whose key is absent because a policy hides whom the
// other side points at.
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

// asSeen returns the record as the principal sees it: a to-one relation to a record
// that a policy hides is null, and lists do not contain such records.
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
		if keys, err = v.Elements(f.Target().Key().Type()); err != nil {
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

// keepHidden has a restricted relation keep its value where a request would empty it
// and the principal sees it empty already: that is no change to the principal, so that
// the record is not asked, and the answer is the same as for null.
func (w *writer) keepInvisible(ctx context.Context, c *change) error {
	for i, f := range c.info.resource.Columns() {
		old := c.before.At(i)
		if !w.engine.mayHide || f.Target() == nil || f.Many() || !f.HasWriteRule() || !old.IsSet() || !c.values[i].IsNull() {
			continue
		}
		visible, err := w.visibleRelation(ctx, f, old)
		if err != nil {
			return err
		}
		if visible.IsNull() {
			c.values[i] = old
			if c.defaulted != nil {
				c.defaulted[i] = false
			}
		}
	}
	return nil
}

// judgeNewcomers asks those whom new records point at.
func (w *writer) checkInsertRules(ctx context.Context, info *resourceInfo, records []core.Record) error {
	if !info.inverseRules {
		return nil
	}
	for _, f := range info.resource.References() {
		if err := w.checkPartnerRules(ctx, f.Inverse(), targetKeys(f, records)); err != nil {
			return err
		}
	}
	return nil
}

// targets returns the keys that the records point at, ascending and each once; an
// absent one for those that a policy hides.
func targetKeys(f *core.Field, records []core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}

// judgeColumns asks the record about each column that really changes, and its
// old and new partners about theirs. Without a record nothing is restricted.
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
	return nil
}

// judgeResets asks the record about the columns that were left to the backend's
// default: only the written record shows which of them really changed. A column that
// a policy hides counts as changed.
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

// isEmpty reports whether v is one of the two spellings of a list without
// members.
func isEmptyList(f *core.Field, v core.Value) bool {
	return f.Many() && (v.IsNull() || v == core.ListOf())
}

// present returns the values that are not null, ascending and each once.
func nonNull(values ...core.Value) []core.Value {
	return core.SortKeys(slices.DeleteFunc(values, core.Value.IsNull))
}
