package policytest_test

import (
	"context"
	"slices"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// identityLeaks confuse principals.
var identityLeaks = []leak{
	{
		name:   "compares owners by their spelling",
		caught: []string{"ids are compared with their type"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			owner := op.Resource.Field("owner")
			id, err := owner.Type().Convert(op.Principal.ID.String())
			if err != nil {
				return core.Result{}, op.Resource.Forbidden()
			}
			p := *op.Principal
			p.ID = id
			if op.Kind == core.Insert {
				op.Records = stamped(op.Records, owner, id)
			}
			op.Guard(owner.Compare(core.FilterEq, id))
			return next(ctx, op)
		}),
	},
	{
		name:   "shows rows without owner to principals without id",
		caught: []string{"ids are compared with their type"},
		spec: func() policytest.PolicySpec {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil:
					return core.Result{}, core.Unauthorized
				case p.IsSystem() || op.Kind == core.Tx:
					return next(ctx, op)
				case !p.ID.IsSet():
					op.Guard(op.Resource.Field("owner").Compare(core.FilterEq, core.Null))
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "lets anonymous callers read",
		caught: []string{"anonymous callers are unauthorized"},
		spec: func() policytest.PolicySpec {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil && !op.Writes():
					return next(ctx, op)
				case p == nil || !p.IsSystem() && !p.ID.IsSet():
					return core.Result{}, core.Unauthorized
				case p.IsSystem() || op.Kind == core.Tx:
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "lets anonymous callers begin a transaction", // a REST handler would then answer them about the model
		caught: []string{"anonymous callers are unauthorized"},
		spec: func() policytest.PolicySpec {
			honest := policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				own(op)
				return next(ctx, op)
			})
			return stack(core.Decorator{Name: "leaky", Kind: core.KindPolicy, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
				guarded, err := honest.Wrap(m, next)
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					if op.Kind == core.Tx {
						return next(ctx, op)
					}
					return guarded(ctx, op)
				}, err
			}})
		},
	},
	{
		name:   "returns Forbidden to anonymous callers",
		caught: []string{"anonymous callers are unauthorized"},
		spec: func() policytest.PolicySpec {
			honest := owning()
			return stack(kittest.Decorator("polite", core.KindPolicy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Principal == nil {
					return core.Result{}, core.Forbidden
				}
				return next(ctx, op)
			}), honest)
		},
	},
	{
		name:   "guards operations of the system",
		caught: []string{"the system is unrestricted"},
		spec: func() policytest.PolicySpec {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil || !p.IsSystem() && !p.ID.IsSet():
					return core.Result{}, core.Unauthorized
				case op.Kind == core.Tx || p.IsSystem() && op.Kind != core.Delete:
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "runs operations of a principal as the system",
		caught: []string{"reads are guarded by Using", "reads return all readable rows"},
		spec: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Count {
				op.Principal = core.PrincipalOf(core.System(ctx))
				return next(ctx, op)
			}
			own(op)
			return next(ctx, op)
		}),
	},
	{
		name:   "uses the principal of the transaction",
		caught: []string{"principals are not mixed up", "reads are guarded by Using"},
		spec: func() policytest.PolicySpec {
			var owners sync.Map
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Principal == nil {
					return core.Result{}, core.Unauthorized
				}
				if op.Kind == core.Tx {
					owners.Store(op.Tx, op.Principal)
					return next(ctx, op)
				}
				if p, ok := owners.Load(op.Tx); ok {
					op.Principal = p.(*core.Principal)
				}
				if op.Principal.IsSystem() {
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "remembers the last principal",
		caught: []string{"principals are not mixed up", "reads are guarded by Using", "reads return all readable rows"},
		spec: func() policytest.PolicySpec {
			var mu sync.Mutex
			last := make(map[*core.Resource]*core.Principal)
			return stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				mu.Lock()
				if last[op.Resource] == nil {
					last[op.Resource] = op.Principal
				}
				op.Principal = last[op.Resource]
				mu.Unlock()
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "is read-only except for deletes",
		caught: []string{"denied kinds are denied"},
		spec: func() policytest.PolicySpec {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && op.Kind != core.Delete })
		},
	},
	{
		name:   "is read-only except for unknown kinds",
		caught: []string{"unknown kinds are guarded"},
		spec: func() policytest.PolicySpec {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && slices.Contains(core.Kinds(), op.Kind) })
		},
	},
}

// readOnly returns the spec of a decorator that must deny all writes.
func readOnly(denies func(op *core.Op) bool) policytest.PolicySpec {
	spec := stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Tx && denies(op) {
			return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
		}
		return next(ctx, op)
	}))
	spec.IgnoresPrincipal = true
	spec.CanRead = func(*core.Principal, core.Record) bool { return true }
	spec.Denies = func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() }
	return spec
}
