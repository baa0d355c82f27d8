package policytest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// relatedLeaks are policies by memberships that can be bypassed, and decorators that reveal related records.
var relatedLeaks = []leak{
	{
		name:    "answers a Visibility with all records",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows", "hidden is indistinguishable from absent"},
		differs: "store",
		spec:    bypassed(func(*core.Op) bool { return true }),
	},
	{
		name:    "answers a Visibility with all records to a question of existence", // ent 4509
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "store",
		spec: bypassed(func(op *core.Op) bool {
			return op.Where.Kind() == core.FilterAll && !slices.ContainsFunc(op.Fields, isValue)
		}),
	},
	{
		name:    "answers a Visibility with all records to an order",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows", "pages are full"},
		differs: "store",
		spec: bypassed(func(op *core.Op) bool {
			return op.Where.Kind() == core.FilterAll && slices.ContainsFunc(op.Fields, isValue)
		}),
	},
	{
		name:    "answers a Visibility with all records to an engine",
		differs: "engine",
		spec:    bypassed(func(*core.Op) bool { return true }),
	},
	{
		name:    "forgets the guard of links",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "engine",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Visibility && op.Resource.Name() == "mention" }),
	},
	{
		name:    "forgets the guard of the members that links lead to",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "store",
		spec:    unless(func(op *core.Op) bool { return op.Kind == core.Visibility && op.Resource.Name() == "page" }),
	},
	{
		name:    "shows the links of others",
		caught:  []string{"reads are guarded by Using", "reads return all readable rows"},
		differs: "engine",
		spec: unless(func(op *core.Op) bool {
			return op.Resource.Name() == "mention" && (op.Kind == core.Select || op.Kind == core.Load || op.Kind == core.Visibility)
		}),
	},
	{
		name:   "deletes the links of others",
		caught: []string{"deletes are guarded by Using", "writes change allowed rows only"},
		spec:   unless(func(op *core.Op) bool { return op.Kind == core.Delete && op.Resource.Name() == "mention" }),
	},
	{
		name:   "passes kinds that it does not list",
		caught: []string{"reads are guarded by Using", "unknown kinds are guarded"},
		spec: func() policytest.PolicySpec {
			guarded := membership{}.decorator()
			listed := []core.Kind{core.Load, core.Select, core.Count, core.Insert, core.Update, core.Delete, core.NextID, core.Tx}
			return memberSpec(core.Decorator{Name: "listing", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
				inner, err := guarded.Wrap(m, next)
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					if op.Principal != nil && !slices.Contains(listed, op.Kind) {
						return next(ctx, op)
					}
					return inner(ctx, op)
				}, err
			}})
		},
	},
	{
		name:   "takes two memberships for one",
		caught: []string{"updates are guarded by Using", "writes change allowed rows only"},
		spec: func() policytest.PolicySpec {
			return memberSpec(membership{members: func(op *core.Op, role core.Filter) core.Filter {
				return core.And(core.Related("members", is(op)), core.Related("members", role))
			}}.decorator())
		},
	},
	{
		name:   "lets hidden documents be referenced", // netbox 22013
		caught: []string{"inserts are guarded by Check", "updates are guarded by Check", "writes change allowed rows only"},
		spec: func() policytest.PolicySpec {
			return memberSpec(membership{check: func(op *core.Op, guard core.Filter) {
				if op.Resource.Name() == "document" {
					op.Check = core.And(op.Check, guard)
				}
			}}.decorator())
		},
	},
	{
		name:   "needs a member and forgets its role",
		caught: []string{"updates are guarded by Using", "deletes are guarded by Using", "inserts are guarded by Check"},
		spec: func() policytest.PolicySpec {
			return memberSpec(membership{members: func(op *core.Op, _ core.Filter) core.Filter { return core.Related("members", is(op)) }}.decorator())
		},
	},
	{
		name:   "any team has the principal as a member",
		caught: []string{"reads are guarded by Using", "reads return all readable rows"},
		spec: func() policytest.PolicySpec {
			return memberSpec(membership{members: func(*core.Op, core.Filter) core.Filter { return core.Related("members", core.All()) }}.decorator())
		},
	},
	{
		name:   "takes a guard for a condition of the caller",
		caught: []string{"reads return all readable rows"},
		spec: func() policytest.PolicySpec {
			var walks func(f core.Filter) bool
			walks = func(f core.Filter) bool {
				if f.Kind() == core.FilterRelated {
					return walks(f.Where()) || walks(f.Guard())
				}
				return slices.ContainsFunc(f.Filters(), walks) || f.Field() != nil && f.Field().String() == "member.user"
			}
			strict := policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Kind != core.Visibility && walks(op.Where) {
					return core.Result{}, op.Resource.Forbidden()
				}
				return next(ctx, op)
			})
			strict.Name = "strict"
			return memberSpec(strict, membership{}.decorator())
		},
	},
	{
		name:   "keeps answers by the text of the conditions",
		caught: []string{"reads return all readable rows", "principals are not mixed up"},
		spec: func() policytest.PolicySpec {
			spec := memberSpec()
			spec.Stack = func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{membership{}.decorator(), new(answers).decorator(func(op *core.Op) string { return "" })}}
			}
			return spec
		},
	},
	{
		name:   "forgets answers when their own resource changes only",
		caught: []string{"decisions follow related rows"},
		spec: func() policytest.PolicySpec {
			spec := memberSpec()
			spec.Stack = func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{membership{}.decorator(), new(answers).decorator(func(op *core.Op) string { return op.Principal.String() })}}
			}
			return spec
		},
	},
	{
		name:   "hides ended memberships from principals and not from conditions of policies",
		caught: []string{"reads return all readable rows"},
		spec: func() policytest.PolicySpec {
			return endedSpec(ended(func(op *core.Op) bool { return op.Principal.IsSystem() }))
		},
	},
	{
		name:   "looks memberships up before the transaction",
		caught: []string{"decisions follow related rows"},
		spec: func() policytest.PolicySpec {
			spec := memberSpec()
			spec.Exempt = func(op *core.Op) bool { return op.Resource.Name() == "member" && op.Using.Kind() == core.FilterAll }
			spec.Stack = func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{lookedUp()}}
			}
			return spec
		},
	},
}

