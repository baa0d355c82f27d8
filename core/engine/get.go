package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Get returns one record at a depth (GET): the id at depth 0, its fields with related records at depth-1
// otherwise. id can be any value that the type of the key converts, such as 7 and "7" for an integer key. With fields, the
// record shows only these, see [Query.Fields].
//
// Errors: [core.NotFound] for the record and for an unknown resource; [core.BadFieldValue] for an id of the wrong
// type; [core.BadParam] for the depth and the fields; [core.UnknownField] for the fields; [core.TooLarge]; the errors of
// [core.Store.Get] and of policies.
func (e *Engine) Get(ctx context.Context, resource string, id any, depth int, fields ...string) (View, error) {
	return e.get(ctx, resource, id, depth, fields, func(q core.Querier) core.Querier { return q })
}

// GetDeleted is [Engine.Get] of a record that was deleted and that the principal may restore, see [core.Store.Deleted].
func (e *Engine) GetDeleted(ctx context.Context, resource string, id any, depth int, fields ...string) (View, error) {
	return e.get(ctx, resource, id, depth, fields, core.Querier.Deleted)
}

// get is Get from the records that from returns.
func (e *Engine) get(ctx context.Context, resource string, id any, depth int, fields []string, from func(core.Querier) core.Querier) (View, error) {
	info, key, err := e.resourceAndKey(resource, id)
	if err != nil {
		return View{}, err
	}
	shown, err := e.look(ctx, info, fields, depth)
	if err != nil {
		return View{}, err
	}
	alone, err := e.needsNoReads(ctx, shown.info, shown.depth)
	if err != nil {
		return View{}, err
	}
	if alone {
		rec, err := shown.read(ctx, from(e.querier()), key)
		if err != nil {
			return View{}, err
		}
		return e.viewBuilder(nil, neverFinal).view(ctx, shown.info, rec, shown.depth)
	}
	var view View
	err = e.readFinal(ctx, func(ctx context.Context, tx *core.Transaction, ending finality) error {
		rec, err := shown.read(ctx, from(tx), key)
		if err != nil {
			return err
		}
		view, err = e.viewBuilder(tx, ending).view(ctx, shown.info, rec, shown.depth)
		return err
	})
	return view, err
}

// read reads the columns of a record that the look needs.
func (l look) read(ctx context.Context, querier core.Querier, key core.Value) (core.Record, error) {
	r, fields := l.info.resource, l.info.fieldsAt(l.depth)
	if fields == nil {
		return querier.Get(ctx, r, key)
	}
	records, err := querier.Load(ctx, r, []core.Value{key}, fields...)
	if err == nil && len(records) == 0 {
		err = r.NotFound(key)
	}
	if err != nil {
		return core.Record{}, err
	}
	return records[0], nil
}
