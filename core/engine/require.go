package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// require makes sure, with one operation for each resource, that all records that
// the drafts relate to are there and visible.
func (w *work) require(ctx context.Context, drafts ...*draft) error {
	keys := make([][]core.Value, len(w.tables))
	each(drafts, func(r *core.Resource, key core.Value) {
		keys[r.Index()] = append(keys[r.Index()], key)
	})
	for i, s := range w.engine.shapes {
		if err := w.fetch(ctx, s, keys[i]); err != nil {
			return err
		}
	}
	var missing error
	for _, d := range drafts {
		d.ids(func(r *core.Resource, key core.Value) {
			if f := w.tables[r.Index()][key]; f.record.IsZero() && !f.born && missing == nil {
				missing = d.wrong(r.NotFound(key))
			}
		})
	}
	return missing
}

func each(drafts []*draft, yield func(r *core.Resource, key core.Value)) {
	for _, d := range drafts {
		d.ids(yield)
	}
}
