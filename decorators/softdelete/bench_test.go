package softdelete_test

import (
	"context"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/softdelete"
)

// byHand is the least that keeps deleted records out of sight: a condition on each read.
var byHand = core.Decorator{
	Name: "by hand", Kind: core.KindEffect, KnowsRelated: true,
	Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		living := m.Resource("cookie").Field(deletedAt).Compare(core.FilterEq, core.Null)
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if !op.Kind.Writes() {
				op.Using = core.And(op.Using, living)
			}
			return next(ctx, op)
		}, nil
	},
}

// cookies is a model with a kept resource.
func cookies() *core.Model {
	return core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id, gone, {Name: "type", Type: core.Text, Indexed: true}}})
}

// cookieStore returns a store with 1000 cookies, every tenth of which is deleted.
func cookieStore(tb testing.TB, backend core.Backend, decorators ...core.Decorator) (*core.Store, *core.Resource) {
	tb.Helper()
	s, err := core.New(tb.Context(), cookies(), backend, decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	cookie := s.Model().Resource("cookie")
	var all []core.Record
	for n := range int64(1000) {
		rec := cookie.Patch(core.IntValue(n+1)).Set(cookie.Field("type"), core.TextValue("x"))
		if n%10 == 9 {
			rec = rec.Set(cookie.Field(deletedAt), core.TimeValue(s0))
		}
		all = append(all, rec)
	}
	if _, err := s.Insert(core.WithDeleted(tb.Context()), cookie, all...); err != nil {
		tb.Fatal(err)
	}
	return s, cookie
}

func cookieGetter(b *testing.B, backend core.Backend, decorators ...core.Decorator) func() {
	b.Helper()
	s, cookie := cookieStore(b, backend, decorators...)
	ctx, n := b.Context(), int64(0)
	return func() {
		n = (n + 10) % 1000
		if _, err := s.Get(ctx, cookie, core.IntValue(n+1)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGet times what the decorator adds to a get, beside the same condition by hand.
func BenchmarkGet(b *testing.B) {
	for _, name := range []string{"memory", "postgres"} {
		b.Run(name, func(b *testing.B) {
			get := func(decorators ...core.Decorator) func() {
				return cookieGetter(b, backends[name](b, cookies()), decorators...)
			}
			costtest.Against(b, get(), get(byHand), get(), get(softdelete.New(deletedAt, softdelete.Options{})))
		})
	}
}

// BenchmarkDelete times a delete: without the decorator, with it, and as the update that it becomes, written by hand.
func BenchmarkDelete(b *testing.B) {
	for _, name := range []string{"memory", "postgres"} {
		for _, kind := range []string{"for good", "kept", "update by hand"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				var decorators []core.Decorator
				if kind == "kept" {
					decorators = append(decorators, softdelete.New(deletedAt, softdelete.Options{}))
				}
				s, err := core.New(b.Context(), cookies(), backends[name](b, cookies()), decorators...)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close() //nolint:errcheck // nothing is left to save
				cookie := s.Model().Resource("cookie")
				for b.Loop() {
					b.StopTimer()
					made, err := s.Insert(b.Context(), cookie, cookie.RecordOf(make([]core.Value, len(cookie.Columns()))))
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					if kind == "update by hand" {
						_, err = s.Update(b.Context(), cookie, cookie.Patch(made[0].Key()).Set(cookie.Field(deletedAt), core.TimeValue(s0)))
					} else {
						err = s.Delete(b.Context(), cookie, made[0].Key())
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestGetAllocatesItsConditionOnly bounds the cost of a read.
func TestGetAllocatesItsConditionOnly(t *testing.T) {
	allocations := func(decorators ...core.Decorator) float64 {
		s, cookie := cookieStore(t, memory.New(), decorators...)
		return testing.AllocsPerRun(1000, func() {
			if _, err := s.Get(t.Context(), cookie, core.IntValue(1)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if bare, kept := allocations(), allocations(softdelete.New(deletedAt, softdelete.Options{})); kept > bare {
		t.Errorf("%v allocations, and %v without the decorator", kept, bare)
	}
}
