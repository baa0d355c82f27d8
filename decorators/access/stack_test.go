package access_test

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// layer is a decorator of one function.
func layer(name string, handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return core.Decorator{Name: name, Layer: core.Policy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return handle(ctx, op, next) }, nil
	}}
}

// between makes a scene with layers outside and inside of the policy.
func between(t *testing.T, outside core.Decorator, policy access.Policy, inside core.Decorator) scene {
	t.Helper()
	s := newScene(t, policy)
	store, err := core.New(t.Context(), bakery(), memory.New(), outside, policy.Decorator(), inside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.store, s.bread, s.shop = store, store.Model().Resource("bread"), store.Model().Resource("shop")
	s.add(s.shop, map[string]any{"id": 1, "city": "Krakow"})
	s.add(s.bread, map[string]any{"id": 1, "name": "rye", "price": 5, "recipe": "secret"})
	return s
}

func pass(name string) core.Decorator {
	return layer(name, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
}

var names = access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{"name"}}}

func TestFieldsThatAreNotShownAreNotRead(t *testing.T) {
	var read []string
	s := between(t, pass("outside"), names, layer("see", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		read = nil
		for _, f := range op.Fields {
			read = append(read, f.Name())
		}
		return next(ctx, op)
	}))
	for _, fields := range [][]string{nil, {"name", "price"}, {"id", "name"}} {
		s.list(user(1, "guest"), core.Query{Fields: fields})
		if !slices.Equal(read, []string{"id", "name"}) {
			t.Errorf("asked for %v, reads %v", fields, read)
		}
	}
}

func TestMoreThanWasAskedForIsNotShown(t *testing.T) {
	s := between(t, pass("outside"), names, layer("generous", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Fields = nil
		return next(ctx, op)
	}))
	s.is("list", s.list(user(1, "guest"), core.Query{}), "bread{id:1 name:rye}\n")
}

func TestAFurtherReadForAFieldThatIsNotShownGetsTheKey(t *testing.T) {
	s := between(t, layer("only price", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Select {
			op.Fields = []*core.Field{op.Resource.Field("price")}
		}
		return next(ctx, op)
	}), names, pass("inside"))
	s.is("list", s.list(user(1, "guest"), core.Query{}), "bread{id:1}\n")
}

func TestARecordThatALayerWithinHasCutIsNotTakenForOneThatFulfilsACondition(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Update, Using: access.Ne("recipe", "secret")},
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Update, Fields: []string{"name"}},
	}
	s := between(t, pass("outside"), policy, layer("cut", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		for i, rec := range res.Records {
			if op.Resource.Name() != "bread" {
				continue
			}
			res.Records[i] = rec.With(op.Resource.Field("recipe").Column(), core.Value{})
		}
		return res, err
	}))
	s.is("list", s.list(user(1, "guest"), core.Query{}), "bread{id:1}\n")
}

func TestColumnsThatALayerOutsideStampsTakeNoRule(t *testing.T) {
	policy := access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Insert, Fields: []string{"name"}}}
	s := between(t, layer("stamp", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert && !op.Principal.IsSystem() {
			op.Records = []core.Record{op.Records[0].With(op.Resource.Field("baker").Column(), core.IntValue(7))}
		}
		return next(ctx, op)
	}), policy, pass("inside"))
	if _, err := s.store.Insert(s.as(user(1, "guest")), s.bread, s.record(s.bread, map[string]any{"id": 5, "name": "x"})); err != nil {
		t.Fatal(err)
	}
	s.is("stored", s.stored(5), "bread{id:5 name:x price:null recipe:null on_sale:false baker:7 notes:null shop:null}")
}

func TestAnInsertThatALayerMakesOfAnotherIsJudgedByItsOwnRecords(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Insert, Fields: []string{"name"}},
		{Roles: []string{"guest"}, Resource: "shop", Operations: access.Insert, Fields: []string{}},
	}
	s := between(t, layer("instead", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert && op.Resource.Name() == "bread" && !op.Principal.IsSystem() {
			shop := op.Resource.Model().Resource("shop")
			other := *op
			rec, err := shop.NewRecord(map[string]any{"city": "Lodz"})
			if err != nil {
				return core.Result{}, err
			}
			other.Resource, other.Records = shop, []core.Record{rec}
			return next(ctx, &other)
		}
		return next(ctx, op)
	}), policy, pass("inside"))
	_, err := s.store.Insert(s.as(user(1, "guest")), s.bread, s.record(s.bread, map[string]any{"name": "x"}))
	s.is("insert", public(err), `FIELD_DOES_NOT_EXIST object_name="shop" field_name="city"`)
}
