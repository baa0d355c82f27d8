package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Replace gives the record exactly the content of the body, and creates the record if there is none (PUT). It
// reports whether it created the record.
//
// In an existing record, fields that the body does not name go back to their constant default or to null, and
// relations that it does not name are emptied before the named ones are set. These fields keep their value unless
// the body names them: fields that a client cannot set, fields with a default that is a function or an expression of the
// database such as now(), and list sides that the client cannot have seen in full (longer than
// [Options.MaxMembers], or named with NAME@next in the body). The same Replace twice therefore has the effect of
// one, unless the body creates nested records.
//
// Errors: [core.AlreadyExists] for the key of a hidden record; [core.BadFieldValue] for a new integer key outside
// the bounds of [core.KeySource], which leave room for generated keys; [core.NotFound] for a new key if [Options]
// GeneratedKeysOnly forbids it; otherwise the errors of [Engine.Update].
func (e *Engine) Replace(
	ctx context.Context, resource string, id any, opts Write, body map[string]any,
) (_ View, created bool, _ error) {
	info, key, err := e.resourceAndKey(resource, id, opts.Depth)
	if err != nil {
		return View{}, false, err
	}
	d, err := e.bodyReader(false).read(info, body, 1)
	if err != nil {
		return View{}, false, err
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		rec, err := w.load(ctx, info, key)
		if err != nil {
			return err
		}
		if err := w.checkMatch(ctx, opts, info, rec); err != nil {
			return err
		}
		if created = rec.IsZero(); created {
			view, err = w.createWithKey(ctx, d, key, opts.Depth)
			return err
		}
		c := newChange(info, d.level)
		c.before, c.isReplace, c.partialLists = rec, true, d.partialLists
		c.resetColumns()
		view, err = w.updateAndShow(ctx, c, d, opts.Depth)
		return err
	})
	return view, created && err == nil, err
}

// createWithKey creates a record with the key that the client chose.
func (w *writer) createWithKey(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	if w.engine.opts.GeneratedKeysOnly && !d.info.keySource.Assigned {
		return View{}, d.info.resource.NotFound(key)
	}
	if err := d.info.checkChosenKey(key); err != nil {
		return View{}, err
	}
	// Marked before the check of related records, because the body may relate the record to itself.
	w.knownOf(d.info).markCreated(key)
	if err := w.requireRelated(ctx, d); err != nil {
		return View{}, err
	}
	if _, err := w.createAll(ctx, []*draft{d}, preset{d.info.resource.Key(), key}); err != nil {
		return View{}, err
	}
	return w.viewOf(ctx, d.info, key, depth)
}

// resetColumns sets every column that a client can name to its value in a new record, so that the draft is applied
// to that. A column without a constant default is left to the default of the backend.
func (c *change) resetColumns() {
	c.set(c.info.resource.Key(), c.before.Key())
	c.defaulted = make([]bool, len(c.values))
	for i, f := range c.info.resource.Columns() {
		if !clientWritable(f) || f.HasDefaultFunc() {
			continue
		}
		if v := f.ConstantDefault(); v.IsAbsent() {
			c.values[i], c.defaulted[i] = core.Null, true
		} else {
			c.values[i] = v
		}
	}
}

// resetFields returns the columns that are left to the backend's default.
func (c *change) resetFields() (fields []*core.Field) {
	for i, f := range c.info.resource.Columns() {
		if c.isReset(i) {
			fields = append(fields, f)
		}
	}
	return fields
}

// isReset reports whether column i is left to the backend's default.
func (c *change) isReset(i int) bool { return i < len(c.defaulted) && c.defaulted[i] }

// clientWritable reports whether a client may set the field.
func clientWritable(f *core.Field) bool {
	return !f.Key() && !f.ReadOnly() && !f.Hidden() && f.Computed() == nil
}
