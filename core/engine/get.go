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
	if s.alone(depth) {
		return e.show(ctx, e.store.Session, nil, s, key, depth)
	}
	var view View
	err = e.read(ctx, func(ctx context.Context, tx *core.Transaction) (err error) {
		view, err = e.show(ctx, tx.Session, tx, s, key, depth)
		return err
	})
	return view, err
}

// show reads a record and what it shows of others, which ends the transaction.
func (e *Engine) show(
	ctx context.Context, session core.Session, tx *core.Transaction, s *shape, key core.Value, depth int,
) (View, error) {
	records, err := session.Load(ctx, s.resource, []core.Value{key}, s.fields(depth)...)
	if err != nil {
		return View{}, err
	}
	if len(records) == 0 {
		return View{}, s.resource.NotFound(key)
	}
	return e.resolver(tx, endAlways).view(ctx, s, records[0], depth)
}