// isValue reports whether the field is no relation.
func isValue(f *core.Field) bool { return f.Target() == nil }

// bypassed returns the spec of a membership policy that passes some ops of kind Visibility without a guard.
func bypassed(passes func(op *core.Op) bool) func() policytest.PolicySpec {
	return func() policytest.PolicySpec { return memberSpec(membership{related: passes}.decorator()) }
}

// answers is a cache of counts that declares to know conditions on related records. It forgets the counts of a resource when
// the resource changes.
type answers struct {
	mu     sync.Mutex
	counts map[*core.Resource]map[string]int
}

func (c *answers) decorator(by func(op *core.Op) string) core.Decorator {
	return kittest.Decorator("answers", core.KindAnswer, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind.Writes() && op.Resource != nil {
			c.mu.Lock()
			delete(c.counts, op.Resource)
			c.mu.Unlock()
		}
		if op.Kind != core.Count || op.Tx != nil {
			return next(ctx, op)
		}
		text := fmt.Sprint(op.Where, by(op))
		if by(op) != "" {
			text += op.Using.String()
		}
		c.mu.Lock()
		n, known := c.counts[op.Resource][text]
		c.mu.Unlock()
		if known {
			return core.Result{Count: n}, nil
		}
		res, err := next(ctx, op)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.counts == nil {
				c.counts = make(map[*core.Resource]map[string]int)
			}
			if c.counts[op.Resource] == nil {
				c.counts[op.Resource] = make(map[string]int)
			}
			c.counts[op.Resource][text] = res.Count
		}
		return res, err
	})
}

// lookedUp is the membership policy with the teams of the principal instead of conditions on memberships. It reads the teams
// when a transaction begins.
func lookedUp() core.Decorator {
	type key struct{}
	read := func(ctx context.Context, op *core.Op, next core.Handler) ([]core.Record, error) {
		all := op.Derive(core.Select, op.Resource)
		res, err := next(ctx, all)
		return res.Records, err
	}
	return core.Decorator{Name: "looking up", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		member := m.Resource("member")
		members := func(ctx context.Context, op *core.Op) ([]core.Record, error) {
			derived := op.Derive(core.Select, member)
			return read(ctx, derived, next)
		}
		guarded := func(records []core.Record) (core.Handler, error) {
			return membership{members: func(op *core.Op, role core.Filter) core.Filter {
				teams := []any{}
				for _, rec := range records {
					if rec.Get("user") == op.Principal.ID && rec.Get("team").IsSet() && (role.Kind() == core.FilterAll || rec.Get("role").Text() == "admin") {
						teams = append(teams, rec.Get("team").Any())
					}
				}
				return core.In("id", teams...)
			}}.decorator().Wrap(m, next)
		}
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			records, known := ctx.Value(key{}).([]core.Record)
			if !known && op.Principal != nil {
				var err error
				if records, err = members(ctx, op); err != nil {
					return core.Result{}, err
				}
			}
			if op.Kind == core.Tx {
				ctx = context.WithValue(ctx, key{}, records)
			}
			handler, err := guarded(records)
			if err != nil {
				return core.Result{}, err
			}
			return handler(ctx, op)
		}, nil
	}}
}
