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
func (e *Engine) Delete(ctx context.Context, resource string, id any, opts Write) error {
	info, key, err := e.resourceAndKey(resource, id, opts.Depth)
	if err != nil {
		return err
	}
	if opts.Match == nil && !info.inverseRules && len(info.resource.Referrers()) == 0 {
		return e.store.Delete(ctx, info.resource, key)
	}
	return e.write(ctx, func(ctx context.Context, w *writer) error {
		rec, err := w.load(ctx, info, key)
		if err != nil {
			return err
		}
		if err := w.checkMatch(ctx, opts, info, rec); err != nil {
			return err
		}
		if rec.IsZero() {
			return info.resource.NotFound(key)
		}
		pending := newPendingWrites(info)
		pending.deletions = []core.Value{key}
		return detachError(w.cascadeDelete(ctx, pending, true))
	})
}

// undetached returns the error of detaching records from one that is deleted. A field
// that may not be written is none that the client named: it stands in the way.
func detachError(err error) error {
	if !errors.Is(err, core.FieldReadOnly) {
		return err
	}
	e := core.AsError(err)
	return &core.Error{Code: core.FieldUpdateForbidden, Resource: e.Resource, Field: e.Field, Cause: err}
}
