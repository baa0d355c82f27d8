package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// Create adds one record for each body, all or none (POST). Write.Match is asked
// once, about no record.
//
// A body's fields are applied in the order of their declaration: first those that
// the record stores, then the relations that other records store. Nested records
// come into being with their own wishes first, then the relation that they are
// nested in is set. Nothing restricts the fields of a record that is born in the
// same request.
//
// A key that nothing generates, see [core.KeySource], is named by the body; so it is by
// those of nested records.
//
// An error that is about one of several bodies has its place as Element. Of a conflict that
// is the last body with the value that is taken, if the backend knows the value.
//
// Errors: [core.NotFound] for an unknown resource and for ids of related records
// that are not there or not visible; [core.UnknownField], [core.FieldReadOnly]
// and [core.BadFieldValue] for what a body says; [core.FieldUpdateForbidden] for
// a related record that may not change; [core.AlreadyExists] for a unique value
// that is taken; [core.BadParam] for the depth; [core.BadRequest] for records
// that are nested too deep and for a body that does not name a key that nothing
// generates; [core.TooLarge].
func (e *Engine) Create(ctx context.Context, resource string, opts Write, bodies ...map[string]any) ([]View, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, err
	}
	if err := e.checkDepth(opts.Depth); err != nil {
		return nil, err
	}
	if len(bodies) > e.opts.MaxRecords {
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the list has more than %d records; send it in parts", e.opts.MaxRecords)}
	}
	drafts, r := make([]*draft, len(bodies)), e.bodyReader(true)
	for i, body := range bodies {
		if drafts[i], err = r.read(info, body, 1); err != nil {
			return nil, (&draft{element: elementIndex(bodies, i)}).errorAt(err)
		}
		drafts[i].element = elementIndex(bodies, i)
	}
	if opts.Match == nil && e.viewCannotFail(info, opts.Depth) && canInsertDirectly(info, drafts) {
		views, err := e.insertDirectly(ctx, info, drafts, opts.Depth)
		return views, conflictError(drafts, err)
	}
	var views []View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		if err := w.checkMatch(ctx, opts, info, core.Record{}); err != nil {
			return err
		}
		w.markCreated(drafts) // they may relate to themselves
		if err := w.requireRelated(ctx, drafts...); err != nil {
			return err
		}
		keys, err := w.createAll(ctx, drafts, preset{})
		if err != nil {
			return err
		}
		views, err = w.viewsOf(ctx, info, keys, opts.Depth)
		return err
	})
	return views, conflictError(drafts, err)
}

// bear notes the keys that bodies of new records name.
func (w *writer) markCreated(drafts []*draft) {
	for _, d := range drafts {
		if key := d.key(); key.IsSet() {
			w.knownOf(d.info).markCreated(key)
		}
	}
}

// preset is the value that a record is created with unless its body names the
// field: the key, or what it is nested in.
type preset struct {
	field *core.Field
	value core.Value
}

// create adds the records, all of one resource, and returns their keys in order.
// Plain ones that follow each other are written together.
func (w *writer) createAll(ctx context.Context, drafts []*draft, given preset) ([]core.Value, error) {
	keys := make([]core.Value, 0, len(drafts))
	for len(drafts) > 0 {
		n := 1
		for drafts[0].batchable && n < len(drafts) && drafts[n].batchable {
			n++
		}
		batch, err := w.createBatch(ctx, drafts[:n], given)
		if err != nil {
			return nil, err
		}
		keys, drafts = append(keys, batch...), drafts[n:]
	}
	return keys, nil
}

// createRun adds plain records, or one of any kind.
func (w *writer) createBatch(ctx context.Context, drafts []*draft, given preset) ([]core.Value, error) {
	info := drafts[0].info
	changes := make([]*change, len(drafts))
	for i, d := range drafts {
		c := newChange(info, d.level)
		c.isNew = true
		if given.field != nil {
			c.set(given.field, given.value)
		}
		if err := w.applyAssignments(ctx, c, d.assignments); err != nil {
			return nil, d.errorAt(err)
		}
		changes[i] = c
	}
	records, err := w.insertChanges(ctx, info, changes)
	if err != nil {
		return nil, batchError(drafts, err)
	}
	keys := make([]core.Value, len(records))
	for i, c := range changes {
		keys[i] = records[i].Key()
		if err := w.setInverseRelations(ctx, c, keys[i]); err != nil {
			return nil, drafts[i].errorAt(err)
		}
	}
	return keys, nil
}
