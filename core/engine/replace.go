package engine

import (
	"context"
	"slices"

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
	ctx context.Context, resource string, id any, w Write, body map[string]any,
) (_ View, created bool, _ error) {
	s, key, err := e.target(resource, id, w.Depth)
	if err != nil {
		return View{}, false, err
	}
	d, err := e.drafter(false).draft(s, body, 1)
	if err != nil {
		return View{}, false, err
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, wk *work) error {
		rec, err := wk.load(ctx, s, key)
		if err != nil {
			return err
		}
		if err := wk.match(ctx, w, s, rec); err != nil {
			return err
		}
		if created = rec.IsZero(); created {
			view, err = wk.createAt(ctx, d, key, w.Depth)
			return err
		}
		c := newChange(s, d.level)
		c.before, c.replace, c.partial = rec, true, d.partial
		c.reset()
		view, err = wk.change(ctx, c, d, w.Depth)
		return err
	})
	return view, created && err == nil, err
}

// createAt creates a record with the key that the client chose.
func (w *work) createAt(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	if w.engine.opts.GeneratedKeysOnly && !d.shape.keys.Assigned {
		return View{}, d.shape.resource.NotFound(key)
	}
	if err := d.shape.checkChosen(key); err != nil {
		return View{}, err
	}
	w.table(d.shape).bear(key) // it may relate to itself
	if err := w.require(ctx, d); err != nil {
		return View{}, err
	}
	if _, err := w.create(ctx, []*draft{d}, preset{d.shape.resource.Key(), key}); err != nil {
		return View{}, err
	}
	return w.showOne(ctx, d.shape, key, depth)
}

// reset has every column that a client can name go back to what it is in a new
// record; a draft is applied to that. Where the model has no default, the backend
// may have one.
func (c *change) reset() {
	c.set(c.shape.resource.Key(), c.before.Key())
	c.unnamed = make([]bool, len(c.values))
	for i, f := range c.shape.resource.Columns() {
		if !nameable(f) || f.HasDefaultFunc() {
			continue
		}
		if v := f.ConstantDefault(); v.IsAbsent() {
			c.values[i], c.unnamed[i] = core.Null, true
		} else {
			c.values[i] = v
		}
	}
}

// resets returns the columns that are left to the backend's default.
func (c *change) resets() (fields []*core.Field) {
	for i, f := range c.shape.resource.Columns() {
		if c.isReset(i) {
			fields = append(fields, f)
		}
	}
	return fields
}

// isReset reports whether column i is left to the backend's default.
func (c *change) isReset(i int) bool { return i < len(c.unnamed) && c.unnamed[i] }

// nameable reports whether a client may set the field.
func nameable(f *core.Field) bool {
	return !f.Key() && !f.ReadOnly() && !f.Hidden() && f.Computed() == nil
}

// empty empties the relations that other records store and that the change does
// not set, as far as a client could name them.
func (w *work) empty(ctx context.Context, c *change) error {
	for _, f := range c.shape.resource.Fields() {
		set := slices.ContainsFunc(c.later, func(m membership) bool { return m.field == f })
		if f.Stored() || !nameable(f) || set || slices.Contains(c.partial, f) {
			continue
		}
		if err := w.relate(ctx, c, c.key(), membership{assignment: assignment{field: f}, unnamed: true}); err != nil {
			return err
		}
	}
	return nil
}
