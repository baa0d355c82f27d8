package policytest_test

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// keeps is a simple soft delete. Its functions replace parts of the correct behaviour.
type keeps struct {
	living     func(op *core.Op) bool                                      // the op sees living records only; nil for all
	restorable func(ctx context.Context, op *core.Op) (core.Filter, error) // condition on the dependants that a restore brings back
	using      func(op *core.Op) core.Filter                               // condition of a restore
}

func (k keeps) decorator() core.Decorator {
	if k.living == nil {
		k.living = func(*core.Op) bool { return true }
	}
	if k.restorable == nil {
		k.restorable = func(ctx context.Context, op *core.Op) (core.Filter, error) {
			return op.Restorable(ctx, op.Resource.Model().Resource("crumb"))
		}
	}
	if k.using == nil {
		k.using = func(op *core.Op) core.Filter { return op.Using }
	}
	d := kittest.Decorator("keeps", core.KindEffect, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		living, deleted := core.Eq("gone", nil), core.Ne("gone", nil)
		set := func(op *core.Op, v core.Value) {
			op.Kind, op.Records = core.Update, nil
			for _, key := range op.Keys {
				op.Records = append(op.Records, op.Resource.Patch(key).Set(op.Resource.Field("gone"), v))
			}
		}
		switch {
		case op.Kind == core.Tx || op.Kind == core.NextID || op.Kind == core.Restore && len(op.Keys) == 0:
		case op.Kind == core.Restore && op.Tx != nil && op.Tx.ReadOnly:
			return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
		case op.Kind == core.Restore:
			return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
				update := *op
				update.Final = false
				set(&update, core.Null)
				update.Using = core.And(k.using(op), deleted)
				res, err := next(ctx, &update)
				if err != nil || op.Resource.Name() != "cookie" {
					return res, err
				}
				guard, err := k.restorable(ctx, op)
				if err != nil {
					return res, err
				}
				dependants := op.Derive(core.Select, op.Resource.Model().Resource("crumb"))
				dependants.Principal = core.PrincipalOf(core.System(ctx))
				dependants.Where, dependants.Using = core.In("cookie", anys(op.Keys)...), core.And(guard, deleted)
				found, err := next(ctx, dependants)
				if err != nil || len(found.Records) == 0 {
					return res, err
				}
				more := op.Derive(core.Update, dependants.Resource)
				for _, rec := range found.Records {
					more.Keys = append(more.Keys, rec.Key())
				}
				set(more, core.Null)
				more.Using = dependants.Using
				_, err = next(ctx, more)
				return res, err
			})
		case op.Deleted:
			op.Using = core.And(op.Using, deleted)
		case op.Kind == core.Delete:
			op.Using = core.And(op.Using, living)
			set(op, core.TimeValue(op.Now()))
			_, err := next(ctx, op)
			return core.Result{}, err
		case k.living(op):
			op.Guard(living)
		}
		return next(ctx, op)
	})
	d.InsidePolicies, d.Keeps = true, func(*core.Resource) bool { return true }
	return d
}

func anys(values []core.Value) (all []any) {
	for _, v := range values {
		all = append(all, v.Any())
	}
	return all
}

