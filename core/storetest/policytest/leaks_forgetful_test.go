package policytest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// forgetfulLeaks guard some operations only.
var forgetfulLeaks = []leak{
	{
		name:    "guards only Select",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows", "updates are guarded by Using", "deletes are guarded by Using"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind != core.Select && op.Kind != core.Insert }),
	},
	{
		name: "guards only outside of transactions",
		caught: []string{
			"reads are guarded by Using", "reads return all readable rows", "hidden is indistinguishable from absent", "updates are guarded by Check",
		},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Tx != nil }),
	},
	{
		name:    "does not guard Count",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Count }),
	},
	{
		name:    "aggregates past the guard",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows", "hidden is indistinguishable from absent"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Aggregate }),
	},
	{
		name:   "sets no Check on Update",
		caught: []string{"updates are guarded by Check", "writes change allowed rows only"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Update {
				op.Using = core.And(op.Using, mine(op))
				return next(ctx, op)
			}
			own(op)
			return next(ctx, op)
		}),
	},
	{
		name:    "sets no Using on Delete",
		caught:  []string{"deletes are guarded by Using", "writes change allowed rows only", "hidden is indistinguishable from absent"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Delete }),
	},
	{
		name:    "stamps inserts and does not guard updates",
		caught:  []string{"updates are guarded by Using", "updates are guarded by Check", "writes change allowed rows only"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Update }),
	},
	{
		name:   "accepts the owner of an inserted row from the client",
		caught: []string{"inserts are guarded by Check", "writes change allowed rows only"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Insert {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:    "drops the guard when there is a limit",
		caught:  []string{"reads are guarded by Using", "pages are full"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Limit > 0 }),
	},
	{
		name: "guards resources with one key field only",
		caught: []string{
			"reads are guarded by Using", "updates are guarded by Using", "deletes are guarded by Using", "updates are guarded by Check", "inserts are guarded by Check",
			"hidden is indistinguishable from absent", "writes change allowed rows only", "pages are full",
		},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Resource.Key().Parts() != nil }),
	},
	{
		name:    "drops the guard when a page is continued",
		caught:  []string{"pages are full"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.After != nil }),
	},
	{
		name:    "drops the guard when several records are loaded",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Load && len(op.Keys) > 1 }),
	},
	{
		name:    "does not guard the record of a list of related records",
		differs: "engine",
		spec: unless(func(op *core.Op) bool {
			return op.Kind == core.Load && op.Tx != nil && op.Resource.Name() == "plate" && len(op.Fields) > 0
		}),
	},
	{
		name:    "drops the guard when only ids are to be shown",
		caught:  []string{"ids without a read lead to readable rows"},
		differs: "engine",
		spec: unless(func(op *core.Op) bool {
			return op.Kind == core.Visibility && op.Where.Kind() == core.FilterAll && slices.Equal(op.Fields, []*core.Field{op.Resource.Key()})
		}),
	},
	{
		name:   "drops the guard when an operation is repeated",
		caught: []string{"repeated operations are guarded"},
		spec:   unless(func(op *core.Op) bool { return op.Attempt() > 1 }),
	},
	{
		name:   "ignores errors of inner decorators",
		caught: []string{"errors are returned"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			res, err := next(ctx, op)
			if errors.Is(err, core.ServerError) {
				err = nil
			}
			return res, err
		}),
	},
	{
		name:    "does not guard one resource",
		caught:  []string{"reads are guarded by Using", "writes change allowed rows only"},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Resource.Name() == "crumb" && op.Kind != core.Insert }),
	},
	{
		name:   "puts the guard into Where",
		caught: []string{"reads are guarded by Using", "updates are guarded by Using", "deletes are guarded by Using"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Insert {
				own(op)
			}
			op.Where = core.And(op.Where, mine(op))
			return next(ctx, op)
		}),
	},
	{
		name:   "does not guard unknown kinds",
		caught: []string{"unknown kinds are guarded"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if slices.Contains(core.Kinds(), op.Kind) {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:   "denies everything",
		caught: []string{"allowed operations succeed"},
		spec: leaky(func(_ context.Context, op *core.Op, _ core.Handler) (core.Result, error) {
			return core.Result{}, op.Resource.Forbidden()
		}),
	},
	{
		name:   "denies reads of readable rows",
		caught: []string{"reads return all readable rows", "pages are full"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Select && op.Resource.Name() == "jar" {
				return core.Result{}, op.Resource.Forbidden()
			}
			return next(ctx, op)
		}),
	},
}
