package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// compute fills the computed fields of the nodes.
func (r *resolver) compute(ctx context.Context, g *group) error {
	for _, at := range g.shape.computed {
		for _, n := range g.nodes {
			v, err := computed(ctx, at.field, n.record)
			if err != nil {
				return err
			}
			n.parts[at.part].value = v
			if err := r.take(n.times, 0, v.JSONSize()); err != nil {
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
