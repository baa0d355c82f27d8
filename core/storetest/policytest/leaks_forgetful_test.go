package policytest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// forgetfulLeaks guard some operations and forget others.
var forgetfulLeaks = []leak{
	{
		name:    "guards only Select",
		caught:  []string{"reads meet what is seen", "reads return what is seen", "updates meet what may be changed", "deletes meet what may be deleted"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind != core.Select && op.Kind != core.Insert }),
	},
	{
		name: "guards only outside of transactions",
		caught: []string{
			"reads meet what is seen", "reads return what is seen", "hidden is indistinguishable from absent", "updates leave what may be left",
		},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Tx != nil }),
	},
	{
		name:    "forgets Count",
		caught:  []string{"reads meet what is seen", "reads return what is seen"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Count }),
	},
	{
		name:   "forgets Check on Update",
		caught: []string{"updates leave what may be left", "writes touch what may be touched"},
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
		name:    "forgets Using on Delete",
		caught:  []string{"deletes meet what may be deleted", "writes touch what may be touched", "hidden is indistinguishable from absent"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Delete }),
	},
	{
		name:    "stamps on insert and does not guard updates",
		caught:  []string{"updates meet what may be changed", "updates leave what may be left", "writes touch what may be touched"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Update }),
	},
	{
		name:   "takes the owner of an inserted row from the client",
		caught: []string{"inserts leave what may be left", "writes touch what may be touched"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Insert {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:    "drops the guard when there is a limit",
		caught:  []string{"reads meet what is seen", "pages are full"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Limit > 0 }),
	},
	{
		name:    "drops the guard when a page is continued",
		caught:  []string{"pages are full"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.After != nil }),
	},
	{
		name:    "drops the guard when several are loaded, as relations are",
		caught:  []string{"reads meet what is seen", "reads return what is seen"},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Load && len(op.Keys) > 1 }),
	},
	{
		name:   "drops the guard when an operation is repeated",
		caught: []string{"what is repeated is guarded again"},
		spec:   unless(func(op *core.Op) bool { return op.Attempt() > 1 }),
	},
	{
		name:   "takes what fails further in for done",
		caught: []string{"failures get through"},
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
		name:    "forgets one resource",
		caught:  []string{"reads meet what is seen", "writes touch what may be touched"},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Resource.Name() == "crumb" && op.Kind != core.Insert }),
	},
	{
		name:   "puts the guard where the caller's condition is",
		caught: []string{"reads meet what is seen", "updates meet what may be changed", "deletes meet what may be deleted"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Insert {
				own(op)
			}
			op.Where = core.And(op.Where, mine(op))
			return next(ctx, op)
		}),
	},
	{
		name:   "lets kinds pass that it does not know",
		caught: []string{"a kind that nobody knows is guarded"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if slices.Contains(core.Kinds(), op.Kind) {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:   "refuses everything",
		caught: []string{"what is allowed gets through"},
		spec: leaky(func(_ context.Context, op *core.Op, _ core.Handler) (core.Result, error) {
			return core.Result{}, op.Resource.Forbidden()
		}),
	},
	{
		name:   "refuses to read what is there",
		caught: []string{"reads return what is seen", "pages are full"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Select && op.Resource.Name() == "jar" {
				return core.Result{}, op.Resource.Forbidden()
			}
			return next(ctx, op)
		}),
	},
}
