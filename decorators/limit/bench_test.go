package limit_test

import (
	"context"
	"sync"
	"testing"

	"golang.org/x/time/rate"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/limit"
)

// BenchmarkGet compares the time that a rule adds to a get from memory with that of a decorator written by hand: a map of
// rates by id, or a channel with places.
func BenchmarkGet(b *testing.B) {
	for _, c := range []struct {
		name   string
		rule   limit.Rule
		byHand core.Decorator
	}{
		{"rate", limit.Rule{Name: "rule", Requests: 1e9}, ratesByHand()},
		{"places", limit.Rule{Name: "rule", Concurrent: 4, Total: 64}, placesByHand()},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := core.WithPrincipal(b.Context(), &core.Principal{ID: core.IntValue(1)})
			get := func(d ...core.Decorator) func() { return costtest.Getter(ctx, b, memory.New(), d...) }
			bare := get()
			costtest.Against(b, bare, get(c.byHand), bare, get(limit.New(c.rule)))
		})
	}
}

func ratesByHand() core.Decorator {
	var mu sync.Mutex
	rates := make(map[core.Value]*rate.Limiter)
	return before(func(op *core.Op) (func(), bool) {
		mu.Lock()
		defer mu.Unlock()
		r := rates[op.Principal.ID]
		if r == nil {
			r = rate.NewLimiter(1e9, 1e9)
			rates[op.Principal.ID] = r
		}
		return func() {}, r.Allow()
	})
}

func placesByHand() core.Decorator {
	places := make(chan struct{}, 64)
	return before(func(*core.Op) (func(), bool) {
		places <- struct{}{}
		return func() { <-places }, true
	})
}

func before(enter func(op *core.Op) (leave func(), ok bool)) core.Decorator {
	return core.Decorator{Name: "hand", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Principal.IsSystem() {
				return next(ctx, op)
			}
			leave, ok := enter(op)
			defer leave()
			if !ok {
				return core.Result{}, core.TooManyRequests
			}
			return next(ctx, op)
		}, nil
	}}
}
