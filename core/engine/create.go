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
func (e *Engine) Create(ctx context.Context, resource string, w Write, bodies ...map[string]any) ([]View, error) {
	s, err := e.shape(resource)
	if err != nil {
		return nil, err
	}
	if err := e.checkDepth(w.Depth); err != nil {
		return nil, err
	}
	if len(bodies) > e.opts.MaxRecords {
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the list has more than %d records; send it in parts", e.opts.MaxRecords)}
	}
	drafts, reader := make([]*draft, len(bodies)), e.drafter(true)
	for i, body := range bodies {
		if drafts[i], err = reader.draft(s, body, 1); err != nil {
			return nil, (&draft{element: elementOf(bodies, i)}).wrong(err)
		}
		drafts[i].element = elementOf(bodies, i)
	}
	if w.Match == nil && e.flat(s, w.Depth) && canInsertAlone(s, drafts) {
		views, err := e.insertAlone(ctx, s, drafts, w.Depth)
		return views, conflictOf(drafts, err)
	}
	var views []View
	err = e.write(ctx, func(ctx context.Context, wk *work) error {
		if err := wk.match(ctx, w, s, core.Record{}); err != nil {
			return err
		}
		wk.bear(drafts) // they may relate to themselves
		if err := wk.require(ctx, drafts...); err != nil {
			return err
		}
		keys, err := wk.create(ctx, drafts, preset{})
		if err != nil {
			return err
		}
		views, err = wk.show(ctx, s, keys, w.Depth)
		return err
	})
	return views, conflictOf(drafts, err)
}

// bear notes the keys that bodies of new records name.
func (w *work) bear(drafts []*draft) {
	for _, d := range drafts {
		if key := d.key(); key.IsSet() {
			w.table(d.shape).bear(key)
		}
	}
}

// canInsertAlone reports whether one operation does it all. For no records there is
// none, but policies shall be asked nevertheless.
func canInsertAlone(s *shape, drafts []*draft) bool {
	for _, d := range drafts {
		if !d.plain || d.related {
			return false
		}
	}
	return !s.guarded && len(drafts) > 0
}

func (e *Engine) insertAlone(ctx context.Context, s *shape, drafts []*draft, depth int) ([]View, error) {
	records := make([]core.Record, len(drafts))
	for i, d := range drafts {
		c := newChange(s, d.level)
		for _, a := range d.assignments {
			c.set(a.field, a.value)
		}
		records[i] = s.resource.RecordOf(c.values)
	}
	inserted, err := e.store.Insert(ctx, s.resource, records...)
	if err != nil {
		return nil, wrongOf(drafts, err)
	}
	return e.written(ctx, s, inserted, depth)
}

// written shows records that a single operation wrote and committed: as ids, if they
// take more bytes than an answer can have.
func (e *Engine) written(ctx context.Context, s *shape, records []core.Record, depth int) ([]View, error) {
	r := e.resolver(nil, endNever)
	r.committed = true
	views, err := r.views(ctx, s, records, depth)
	if !r.full {
		return views, err
	}
	views = make([]View, len(records))
	for i, n := range (&group{shape: s}).admit(records, true) {
		views[i] = View{n}
	}
	return views, nil
}

// preset is the value that a record is created with unless its body names the
// field: the key, or what it is nested in.
type preset struct {
	field *core.Field
	value core.Value
}

// create adds the records, all of one resource, and returns their keys in order.
// Plain ones that follow each other are written together.
func (w *work) create(ctx context.Context, drafts []*draft, given preset) ([]core.Value, error) {
	keys := make([]core.Value, 0, len(drafts))
	for len(drafts) > 0 {
		n := 1
		for drafts[0].plain && n < len(drafts) && drafts[n].plain {
			n++
		}
		run, err := w.createRun(ctx, drafts[:n], given)
		if err != nil {
			return nil, err
		}
		keys, drafts = append(keys, run...), drafts[n:]
	}
	return keys, nil
}

// createRun adds plain records, or one of any kind.
func (w *work) createRun(ctx context.Context, drafts []*draft, given preset) ([]core.Value, error) {
	s := drafts[0].shape
	changes := make([]*change, len(drafts))
	for i, d := range drafts {
		c := newChange(s, d.level)
		c.create = true
		if given.field != nil {
			c.set(given.field, given.value)
		}
		if err := w.apply(ctx, c, d.assignments); err != nil {
			return nil, d.wrong(err)
		}
		changes[i] = c
	}
	records, err := w.insertChanges(ctx, s, changes)
	if err != nil {
		return nil, wrongOf(drafts, err)
	}
	keys := make([]core.Value, len(records))
	for i, c := range changes {
		keys[i] = records[i].Key()
		if err := w.relateAll(ctx, c, keys[i]); err != nil {
			return nil, drafts[i].wrong(err)
		}
	}
	return keys, nil
}

func (w *work) insertChanges(ctx context.Context, s *shape, changes []*change) ([]core.Record, error) {
	displaced := newMoves(s)
	records := make([]core.Record, len(changes))
	for i, c := range changes {
		if err := w.displace(ctx, c, displaced); err != nil {
			return nil, err
		}
		records[i] = s.resource.RecordOf(c.values)
	}
	if err := w.settle(ctx, displaced); err != nil {
		return nil, err
	}
	inserted, err := w.insert(ctx, s, records)
	if err != nil {
		return nil, err
	}
	return inserted, w.judgeNewcomers(ctx, s, inserted)
}

// judgeNewcomers asks those whom new records point at.
func (w *work) judgeNewcomers(ctx context.Context, s *shape, records []core.Record) error {
	if !s.guarded {
		return nil
	}
	for _, f := range s.resource.References() {
		if err := w.judgePartners(ctx, f.Inverse(), targets(f, records)); err != nil {
			return err
		}
	}
	return nil
}

// targets returns the keys that the records point at, ascending and each once; an
// absent one for those that a policy hides.
func targets(f *core.Field, records []core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}
