package engine

import (
	"context"
)

// Update changes the fields of a record that the body names (PATCH). A to-many relation becomes exactly the list
// in the body; a record that is removed from the list is detached, or deleted if the relation cascades. A merge
// into a JSON field that the principal cannot read fails with [core.FieldUpdateForbidden].
//
// Errors: [core.NotFound] for the record, for an unknown resource, and for related records that do not exist or
// are hidden; [core.FieldUpdateForbidden] for a field with a write rule that forbids the change, on the record or on a
// related one; [core.BadRequest] for a list side with more records than [Options.MaxMembers], which can only be
// changed from the other side; otherwise the errors of [Engine.Create].
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
	if e.canUpdateDirectly(info, d, opts) {
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

// updateAndShow applies a draft to an existing record and returns its view after the write. Its calls are the
// steps that the package documentation lists.
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
