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
func (e *Engine) Update(ctx context.Context, resource string, id any, opts Write, body map[string]any) (View, error) {
	info, key, err := e.resourceAndKey(resource, id, opts.Depth)
	if err != nil {
		return View{}, err
	}
	r := e.bodyReader(false)
	r.merge = opts.Merge
	d, err := r.read(info, body, 1)
	if err != nil {
		return View{}, err
	}
	if opts.Match == nil && e.viewCannotFail(info, opts.Depth) && d.batchable && !d.namesRelated && !d.needsBefore && len(d.assignments) > 0 {
		return e.updateDirectly(ctx, d, key, opts.Depth)
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		c, err := w.beginChange(ctx, d, key, opts)
		if err != nil {
			return err
		}
		view, err = w.updateAndShow(ctx, c, d, opts.Depth)
		return err
	})
	return view, err
}

// updateAlone does it in one operation.
func (e *Engine) updateDirectly(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	c := newChange(d.info, d.level)
	c.set(d.info.resource.Key(), key)
	for _, a := range d.assignments {
		c.set(a.field, a.value)
	}
	updated, err := e.store.Update(ctx, d.info.resource, d.info.resource.RecordOf(c.values))
	if err != nil {
		return View{}, err
	}
	views, err := e.committedViews(ctx, d.info, updated, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// changeOf begins the change of a record, which it reads only if the change
// depends on it.
func (w *writer) beginChange(ctx context.Context, d *draft, key core.Value, opts Write) (*change, error) {
	c := newChange(d.info, d.level)
	c.set(d.info.resource.Key(), key)
	if opts.Match == nil && !d.needsBefore && d.writesColumns() {
		return c, nil
	}
	rec, err := w.load(ctx, d.info, key)
	if err != nil {
		return nil, err
	}
	if err := w.checkMatch(ctx, opts, d.info, rec); err != nil {
		return nil, err
	}
	if rec.IsZero() {
		return nil, d.info.resource.NotFound(key)
	}
	c.before = rec
	return c, nil
}

// change applies a draft to a record that is there and shows the outcome.
func (w *writer) updateAndShow(ctx context.Context, c *change, d *draft, depth int) (View, error) {
	if err := w.requireRelated(ctx, d); err != nil {
		return View{}, err
	}
	if err := w.applyAssignments(ctx, c, d.assignments); err != nil {
		return View{}, err
	}
	if c.isReplace {
		if err := w.clearRelations(ctx, c); err != nil {
			return View{}, err
		}
	}
	if err := w.saveColumns(ctx, c); err != nil {
		return View{}, err
	}
	if err := w.setInverseRelations(ctx, c, c.key()); err != nil {
		return View{}, err
	}
	return w.viewOf(ctx, c.info, c.key(), depth)
}

// save writes the columns of a change. Those that a client named are written
// even if they hold the same value already, so that whether a policy is asked
// does not depend on the data; what is restricted is asked only for true changes.
func (w *writer) saveColumns(ctx context.Context, c *change) error {
	if !c.writesColumns() {
		return nil
	}
	if err := w.checkColumnRules(ctx, c); err != nil {
		return err
	}
	pending := newPendingWrites(c.info)
	if err := w.detachHolders(ctx, c, pending); err != nil {
		return err
	}
	pending.updates.add(c.key(), c.values)
	pending.updates.reset = c.resetFields()
	if err := w.flush(ctx, pending); err != nil {
		return err
	}
	return w.checkResetRules(ctx, c)
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
