package engine

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

// Delete removes a record (DELETE). Records that point at it are detached, deleted, or forbid the delete, see
// [core.OnDelete]. A list without an inverse keeps the key stored and does not show it; a later record with the same
// key is in the list again. If the store keeps the deleted records of the resource, see [core.Store.Keeps], records stay attached
// to a deleted one, which is absent for them until [Engine.Restore].
//
// Errors: [core.NotFound] for the record and for an unknown resource; [core.StillReferenced] naming the relation if it
// has the rule Restrict, if a hidden record points at the record, or if the delete would write more records than
// [Options.MaxWritten]; [core.FieldUpdateForbidden] naming the relation if a related record cannot be detached, because
// its write rule forbids it or the principal may not write the field; [core.BadFieldValue] for an id of the wrong type;
// [core.BadParam] for the depth; [core.ReadOnly] for a resource that the model declares read-only; the errors of
// [core.Store.Tx] and of policies.
func (e *Engine) Delete(ctx context.Context, resource string, id any, opts Write) error {
	info, key, err := e.writeTarget(ctx, resource, id, &opts)
	if err != nil {
		return err
	}
	if e.canDeleteDirectly(info, opts) {
		return e.store.Delete(ctx, info.resource, key)
	}
	return e.write(ctx, func(ctx context.Context, w *writer) error {
		rec, err := w.loadMatch(ctx, info, key, opts)
		if err != nil {
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

// detachError converts the error of detaching records from a deleted one. The client did not name the field of the
// other record, so a field that it may not write is reported as [core.FieldUpdateForbidden].
func detachError(err error) error {
	if !errors.Is(err, core.FieldReadOnly) {
		return err
	}
	e := core.AsError(err)
	return &core.Error{Code: core.FieldUpdateForbidden, Resource: e.Resource, Field: e.Field, Cause: err}
}
