package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Replace makes the record what the body says, and creates it if it is not
// there (PUT); it reports whether it did. In a record that is there, fields that
// the body does not name go back to their default or null, and relations that it
// does not name are emptied, before those that it names are set. A field that a
// client cannot name keeps its value, and so does one whose default is a function or
// an expression of the database such as now(), so that the same PUT twice equals once,
// unless its body creates nested records.
// and a list side that holds more records than [Options.MaxMembers].
//
// Errors: [core.AlreadyExists] for a key that is taken by a record that is not
// visible; [core.BadFieldValue] for a new integer id beyond the bounds of the store's
// [core.KeySource]: ids that are generated follow the greatest, and as many must be left
// for them; [core.NotFound] for a new id where [Options] GeneratedKeysOnly forbids it;
// otherwise those of [Engine.Update].
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

// createAt creates a record with the key that the client chose.
func (w *writer) createWithKey(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	if w.engine.opts.GeneratedKeysOnly && !d.info.keySource.Assigned {
		return View{}, d.info.resource.NotFound(key)
	}
	if err := d.info.checkChosenKey(key); err != nil {
		return View{}, err
	}
	w.knownOf(d.info).markCreated(key) // it may relate to itself
	if err := w.requireRelated(ctx, d); err != nil {
		return View{}, err
	}
	if _, err := w.createAll(ctx, []*draft{d}, preset{d.info.resource.Key(), key}); err != nil {
		return View{}, err
	}
	return w.viewOf(ctx, d.info, key, depth)
}

// reset has every column that a client can name go back to what it is in a new
// record; a draft is applied to that. Where the model has no default, the backend
// may have one.
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

// resets returns the columns that are left to the backend's default.
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

// nameable reports whether a client may set the field.
func clientWritable(f *core.Field) bool {
	return !f.Key() && !f.ReadOnly() && !f.Hidden() && f.Computed() == nil
}
