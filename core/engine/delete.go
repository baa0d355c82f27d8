package engine

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

// Delete removes a record, detaches what is related to it, and removes what dies
// with it.
//
// Errors: [core.NotFound]; [core.FieldUpdateForbidden] where a record on the other
// side of a relation does not let it change, is not visible, or stores the relation in
// a field that the principal may not write; [core.TooLarge] if more records depend on it
// than [Options.MaxWritten];
// [core.BadFieldValue] for an id that does not fit; [core.BadParam] for the depth.
func (e *Engine) Delete(ctx context.Context, resource string, id any, w Write) error {
	s, key, err := e.target(resource, id, w.Depth)
	if err != nil {
		return err
	}
	if w.Match == nil && !s.guarded && len(s.resource.Referrers()) == 0 {
		return e.store.Delete(ctx, s.resource, key)
	}
	return e.write(ctx, func(ctx context.Context, wk *work) error {
		rec, err := wk.load(ctx, s, key)
		if err != nil {
			return err
		}
		if err := wk.match(ctx, w, s, rec); err != nil {
			return err
		}
		if rec.IsZero() {
			return s.resource.NotFound(key)
		}
		dead := newMoves(s)
		dead.dying = []core.Value{key}
		return undetached(wk.remove(ctx, dead, true))
	})
}

// undetached returns the error of detaching records from one that is deleted. A field
// that may not be written is none that the client named: it stands in the way.
func undetached(err error) error {
	if !errors.Is(err, core.FieldReadOnly) {
		return err
	}
	e := core.AsError(err)
	return &core.Error{Code: core.FieldUpdateForbidden, Resource: e.Resource, Field: e.Field, Cause: err}
}
