package kittest

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Handle is the code of a decorator for one op.
type Handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)

// Decorator returns a decorator that calls do for each op. It declares that it knows conditions on related records.
func Decorator(name string, layer core.DecoratorKind, do Handle) core.Decorator {
	return core.Decorator{Name: name, Kind: layer, KnowsRelated: layer != core.KindObserve, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return do(ctx, op, next) }, nil
	}}
}
