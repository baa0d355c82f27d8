package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// Update changes the fields of a record that the body names (PATCH). A relation
// that is named becomes exactly what the body says; a record that is dropped from
// it is detached, or deleted if it cascades. A merge into a JSON field that the
// principal cannot read is [core.FieldUpdateForbidden].
//
// Errors: [core.NotFound] for the record, an unknown resource, and ids of related
// records that are not there or not visible; [core.FieldUpdateForbidden] for a
// field that the record, or one related to it, does not let change; [core.BadRequest]
// for a list side that holds more records than [Options.MaxMembers], which is changed
// on the other side; otherwise those of [Engine.Create].
func (e *Engine) Update(ctx context.Context, resource string, id any, w Write, body map[string]any) (View, error) {
	s, key, err := e.target(resource, id, w.Depth)
	if err != nil {
		return View{}, err
	}
	reader := e.drafter(false)
	reader.merge = w.Merge
	d, err := reader.draft(s, body, 1)
	if err != nil {
		return View{}, err
	}
	if w.Match == nil && e.flat(s, w.Depth) && d.plain && !d.related && !d.before && len(d.assignments) > 0 {
		return e.updateAlone(ctx, d, key, w.Depth)
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, wk *work) error {
		c, err := wk.changeOf(ctx, d, key, w)
		if err != nil {
			return err
		}
		view, err = wk.change(ctx, c, d, w.Depth)
		return err
	})
	return view, err
}

// updateAlone does it in one operation.
func (e *Engine) updateAlone(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	c := newChange(d.shape, d.level)
	c.set(d.shape.resource.Key(), key)
	for _, a := range d.assignments {
		c.set(a.field, a.value)
	}
	updated, err := e.store.Update(ctx, d.shape.resource, d.shape.resource.RecordOf(c.values))
	if err != nil {
		return View{}, err
	}
	views, err := e.written(ctx, d.shape, updated, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// changeOf begins the change of a record, which it reads only if the change
// depends on it.
func (w *work) changeOf(ctx context.Context, d *draft, key core.Value, wr Write) (*change, error) {
	c := newChange(d.shape, d.level)
	c.set(d.shape.resource.Key(), key)
	if wr.Match == nil && !d.before && d.writes() {
		return c, nil
	}
	rec, err := w.load(ctx, d.shape, key)
	if err != nil {
		return nil, err
	}
	if err := w.match(ctx, wr, d.shape, rec); err != nil {
		return nil, err
	}
	if rec.IsZero() {
		return nil, d.shape.resource.NotFound(key)
	}
	c.before = rec
	return c, nil
}

// change applies a draft to a record that is there and shows the outcome.
func (w *work) change(ctx context.Context, c *change, d *draft, depth int) (View, error) {
	if err := w.require(ctx, d); err != nil {
		return View{}, err
	}
	if err := w.apply(ctx, c, d.assignments); err != nil {
		return View{}, err
	}
	if c.replace {
		if err := w.empty(ctx, c); err != nil {
			return View{}, err
		}
	}
	if err := w.save(ctx, c); err != nil {
		return View{}, err
	}
	if err := w.relateAll(ctx, c, c.key()); err != nil {
		return View{}, err
	}
	return w.showOne(ctx, c.shape, c.key(), depth)
}

// save writes the columns of a change. Those that a client named are written
// even if they hold the same value already, so that whether a policy is asked
// does not depend on the data; what is restricted is asked only for true changes.
func (w *work) save(ctx context.Context, c *change) error {
	if !c.writes() {
		return nil
	}
	if err := w.judgeColumns(ctx, c); err != nil {
		return err
	}
	displaced := newMoves(c.shape)
	if err := w.displace(ctx, c, displaced); err != nil {
		return err
	}
	displaced.patches.put(c.key(), c.values)
	displaced.patches.reset = c.resets()
	if err := w.settle(ctx, displaced); err != nil {
		return err
	}
	return w.judgeResets(ctx, c)
}

// judgeColumns asks the record about each column that really changes, and its
// old and new partners about theirs. Without a record nothing is restricted.
func (w *work) judgeColumns(ctx context.Context, c *change) error {
	if c.before.IsZero() {
		return nil
	}
	if err := w.keepHidden(ctx, c); err != nil {
		return err
	}
	for i, f := range c.shape.resource.Columns() {
		old, now := c.before.At(i), c.values[i]
		if now.IsAbsent() || now == old || isEmpty(f, now) && isEmpty(f, old) {
			continue
		}
		if !c.isReset(i) {
			if err := w.judge(ctx, f, c.before, f.Resource()); err != nil {
				return err
			}
		}
		if err := w.judgePartners(ctx, f.Inverse(), present(old, now)); err != nil {
			return err
		}
	}
	return nil
}

// judgeResets asks the record about the columns that were left to the backend's
// default: only the written record shows which of them really changed. A column that
// a policy hides counts as changed.
func (w *work) judgeResets(ctx context.Context, c *change) error {
	after := w.table(c.shape).record(c.key())
	if after.IsZero() {
		return nil
	}
	for _, f := range c.resets() {
		old, now := c.before.At(f.Column()), after.At(f.Column())
		if now == old && !now.IsAbsent() || isEmpty(f, now) && isEmpty(f, old) {
			continue
		}
		if err := w.judge(ctx, f, c.before, f.Resource()); err != nil {
			return err
		}
	}
	return nil
}

// isEmpty reports whether v is one of the two spellings of a list without
// members.
func isEmpty(f *core.Field, v core.Value) bool {
	return f.Many() && (v.IsNull() || v == core.ListOf())
}

// present returns the values that are not null, ascending and each once.
func present(values ...core.Value) []core.Value {
	return core.SortKeys(slices.DeleteFunc(values, core.Value.IsNull))
}
