package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// require makes sure, with one operation for each resource, that all records that
// the drafts relate to are there and visible.
func (w *writer) requireRelated(ctx context.Context, drafts ...*draft) error {
	keys := make([][]core.Value, len(w.known))
	eachID(drafts, func(r *core.Resource, key core.Value) {
		keys[r.Index()] = append(keys[r.Index()], key)
	})
	for i, info := range w.engine.resources {
		if err := w.loadUnknown(ctx, info, keys[i]); err != nil {
			return err
		}
	}
	var missing error
	for _, d := range drafts {
		d.relatedIDs(func(r *core.Resource, key core.Value) {
			if known := w.known[r.Index()][key]; known.record.IsZero() && !known.created && missing == nil {
				missing = d.errorAt(r.NotFound(key))
			}
		})
	}
	return missing
}

func eachID(drafts []*draft, yield func(r *core.Resource, key core.Value)) {
	for _, d := range drafts {
		d.relatedIDs(yield)
	}
}
