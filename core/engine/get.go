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
	s, key, err := e.target(resource, id, depth)
	if err != nil {
		return View{}, err
	}
	if e.alone(s, depth) {
		rec, err := e.record(ctx, e.store, s, key, depth)
		if err != nil {
			return View{}, err
		}
		return e.resolver(nil, endNever).view(ctx, s, rec, depth)
	}
	var view View
	err = e.show(ctx, func(ctx context.Context, tx *core.Transaction, ending ending) error {
		rec, err := e.record(ctx, tx, s, key, depth)
		if err != nil {
			return err
		}
		view, err = e.resolver(tx, ending).view(ctx, s, rec, depth)
		return err
	})
	return view, err
}

// record reads as much of a record as the depth shows.
func (e *Engine) record(ctx context.Context, querier core.Querier, s *shape, key core.Value, depth int) (core.Record, error) {
	if depth > 0 {
		return querier.Get(ctx, s.resource, key)
	}
	records, err := querier.Load(ctx, s.resource, []core.Value{key}, s.onlyKey...)
	if err == nil && len(records) == 0 {
		err = s.resource.NotFound(key)
	}
	if err != nil {
		return core.Record{}, err
	}
	return records[0], nil
}
