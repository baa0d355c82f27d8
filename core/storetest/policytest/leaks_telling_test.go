package policytest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// tellingLeaks guard operations, but their results reveal hidden rows.
var tellingLeaks = []leak{
	{
		name:    "filters the page after it was read",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows", "pages are full"},
		differs: "store",
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Select {
				own(op)
				return next(ctx, op)
			}
			op.Fields = nil
			guard := mine(op)
			res, err := next(ctx, op)
			res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool { return !kit.Matches(guard, rec, nil) })
			return res, err
		}),
	},
	{
		name:    "returns Forbidden for a hidden row",
		caught:  []string{"hidden is indistinguishable from absent"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				look := peek(ctx, op, next)
				own(op)
				res, err := next(ctx, op)
				if errors.Is(err, core.NotFound) && len(look) == len(op.Keys) {
					err = op.Resource.Forbidden()
				}
				return res, err
			}))
			spec.Exempt = isPeek // so that only the result counts
			return spec
		},
	},
	{
		name:    "names the owner in an error",
		caught:  []string{"hidden is indistinguishable from absent"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				look := peek(ctx, op, next)
				own(op)
				res, err := next(ctx, op)
				if errors.Is(err, core.NotFound) && len(look) > 0 {
					err = &core.Error{Code: core.NotFound, Resource: op.Resource.APIName(), Key: op.Keys[0], Message: "belongs to " + look[0].Get("owner").String()}
				}
				return res, err
			}))
			spec.Exempt = isPeek
			return spec
		},
	},
	{
		name:    "a hook counts as the program",
		differs: "store",
		spec: func() policytest.PolicySpec {
			return stack(owning(), core.OnWrite("cookie", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				r := changes[0].Before.Resource()
				if r == nil || changes[0].After.IsZero() {
					return nil
				}
				n, err := tx.Count(core.System(ctx), r, core.All())
				if err == nil && n%2 == 0 {
					err = &core.Error{Code: core.BadRequest, Message: "the number of cookies is even"}
				}
				return err
			}))
		},
	},
	{
		name:   "checks before the act",
		caught: []string{"updates are guarded by Using", "deletes are guarded by Using", "reads are guarded by Using"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Update && op.Kind != core.Delete {
				own(op)
				return next(ctx, op)
			}
			for _, row := range peek(ctx, op, next) {
				if row.Get("owner") != op.Principal.ID {
					return core.Result{}, op.Resource.NotFound(row.Key())
				}
			}
			op.Check = core.And(op.Check, mine(op))
			return next(ctx, op)
		}),
	},
	{
		name:   "derives ops without a guard",
		caught: []string{"reads are guarded by Using"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Count {
				if _, err := next(ctx, op.Derive(core.Select, op.Resource)); err != nil {
					return core.Result{}, err
				}
			}
			return next(ctx, op)
		}),
	},
	{
		name:    "generates keys by counting rows",
		differs: "store",
		caught:  []string{"reads are guarded by Using"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind != core.NextID || op.Resource.Key().Type() != core.Int {
				return next(ctx, op)
			}
			all, err := next(ctx, op.Derive(core.Count, op.Resource))
			if err != nil {
				return core.Result{}, err
			}
			var res core.Result
			for i := range op.N {
				res.Keys = append(res.Keys, core.IntValue(int64(9_000_000+all.Count+i)))
			}
			return res, nil
		}),
	},
	{
		name:   "deletes before an insert",
		caught: []string{"deletes are guarded by Using", "writes change allowed rows only"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Insert && !op.Records[0].Key().IsAbsent() {
				before := op.Derive(core.Delete, op.Resource)
				before.Keys = []core.Value{op.Records[0].Key()}
				_, _ = next(ctx, before)
			}
			return next(ctx, op)
		}),
	},
	{
		name:    "hides a field and sorts by it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "store",
		spec:    func() policytest.PolicySpec { return hidingField(func(*core.Op) error { return nil }) },
	},
	{
		name:    "hides a field and sums it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			return hidingField(func(op *core.Op) error {
				size := op.Resource.Field("size")
				ordered := slices.ContainsFunc(op.Order, func(o core.Order) bool { return o.Field == size })
				if ordered || mentions(op.Where, size) || op.Kind == core.Visibility && slices.Contains(op.Fields, size) {
					return op.Resource.Forbidden()
				}
				return nil
			})
		},
	},
	{
		name:    "hides a field and groups by it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			return hidingField(func(op *core.Op) error {
				size := op.Resource.Field("size")
				ordered := op.Kind == core.Select && slices.ContainsFunc(op.Order, func(o core.Order) bool { return o.Field == size })
				if ordered || mentions(op.Where, size) || op.Kind != core.Select && slices.Contains(op.Fields, size) {
					return op.Resource.Forbidden()
				}
				return nil
			})
		},
	},
	{
		name:    "hides a field and searches in it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			state := func(op *core.Op) *core.Field { return op.Resource.Field("state") }
			spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				own(op)
				f := state(op)
				if f == nil || op.Kind == core.Visibility {
					return next(ctx, op)
				}
				named := slices.Contains(op.Where.Fields(), f) || slices.ContainsFunc(op.Order, func(o core.Order) bool { return o.Field == f })
				if named {
					return core.Result{}, &core.Error{Code: core.UnknownField, Resource: op.Resource.APIName(), Field: f.APIName()}
				}
				res, err := next(ctx, op)
				for i, rec := range res.Records {
					res.Records[i] = rec.With(f.Column(), core.Value{})
				}
				return res, err
			}))
			spec.CanReadField = func(_ *core.Principal, f *core.Field) bool { return f.String() != "cookie.state" }
			return spec
		},
	},
	{
		name:    "hides a field and compares members of bodies with it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "engine",
		spec: func() policytest.PolicySpec {
			spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				own(op)
				res, err := next(ctx, op)
				if op.Kind == core.Load && op.Tx != nil && !op.Tx.ReadOnly {
					return res, err
				}
				for i, rec := range res.Records {
					if state := rec.Resource().Field("state"); state != nil {
						res.Records[i] = rec.With(state.Column(), core.Value{})
					}
				}
				return res, err
			}))
			spec.CanReadField = func(_ *core.Principal, f *core.Field) bool { return f.String() != "cookie.state" }
			return spec
		},
	},
	{
		name:    "hides a field and filters by it",
		caught:  []string{"unreadable fields stay hidden"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			return hidingField(func(op *core.Op) error {
				for _, o := range op.Order {
					if o.Field.Name() == "size" {
						return op.Resource.Forbidden()
					}
				}
				return nil
			})
		},
	},
}

// peek reads the rows of an op without a guard.
func peek(ctx context.Context, op *core.Op, next core.Handler) []core.Record {
	if op.Kind != core.Update && op.Kind != core.Delete {
		return nil
	}
	look := op.Derive(core.Load, op.Resource)
	look.Keys = op.Keys
	res, _ := next(ctx, look)
	return res.Records
}

func isPeek(op *core.Op) bool { return op.Kind == core.Load && op.Using.Kind() == core.FilterAll }

// hidingField returns the spec of a policy that removes the size of a jar from results, for all but the system. It calls
// check for each op before.
func hidingField(check func(op *core.Op) error) policytest.PolicySpec {
	spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		own(op)
		size := op.Resource.Field("size")
		if size == nil {
			return next(ctx, op)
		}
		if err := check(op); err != nil {
			return core.Result{}, err
		}
		res, err := next(ctx, op)
		if len(op.Order) > 0 && op.Order[0].Field == size && res.More {
			res.More = false // a cursor would need the field
		}
		for i, rec := range res.Records {
			res.Records[i] = rec.With(size.Column(), core.Value{})
		}
		return res, err
	}))
	spec.CanReadField = func(_ *core.Principal, f *core.Field) bool { return f.String() != "jar.size" }
	return spec
}