// keptSpec is the spec of the policy around the effect. Each principal reads, changes and restores its own rows.
func keptSpec(p core.Decorator, k keeps) func() policytest.PolicySpec {
	return func() policytest.PolicySpec {
		type row = map[string]any
		id, owner := core.FieldSpec{Name: "id", Type: core.Int, Key: true}, core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
		gone, then := core.FieldSpec{Name: "gone", Type: core.Time, Hidden: true}, time.Unix(1, 0)
		return policytest.PolicySpec{
			Model: core.MustModel("kept",
				core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id, owner, gone, {Name: "kind", Type: core.Text}, {Name: "crumbs", ToMany: "crumb", Inverse: "cookie"}}},
				core.ResourceSpec{Name: "crumb", Fields: []core.FieldSpec{id, owner, gone, {Name: "cookie", ToOne: "cookie"}}},
			),
			Rows: seed.Data{
				"cookie": {
					1: row{"owner": 1, "kind": "a"}, 2: row{"owner": 2, "kind": "a"}, 3: row{"owner": 1, "kind": "b", "gone": then}, 4: row{"owner": 2, "gone": then},
					5: row{"gone": then}, 6: row{"kind": "b"},
				},
				"crumb": {
					1: row{"owner": 1, "cookie": 3, "gone": then}, 2: row{"owner": 2, "cookie": 3, "gone": then}, 3: row{"owner": 1, "cookie": 4, "gone": then},
					4: row{"owner": 2, "cookie": 2}, 5: row{"owner": 1, "cookie": 2}, 6: row{"owner": 1, "cookie": 3},
				},
			},
			DeletedAt: "gone",
			Exempt:    func(op *core.Op) bool { return op.Principal.IsSystem() },
			Stack: func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{p, k.decorator()}}
			},
			Principals: []*core.Principal{{ID: core.IntValue(1)}, {ID: core.IntValue(2)}},
			CanRead:    func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID },
		}
	}
}

// ownsAll is a policy that guards every op but some.
func ownsAll(except func(op *core.Op) bool) core.Decorator {
	return policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if !except(op) {
			own(op)
		}
		return next(ctx, op)
	})
}

func never(*core.Op) bool { return false }

// deletedLeaks are leaks of stacks that keep deleted records.
var deletedLeaks = []leak{
	{
		name:   "deleted records are in conditions and orders of others",
		caught: []string{"reads return all readable rows"},
		spec:   keptSpec(ownsAll(never), keeps{living: func(op *core.Op) bool { return op.Kind != core.Visibility }}),
	},
	{
		name:   "deleted records are counted",
		caught: []string{"reads are guarded by Using", "reads return all readable rows"},
		spec:   keptSpec(ownsAll(never), keeps{living: func(op *core.Op) bool { return op.Kind != core.Count }}),
	},
	{
		name:   "the system sees deleted records",
		caught: []string{"the system is unrestricted"},
		spec:   keptSpec(ownsAll(never), keeps{living: func(op *core.Op) bool { return !op.Principal.IsSystem() }}),
	},
	{
		name:    "restores past the policies",
		caught:  []string{"updates are guarded by Using", "hidden is indistinguishable from absent"},
		differs: "store",
		spec:    keptSpec(ownsAll(never), keeps{using: func(*core.Op) core.Filter { return core.All() }}),
	},
	{
		name:   "restores dependants of others",
		caught: []string{"updates are guarded by Using", "writes change allowed rows only"},
		spec: keptSpec(ownsAll(never), keeps{restorable: func(context.Context, *core.Op) (core.Filter, error) {
			return core.All(), nil
		}}),
	},
	{
		name:    "the policy does not guard a restore",
		caught:  []string{"updates are guarded by Using", "writes change allowed rows only"},
		differs: "store",
		spec:    keptSpec(ownsAll(func(op *core.Op) bool { return op.Kind == core.Restore }), keeps{}),
	},
	{
		name:    "the policy does not guard reads of deleted records, and lists what others may restore",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "engine",
		spec:    keptSpec(ownsAll(func(op *core.Op) bool { return op.Deleted || op.Kind == core.Restore && len(op.Keys) == 0 }), keeps{}),
	},
}

// TestKeptRecordsPass proves that the leaks are leaks of an effect that is otherwise correct.
func TestKeptRecordsPass(t *testing.T) {
	t.Parallel()
	spec := keptSpec(ownsAll(never), keeps{})()
	spec.Thin, spec.Operations = 3, 2_000
	policytest.Guard(t, kittest.OpenNaive, spec)
	policytest.NonInterference(t, kittest.OpenNaive, spec)
}
