package engine

import (
	"context"
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
