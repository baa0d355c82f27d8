package access_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// decorator returns a decorator with one function.
func decorator(name string, handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return core.Decorator{Name: name, Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return handle(ctx, op, next) }, nil
	}}
}

// between returns a fixture with decorators outside and inside the policy.
func between(t *testing.T, outside core.Decorator, policy access.Policy, inside core.Decorator) fixture {
	t.Helper()
	s := newFixture(t, policy)
	store, err := core.New(t.Context(), bakery(), memory.New(), outside, access.New(policy, access.Options{}), inside)
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
	return decorator(name, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
}

var names = access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{"name"}}}

func TestHiddenFieldsAreNotRead(t *testing.T) {
	var read []string
	policy := append(slices.Clone(names), names[0]) // two rules with the same fields
	s := between(t, pass("outside"), policy, decorator("see", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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

func TestExtraFieldsOfTheBackendAreNotShown(t *testing.T) {
	s := between(t, pass("outside"), names, decorator("generous", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Fields = nil
		return next(ctx, op)
	}))
	s.is("list", s.list(user(1, "guest"), core.Query{}), "bread{id:1 name:rye}\n")
}

func TestReadOfHiddenFieldsGetsTheKey(t *testing.T) {
	for _, c := range []struct {
		asked, read []string
		want        string
	}{
		{[]string{"price"}, []string{"id"}, "bread{id:1}\n"},
		{[]string{"price", "name", "recipe"}, []string{"name"}, "bread{id:1 name:rye}\n"},
	} {
		var read []string
		s := between(t, decorator("asks", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Select {
				op.Fields = nil
				for _, name := range c.asked {
					op.Fields = append(op.Fields, op.Resource.Field(name))
				}
			}
			return next(ctx, op)
		}), names, decorator("see", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			for _, f := range op.Fields {
				read = append(read, f.Name())
			}
			return next(ctx, op)
		}))
		s.is("list", s.list(user(1, "guest"), core.Query{}), c.want)
		if !slices.Equal(read, c.read) {
			t.Errorf("asked for %v, reads %v", c.asked, read)
		}
	}
}

func TestConditionsOfAnotherPolicyStay(t *testing.T) {
	policy := access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Update | access.Delete, Using: access.Gt("price", 3)}}
	s := between(t, decorator("outer", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Tx && !op.Principal.IsSystem() {
			op.Guard(core.Eq("baker", 1))
		}
		return next(ctx, op)
	}), policy, pass("inside")) // the only bread so far has no baker
	s.add(s.bread, map[string]any{"id": 2, "price": 5, "baker": 1}, map[string]any{"id": 3, "price": 1, "baker": 1})
	ctx, guest := s.as(user(1, "guest")), user(1, "guest")
	s.is("list", s.list(guest, core.Query{Fields: []string{"id"}}), "bread{id:2}\n")
	for key, want := range map[int64]string{1: `OBJECT_DOES_NOT_EXIST object_name="Bread" object_id=1`, 3: `OBJECT_DOES_NOT_EXIST object_name="Bread" object_id=3`} {
		s.is("delete", public(s.store.Delete(ctx, s.bread, core.IntValue(key))), want)
	}
	_, err := s.store.Update(ctx, s.bread, s.record(s.bread, map[string]any{"id": 2, "baker": 2}))
	s.is("update", public(err), `FORBIDDEN object_name="Bread"`)
}

func TestInnerErrorsPassUnchanged(t *testing.T) {
	every := access.Read | access.Insert | access.Update
	system := core.PrincipalOf(core.System(t.Context()))
	for name, c := range map[string]struct {
		principal *core.Principal
		fields    []string
	}{"whole rows": {user(1, "guest"), nil}, "some fields": {user(1, "guest"), []string{"name", "baker"}}, "of the system": {system, nil}} {
		policy := access.Policy{
			{Roles: []string{"guest"}, Resource: "bread", Operations: every, Fields: c.fields},
			{Roles: []string{"guest"}, Resource: "bread", Operations: access.Delete},
		}
		for _, fails := range []error{errors.New("disk full"), &core.Error{Code: core.Forbidden, Cause: errors.New("not on Sundays")}} {
			broken := false // until the rows are inserted
			s := between(t, pass("outside"), policy, decorator("fails", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if broken {
					return core.Result{}, fails
				}
				return next(ctx, op)
			}))
			broken = true
			for kind, err := range s.each(c.principal) {
				if !strings.HasSuffix(fmt.Sprint(err), fails.Error()) {
					t.Errorf("%s, %s: got %v, want %v", name, kind, err, fails)
				}
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestUnknownKindIsForbidden(t *testing.T) {
	s := between(t, decorator("spoil", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Count {
			op.Kind = 99
		}
		return next(ctx, op)
	}), access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read}}, pass("inside"))
	_, err := s.store.Count(s.as(user(1, "guest")), s.bread, core.All())
	s.is("count", public(err), `FORBIDDEN object_name="Bread"`)
}

func TestResourceOfAnotherModelIsForbidden(t *testing.T) {
	for name, other := range map[string]*core.Resource{"none": nil, "another model": bakery().Resource("bread")} {
		s := between(t, decorator("spoil", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Count || op.Kind == core.Delete {
				op.Resource = other
			}
			return next(ctx, op)
		}), access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Delete}}, pass("inside"))
		ctx := s.as(user(1, "guest"))
		for kind, err := range map[string]error{
			"count": second(s.store.Count(ctx, s.bread, core.All())), "delete": s.store.Delete(ctx, s.bread, core.IntValue(1)),
		} {
			if !errors.Is(err, core.Forbidden) {
				t.Errorf("%s of %s: got %v", kind, name, err)
			}
		}
	}
}

func TestPartialRecordMatchesNoCondition(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Update, Using: access.Ne("recipe", "secret")},
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read | access.Update, Fields: []string{"name"}},
		{Roles: []string{"owner"}, Resource: "bread", Operations: access.Read},
	}
	s := between(t, pass("outside"), policy, decorator("cut", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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
	s.is("remaining fields", s.list(user(1, "guest", "owner"), core.Query{}), "bread{id:1 name:rye price:5 on_sale:false baker:null notes:null shop:null}\n")
	renamed, err := s.store.Update(s.as(user(1, "guest", "owner")), s.bread, s.record(s.bread, map[string]any{"id": 1, "name": "x"}))
	if err != nil || renamed[0].Get("price") != core.IntValue(5) {
		t.Errorf("remaining fields of a write: %v, %v", renamed, err)
	}
}

func TestStampOfAnOuterDecoratorNeedsNoRule(t *testing.T) {
	policy := access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Insert | access.ChooseKey, Fields: []string{"name"}}}
	s := between(t, decorator("stamp", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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

func TestRecordsAddedByAnOuterDecoratorAreChecked(t *testing.T) {
	policy := access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Insert, Fields: []string{"name"}}}
	s := between(t, decorator("more", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert && !op.Principal.IsSystem() {
			op.Records = append(slices.Clone(op.Records), op.Records[0].With(op.Resource.Field("recipe").Column(), core.TextValue("x")))
		}
		return next(ctx, op)
	}), policy, pass("inside"))
	_, err := s.store.Insert(s.as(user(1, "guest")), s.bread, s.record(s.bread, map[string]any{"name": "x"}))
	s.is("insert", public(err), `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`)
}

func TestReplacedInsertIsChecked(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Insert, Fields: []string{"name"}},
		{Roles: []string{"guest"}, Resource: "shop", Operations: access.Insert, Fields: []string{}},
	}
	s := between(t, decorator("instead", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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
