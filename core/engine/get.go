package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Get returns one record at a depth (GET): the id at depth 0, its fields with related records at depth-1
// otherwise. id can be any value that the type of the key converts, such as 7 and "7" for an integer key.
//
// Errors: [core.NotFound] for the record and for an unknown resource; [core.BadFieldValue] for an id of the wrong
// type; [core.BadParam] for the depth; [core.TooLarge]; the errors of [core.Store.Get] and of policies.
func (e *Engine) Get(ctx context.Context, resource string, id any, depth int) (View, error) {
	info, key, err := e.resourceAndKey(resource, id, depth)
	if err != nil {
		return View{}, err
	}
	alone, err := e.needsNoReads(ctx, info, depth)
	if err != nil {
		return View{}, err
	}
	if alone {
		rec, err := e.readRecord(ctx, e.querier(), info, key, depth)
		if err != nil {
			return View{}, err
		}
		return e.viewBuilder(nil, neverFinal).view(ctx, info, rec, depth)
	}
	var view View
	err = e.readFinal(ctx, func(ctx context.Context, tx *core.Transaction, ending finality) error {
		rec, err := e.readRecord(ctx, tx, info, key, depth)
		if err != nil {
			return err
		}
		view, err = e.viewBuilder(tx, ending).view(ctx, info, rec, depth)
		return err
	})
	return view, err
}

// readRecord reads the columns of a record that the depth needs.
func (e *Engine) readRecord(ctx context.Context, querier core.Querier, info *resourceInfo, key core.Value, depth int) (core.Record, error) {
	if depth > 0 {
		return querier.Get(ctx, info.resource, key)
	}
	records, err := querier.Load(ctx, info.resource, []core.Value{key}, info.keyOnly...)
	if err == nil && len(records) == 0 {
		err = info.resource.NotFound(key)
	}
	if err != nil {
		return core.Record{}, err
	}
	return records[0], nil
}
