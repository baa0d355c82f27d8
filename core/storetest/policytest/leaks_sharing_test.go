package policytest_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// sharingLeaks mix up data of different principals.
var sharingLeaks = []leak{
	{
		name:    "caches results of all principals together",
		caught:  []string{"reads return all readable rows", "principals are not mixed up"},
		differs: "store",
		spec: func() policytest.PolicySpec {
			spec := stack()
			spec.Stack = func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{owning(), new(cache).answering()}}
			}
			return spec
		},
	},
	{
		name:   "keeps a pool of ops",
		caught: []string{"ops are not reused"},
		spec: func() policytest.PolicySpec {
			pool := sync.Pool{New: func() any { return new(core.Op) }}
			return leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				pooled := pool.Get().(*core.Op) //nolint:forcetypeassert // the pool holds nothing else
				defer pool.Put(pooled)
				*pooled = *op
				own(pooled)
				return next(ctx, pooled)
			})()
		},
	},
	{
		name:    "logs the number of rows",
		differs: "store",
		spec: func() policytest.PolicySpec {
			spec := stack()
			spec.Exempt = func(op *core.Op) bool { return op.Kind == core.Count && op.Using.Kind() == core.FilterAll }
			spec.Stack = func(testing.TB) policytest.Stack {
				j := new(kittest.Journal)
				return policytest.Stack{Observe: j.Drain, Decorators: []core.Decorator{
					policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
						if op.Kind == core.Select {
							all, err := next(ctx, op.Derive(core.Count, op.Resource))
							j.Line(op.Kind.String(), all.Count, err)
						}
						own(op)
						return next(ctx, op)
					}),
				}}
			}
			return spec
		},
	},
}

// cache keeps the results of counts without a filter.
type cache struct {
	mu     sync.Mutex
	counts map[*core.Resource]int
}

func (c *cache) answering() core.Decorator {
	return kittest.Decorator("cache", core.KindAnswer, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Count || op.Where.Kind() != core.FilterAll {
			return next(ctx, op)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if n, ok := c.counts[op.Resource]; ok {
			return core.Result{Count: n}, nil
		}
		res, err := next(ctx, op)
		if err == nil {
			c.counts = maps.Clone(c.counts)
			if c.counts == nil {
				c.counts = make(map[*core.Resource]int)
			}
			c.counts[op.Resource] = res.Count
		}
		return res, err
	})
}
