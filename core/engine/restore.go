package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Restore makes a record present again that was deleted and that the store keeps, with the records that were deleted together
// with it, and returns its view. Match of the options gets the deleted record.
//
// Errors: [core.NotFound] for a record that is not deleted or that the principal may not restore, for an unknown resource, and
// naming the target of a relation that cascades or restricts if it is deleted; [core.AlreadyExists] for a unique value that another
// record has now; [core.Forbidden] for a principal that may restore no records of the resource or of a resource that depends on it;
// [core.BadRequest] for a resource of which the store keeps no records; [core.BadFieldValue] for an id of the wrong type;
// [core.BadParam] for the depth; [core.ReadOnly]; the errors of [core.Store.Tx] and of policies.
func (e *Engine) Restore(ctx context.Context, resource string, id any, opts Write) (View, error) {
	info, key, err := e.writeTarget(ctx, resource, id, &opts)
	if err != nil {
		return View{}, err
	}
	var view View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		if opts.Match != nil {
			deleted, err := w.tx.Deleted().Load(ctx, info.resource, []core.Value{key})
			if err != nil {
				return err
			}
			if len(deleted) == 0 {
				return info.resource.NotFound(key)
			}
			if err := w.checkMatch(ctx, opts, deleted[0]); err != nil {
				return err
			}
		}
		w.writes++
		restored, err := w.tx.Restore(ctx, info.resource, key)
		if err != nil {
			return err
		}
		w.knownOf(info).addUpdated(info, restored[0], true, w.writes)
		view, err = w.viewOf(ctx, info, key, opts.after)
		return err
	})
	return view, err
}
