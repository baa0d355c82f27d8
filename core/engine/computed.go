package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// compute fills the computed fields of the nodes.
func (b *viewBuilder) compute(ctx context.Context, g *nodeGroup) error {
	for _, shown := range g.info.computed {
		for _, n := range g.nodes {
			v, err := computed(ctx, shown.field, n.record)
			if err != nil {
				return err
			}
			n.parts[shown.part].value = v
			if err := b.spend(n.times, 0, v.JSONSize()); err != nil {
				return err
			}
		}
	}
	return nil
}

func computed(ctx context.Context, f *core.Field, rec core.Record) (core.Value, error) {
	raw, err := f.Computed().Get(ctx, rec)
	if err != nil {
		return core.Value{}, core.AsError(fmt.Errorf("computing %s: %w", f, err))
	}
	v, err := core.JSON.Convert(raw)
	if err != nil {
		return core.Value{}, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("computing %s: converting the %T that Get returned to JSON: %w", f, raw, err)}
	}
	return v, nil
}
