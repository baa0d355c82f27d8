package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Get returns one record. id is anything that the key's type converts.
//
// Errors: [core.NotFound], for an unknown resource too; [core.BadFieldValue] for
// an id that does not fit; [core.BadParam] for the depth; [core.TooLarge].
func (e *Engine) Get(ctx context.Context, resource string, id any, depth int) (View, error) {
	info, key, err := e.resourceAndKey(resource, id, depth)
	if err != nil {
		return View{}, err
	}
	if e.needsNoReads(info, depth) {
		rec, err := e.readRecord(ctx, e.store, info, key, depth)
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

// record reads as much of a record as the depth shows.
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
