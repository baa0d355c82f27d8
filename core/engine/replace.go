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
// database such as now(), fields and ids of records that a policy hides, and list sides that the client cannot have seen
// in full (longer than [Options.MaxMembers], or named with NAME@next in the body). The same Replace twice therefore has
// the effect of one, unless the body creates nested records.
//
// Errors: [core.AlreadyExists] for the key of a hidden record; [core.BadFieldValue] for a new integer key outside
// the bounds of [core.KeySource], which leave room for generated keys; [core.NotFound] for a new key if [Options]
// GeneratedKeysOnly forbids it; otherwise the errors of [Engine.Update].
func (e *Engine) Replace(
	ctx context.Context, resource string, id any, opts Write, body map[string]any,
) (_ View, created bool, _ error) {
	info, key, err := e.writeTarget(ctx, resource, id, &opts)
	if err != nil {
		return View{}, false, err
	}
	r := e.bodyReader(ctx, false, e.opts.MaxWritten)
	r.setReadOnly, r.key = opts.SetReadOnly, key
	d, err := r.read(info, body, 1)
	if err != nil {
		return View{}, false, err
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		rec, err := w.loadMatch(ctx, info, key, opts)
		if err != nil {
			return err
		}
		if err := w.checkRepeated(ctx, d, rec); err != nil {
			return err
		}
		if created = rec.IsZero(); created {
			view, err = w.createWithKey(ctx, d, key, opts.after)
			return err
		}
		c := newChange(info, d.level)
		c.before, c.partialLists = rec, d.partialLists
		c.resetColumns()
		view, err = w.updateAndShow(ctx, planUpdate(d, true), c, opts.after)
		return err
	})
	return view, created && err == nil, err
}

// createWithKey creates a record with the key that the client chose.
func (w *writer) createWithKey(ctx context.Context, d *draft, key core.Value, shown look) (View, error) {
	if w.engine.opts.GeneratedKeysOnly && !d.info.keySource.Assigned {
		return View{}, d.info.resource.NotFound(key)
	}
	if err := d.info.checkChosenKey(key); err != nil {
		return View{}, err
	}
	w.markCreated(d.info, key)
	p := planCreate([]*draft{d}, preset{d.info.resource.Key(), ref{key: key}})
	for i, v := range d.info.resource.Key().Split(key) {
		if part := d.info.resource.Key().Parts()[i]; part.Target() != nil {
			p.related = append(p.related, relatedRecord{resource: part.Target(), key: v})
		}
	}
	if err := w.checkRelated(ctx, p.related); err != nil {
		return View{}, err
	}
	if _, err := w.execute(ctx, p, nil); err != nil {
		return View{}, err
	}
	return w.viewOf(ctx, d.info, key, shown)
}
