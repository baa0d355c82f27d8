package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

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
