package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Delete removes a record, detaches what is related to it, and removes what dies
// with it.
//
// Errors: [core.NotFound]; [core.FieldUpdateForbidden] where a record on the other
// side of a relation does not let it change, or is not visible; [core.TooLarge] if more
// records depend on it than [Options.MaxWritten];
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
		return wk.remove(ctx, dead, true)
	})
}
