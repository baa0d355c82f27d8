package readonly

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Store returns a decorator that refuses every write. Transactions reach the
// backend as read-only ones.
func Store() core.Decorator {
	every := func(*core.Resource) bool { return true }
	return decorator(every, "the whole store", func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Tx {
				op.Tx.ReadOnly = true
			} else if op.Kind.Writes() {
				return core.Result{}, refusal(op)
			}
			return next(ctx, op)
		}, nil
	})
}

func decorator(readOnly func(*core.Resource) bool, note string, wrap func(*core.Model, core.Handler) (core.Handler, error)) core.Decorator {
	return core.Decorator{Name: "readonly", Note: note, Kind: core.KindPolicy, Repeatable: true, Wrap: wrap, ReadOnly: readOnly}
}

// refusal is the error of a write. Kinds of operations that are about no resource
// may come to be.
func refusal(op *core.Op) error {
	if op.Resource == nil {
		return core.ReadOnly
	}
	return &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
}
