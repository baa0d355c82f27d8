package engine

import "context"

// Update changes the fields of a record that the body names (PATCH). A to-many relation becomes exactly the list
// in the body; a record that is removed from the list is detached or deleted, see [core.Orphans]. A merge
// into a JSON field that the principal cannot read fails with [core.FieldUpdateForbidden].
//
// The body may be a representation that the client has read at depth 1, for Update and [Engine.Replace]: the key, a
// read-only field and a computed field are accepted with the value that the principal reads in the record before the
// change. Any other value is [core.FieldReadOnly], and so is every value of a field that the principal cannot read in
// this record. The setter of a computed field does not run if the field has the value already. A list side may be sent
// with its NAME@next if the list is the shown one.
//
// Errors: [core.NotFound] for the record, for an unknown resource, and for related records that do not exist or
// are hidden; [core.FieldUpdateForbidden] for a field with a write rule that forbids the change, on the record or on a
// related one; [core.BadRequest] for a list side with more records than [Options.MaxMembers], which can only be
// changed from the other side; otherwise the errors of [Engine.Create].
func (e *Engine) Update(ctx context.Context, resource string, id any, opts Write, body map[string]any) (View, error) {
	info, key, err := e.writeTarget(ctx, resource, id, &opts)
	if err != nil {
		return View{}, err
	}
	r := e.bodyReader(ctx, false, e.opts.MaxWritten)
	r.merge, r.setReadOnly, r.key = opts.Merge, opts.SetReadOnly, key
	d, err := r.read(info, body, 1)
	if err != nil {
		return View{}, err
	}
	direct, err := e.canUpdateDirectly(ctx, d, opts)
	if err != nil {
		return View{}, err
	}
	if direct {
		return e.updateDirectly(ctx, d, key, opts.after)
	}
	p := planUpdate(d, false)
	var view View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		c := newChange(info, d.level)
		c.set(info.resource.Key(), key)
		if opts.Match != nil || d.needsBefore || !d.writesColumns() {
			if c.before, err = w.loadMatch(ctx, info, key, opts); err != nil {
				return err
			}
			if c.before.IsZero() {
				return info.resource.NotFound(key)
			}
			if err := w.checkRepeated(ctx, d, c.before); err != nil {
				return err
			}
		}
		view, err = w.updateAndShow(ctx, p, c, opts.after)
		return err
	})
	return view, err
}

// updateAndShow executes the plan on the change of an existing record and returns the view after the write.
func (w *writer) updateAndShow(ctx context.Context, p *plan, c *change, shown look) (View, error) {
	if err := w.checkRelated(ctx, p.related); err != nil {
		return View{}, err
	}
	if _, err := w.execute(ctx, p, c); err != nil {
		return View{}, err
	}
	return w.viewOf(ctx, c.info, c.key(), shown)
}
