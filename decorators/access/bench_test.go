package access_test

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// byHand returns a minimal policy: one role, one condition, one kind.
func byHand() core.Decorator {
	return core.Decorator{Name: "hand", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		onSale := m.Resource("bread").Field("on_sale").Compare(core.FilterEq, core.BoolValue(true))
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch {
			case op.Principal.IsSystem():
				return next(ctx, op)
			case op.Principal == nil || op.Kind != core.Load || !slices.Contains(op.Principal.Roles, "guest"):
				return core.Result{}, core.Forbidden
			}
			op.Using = onSale
			return next(ctx, op)
		}, nil
	}}
}

// byHandOwner returns a minimal policy that compares a field with the principal's id.
func byHandOwner() core.Decorator {
	return core.Decorator{Name: "hand", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		baker := m.Resource("bread").Field("baker")
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch {
			case op.Principal.IsSystem():
				return next(ctx, op)
			case op.Principal == nil || op.Kind != core.Load || op.Principal.ID.Type() != core.Int:
				return core.Result{}, core.Forbidden
			}
			op.Using = baker.Compare(core.FilterEq, op.Principal.ID)
			return next(ctx, op)
		}, nil
	}}
}

func BenchmarkGet(b *testing.B) {
	guest := func(using access.Condition, fields ...string) access.Policy {
		return access.Policy{
			{Roles: []string{"baker"}, Resource: "bread", Operations: everything, Using: access.Eq("baker", access.PrincipalID())},
			{Roles: []string{"owner"}, Resource: "bread", Operations: everything},
			{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: using, Fields: fields},
		}
	}
	onSale := access.Eq("on_sale", true)
	for _, c := range []struct {
		name  string
		stack []core.Decorator
		roles []string
	}{
		{"store alone", nil, []string{"guest"}},
		{"by hand", []core.Decorator{byHand()}, []string{"guest"}},
		{"policy", []core.Decorator{access.New(guest(onSale), access.Options{})}, []string{"guest"}},
		{"by hand, id", []core.Decorator{byHandOwner()}, []string{"baker"}},
		{"policy, id", []core.Decorator{access.New(guest(onSale), access.Options{})}, []string{"baker"}},
		{"policy, every row", []core.Decorator{access.New(guest(onSale), access.Options{})}, []string{"owner"}},
		{"policy, two roles", []core.Decorator{access.New(guest(onSale), access.Options{})}, []string{"baker", "guest"}},
		{"policy, two fields", []core.Decorator{access.New(guest(onSale, "name", "price"), access.Options{})}, []string{"guest"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := bakery()
			store, err := core.New(b.Context(), m, memory.New(), c.stack...)
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close() //nolint:errcheck // a benchmark
			bread, key := m.Resource("bread"), core.IntValue(1)
			rec, err := bread.NewRecord(map[string]any{"id": 1, "name": "rye", "price": 5, "on_sale": true, "baker": 1})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := store.Insert(core.System(b.Context()), bread, rec); err != nil {
				b.Fatal(err)
			}
			ctx := core.WithPrincipal(b.Context(), user(1, c.roles...))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := store.Get(ctx, bread, key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
