package policytest_test

import (
	"context"
	"slices"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// identityLeaks are wrong about who somebody is.
var identityLeaks = []leak{
	{
		name:   "compares owners by their spelling",
		caught: []string{"an id of no type or of another is nobody's"},
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
		name:   "shows the rows of nobody to whom has no id",
		caught: []string{"an id of no type or of another is nobody's"},
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
		name:   "lets nobody read",
		caught: []string{"nobody is refused"},
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
		name:   "lets nobody begin a transaction", // after which a REST face answers nobody about the model
		caught: []string{"nobody is refused"},
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
		name:   "forbids nobody instead of asking for a principal",
		caught: []string{"nobody is refused"},
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
		name:   "guards the program's operations too",
		caught: []string{"the program meets everything"},
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
		name:   "has the program do what a principal asks",
		caught: []string{"reads meet what is seen", "reads return what is seen"},
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
		name:   "asks whose the transaction is",
		caught: []string{"an op is for whoever sent it", "reads meet what is seen"},
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
		caught: []string{"an op is for whoever sent it", "reads meet what is seen", "reads return what is seen"},
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
		name:   "is read-only but for deletes",
		caught: []string{"what is refused is refused"},
		spec: func() policytest.PolicySpec {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && op.Kind != core.Delete })
		},
	},
	{
		name:   "is read-only but for kinds that it does not know",
		caught: []string{"a kind that nobody knows is guarded"},
		spec: func() policytest.PolicySpec {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && slices.Contains(core.Kinds(), op.Kind) })
		},
	},
}

// readOnly returns settings for a decorator that is to refuse all writes.
func readOnly(refuses func(op *core.Op) bool) policytest.PolicySpec {
	g := stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Tx && refuses(op) {
			return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
		}
		return next(ctx, op)
	}))
	g.IgnoresPrincipal = true
	g.CanRead = func(*core.Principal, core.Record) bool { return true }
	g.Denies = func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() }
	return g
}
