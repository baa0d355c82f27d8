package access_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

const everything = access.Read | access.Insert | access.Update | access.Delete | access.ChooseKey

// bakers permits bakers every operation on their own bread, and nothing else.
var bakers = access.Policy{{Roles: []string{"baker"}, Resource: "bread", Operations: everything, Using: access.Eq("baker", access.PrincipalID())}}

// each runs one operation of each kind on bread 1, and a transaction.
func (s fixture) each(p *core.Principal) map[string]error {
	ctx, one := s.as(p), core.IntValue(1)
	errs := make(map[string]error)
	_, errs["load"] = s.store.Get(ctx, s.bread, one)
	_, errs["select"] = s.store.Select(ctx, s.bread, core.Query{})
	_, errs["count"] = s.store.Count(ctx, s.bread, core.All())
	_, errs["insert"] = s.store.Insert(ctx, s.bread, s.record(s.bread, map[string]any{"baker": 1}))
	_, errs["update"] = s.store.Update(ctx, s.bread, s.record(s.bread, map[string]any{"id": 1, "name": "x"}))
	_, errs["next_id"] = s.store.NextIDs(ctx, s.bread, 1)
	errs["delete"] = s.store.Delete(ctx, s.bread, one)
	errs["tx"] = s.store.Tx(ctx, func(context.Context, *core.Transaction) error { return nil })
	return errs
}

func TestDeniedIsUnauthorizedForAnonymous(t *testing.T) {
	for _, policy := range []access.Policy{nil, bakers} {
		s := newFixture(t, policy)
		for kind, err := range s.each(user(1, "guest")) {
			want := "FORBIDDEN object_name=\"Bread\""
			if kind == "tx" {
				want = "FORBIDDEN"
			}
			s.is(kind, public(err), want)
		}
		for kind, err := range s.each(nil) {
			s.is("anonymous: "+kind, public(err), "UNAUTHORIZED")
		}
		s.is("stored", s.stored(1), newFixture(t, nil).stored(1))
	}
}

func TestSystemPasses(t *testing.T) {
	s := newFixture(t, nil)
	for kind, err := range s.each(core.PrincipalOf(core.System(t.Context()))) {
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestPermittedOperationsSucceed(t *testing.T) {
	s := newFixture(t, bakers)
	for kind, err := range s.each(user(1, "guest", "baker")) {
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestHiddenRowIsNotFound(t *testing.T) {
	s := newFixture(t, bakers)
	p := user(2, "baker")
	for _, id := range []int64{1, 4, 99} {
		want := public(s.bread.NotFound(core.IntValue(id)))
		_, err := s.store.Get(s.as(p), s.bread, core.IntValue(id))
		s.is("get", public(err), want)
		_, err = s.store.Update(s.as(p), s.bread, s.record(s.bread, map[string]any{"id": id, "name": "x"}))
		s.is("update", public(err), want)
		s.is("delete", public(s.store.Delete(s.as(p), s.bread, core.IntValue(id))), want)
	}
	s.is("list", s.list(p, core.Query{Fields: []string{"name"}}), "bread{id:3 name:roll}\n")
	if n, err := s.store.Count(s.as(p), s.bread, core.All()); n != 1 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

func TestWriteMustMatchCheck(t *testing.T) {
	s := newFixture(t, access.Policy{{
		Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.Update,
		Using: access.Eq("baker", access.PrincipalID()), Check: access.And(access.Eq("baker", access.PrincipalID()), access.Lt("price", 10)),
	}})
	p := user(1, "baker")
	for what, row := range map[string]map[string]any{
		"given away": {"id": 1, "baker": 2},
		"too dear":   {"id": 1, "price": 10},
	} {
		_, err := s.store.Update(s.as(p), s.bread, s.record(s.bread, row))
		s.is(what, public(err), `FORBIDDEN object_name="Bread"`)
	}
	for what, row := range map[string]map[string]any{
		"for another": {"baker": 2, "price": 1},
		"no baker":    {"price": 1},
		"no price":    {"baker": 1},
	} {
		_, err := s.store.Insert(s.as(p), s.bread, s.record(s.bread, row))
		s.is(what, public(err), `FORBIDDEN object_name="Bread"`)
	}
	if _, err := s.store.Update(s.as(p), s.bread, s.record(s.bread, map[string]any{"id": 1, "price": 9})); err != nil {
		t.Error(err)
	}
}

func TestCheckAllPermitsAnyChange(t *testing.T) {
	s := newFixture(t, access.Policy{{
		Roles: []string{"baker"}, Resource: "bread", Operations: access.Update, Using: access.Eq("baker", access.PrincipalID()), Check: access.All(),
	}})
	if _, err := s.store.Update(s.as(user(1, "baker")), s.bread, s.record(s.bread, map[string]any{"id": 1, "baker": 2})); err != nil {
		t.Error(err)
	}
}

func TestAnonymousAndAuthenticatedRoles(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{access.Anonymous}, Resource: "bread", Operations: access.Read, Using: access.Eq("on_sale", true), Fields: []string{"name"}},
		{Roles: []string{access.Authenticated}, Resource: "bread", Operations: access.Read, Using: access.Eq("baker", access.PrincipalID()), Fields: []string{"price"}},
	})
	s.is("anonymous", s.list(nil, core.Query{}), "bread{id:1 name:rye}\nbread{id:3 name:roll}\n")
	s.is("authenticated", s.list(user(2), core.Query{}), "bread{id:3 price:2}\n")
	s.is("anonymous write", public(s.store.Delete(s.as(nil), s.bread, core.IntValue(1))), "UNAUTHORIZED")
	s.is("authenticated write", public(s.store.Delete(s.as(user(2)), s.bread, core.IntValue(3))), `FORBIDDEN object_name="Bread"`)
}

func TestTwoRulesForDifferentRows(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: access.Eq("id", 1)},
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: access.Eq("id", 2)},
	})
	guest := user(1, "guest")
	s.is("some", s.list(guest, core.Query{Fields: []string{"price"}}), "bread{id:1 price:5}\nbread{id:2 price:1}\n")
	s.is("all", s.list(guest, core.Query{Where: core.Eq("id", 2)}), "bread{id:2 name:bun price:1 recipe:secret 2 on_sale:false baker:1 notes:null shop:2}\n")
}

func TestAnotherRoleTakesNothingAway(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: access.Eq("on_sale", true), Fields: []string{"name"}},
		{Roles: []string{"buyer"}, Resource: "bread", Operations: access.Read, Using: access.Lt("price", 5), Fields: []string{"price"}},
		{Roles: []string{"owner"}, Resource: "bread", Operations: access.Read},
	})
	s.is("guest", s.list(user(9, "guest"), core.Query{}), "bread{id:1 name:rye}\nbread{id:3 name:roll}\n")
	s.is("each row shows the fields of the rules that match it", s.list(user(9, "guest", "buyer"), core.Query{}),
		"bread{id:1 name:rye}\nbread{id:2 price:1}\nbread{id:3 name:roll price:2}\n")
	s.is("a filter meets the rows whose field it may name",
		s.list(user(9, "guest", "buyer"), core.Query{Where: core.Gt("price", 0), Order: []string{"-price"}}),
		"bread{id:3 name:roll price:2}\nbread{id:2 price:1}\n")
	s.is("a field that no rule lists is not read", s.list(user(9, "guest", "buyer"), core.Query{Fields: []string{"recipe", "price"}}),
		"bread{id:1 name:rye}\nbread{id:2 price:1}\nbread{id:3 name:roll price:2}\n")
	s.is("owner", s.list(user(9, "guest", "owner"), core.Query{Where: core.Eq("id", 4)}),
		"bread{id:4 name:loaf price:7 recipe:null on_sale:false baker:null notes:null shop:null}\n")
}

func TestUnlistedFieldIsNotReadable(t *testing.T) {
	s := newFixture(t, access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "shop"}}})
	p := user(9, "guest")
	s.is("all", s.list(p, core.Query{Limit: 1}), "bread{id:1 name:rye shop:1}\n")
	s.is("some", s.list(p, core.Query{Limit: 1, Fields: []string{"recipe", "name"}}), "bread{id:1 name:rye}\n")
	s.is("none of them", s.list(p, core.Query{Limit: 1, Fields: []string{"recipe"}}), "bread{id:1}\n")
	s.is("get", result(s.store.Get(s.as(p), s.bread, core.IntValue(1))), "bread{id:1 name:rye shop:1}")
	unknown := `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="Price"`
	for what, where := range map[string]core.Filter{
		"plain": core.Eq("price", 5), "not": core.Not(core.Eq("price", 5)),
		"deep": core.Or(core.Eq("name", "rye"), core.And(core.Eq("id", 1), core.Not(core.Gt("price", 5)))),
	} {
		s.is(what, s.list(p, core.Query{Where: where}), unknown)
		_, err := s.store.Count(s.as(p), s.bread, where)
		s.is("count "+what, public(err), unknown)
	}
	s.is("order", s.list(p, core.Query{Order: []string{"name", "-price"}}), unknown)
}

func TestUnlistedFieldIsNotWritable(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "price"}},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.Update, Fields: []string{"name"}},
	})
	p := user(1, "baker")
	for field, want := range map[string]string{
		"price":  `FIELD_IS_READONLY object_name="Bread" field_name="Price"`,
		"recipe": `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`,
	} {
		value := map[string]any{"price": 1, "recipe": "x"}[field]
		_, err := s.store.Update(s.as(p), s.bread, s.record(s.bread, map[string]any{"id": 1, field: value}))
		s.is("update", public(err), want)
		_, err = s.store.Insert(s.as(p), s.bread, s.record(s.bread, map[string]any{"name": "x", field: value}))
		s.is("insert", public(err), want)
		_, err = s.store.Insert(s.as(p), s.bread, s.record(s.bread, map[string]any{"name": "x", field: nil}))
		s.is("insert of null", public(err), want)
	}
	updated, err := s.store.Update(s.as(p), s.bread, s.record(s.bread, map[string]any{"id": 1, "name": "Rye"}))
	if err != nil {
		t.Fatal(err)
	}
	s.is("returned", updated[0].String(), "bread{id:1 name:Rye price:5}")
}

func TestInsertKeepsDefaultsOfUnlistedFields(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.ChooseKey | access.Read, Fields: []string{"name"}},
	})
	p := user(1, "baker")
	for what, row := range map[string]map[string]any{
		"not named": {"id": 50, "name": "x"}, "named as it is": {"id": 51, "name": "x", "on_sale": false},
	} {
		if _, err := s.store.Insert(s.as(p), s.bread, s.record(s.bread, row)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.is("stored", s.stored(50), "bread{id:50 name:x price:null recipe:null on_sale:false baker:null notes:null shop:null}")
	_, err := s.store.Insert(s.as(p), s.bread, s.record(s.bread, map[string]any{"name": "x", "on_sale": true}))
	s.is("named", public(err), `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="on_sale"`)
}

func TestWriteOfUnreadableRowReturnsTheKey(t *testing.T) {
	for what, policy := range map[string]access.Policy{
		"reads nothing": {{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.ChooseKey | access.Update}},
		"reads others": {{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.ChooseKey | access.Update},
			{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Using: access.Eq("name", "other")}},
	} {
		s := newFixture(t, policy)
		updated, err := s.store.Update(s.as(user(1, "baker")), s.bread, s.record(s.bread, map[string]any{"id": 1, "name": "Rye"}))
		if err != nil {
			t.Fatal(err)
		}
		s.is(what, updated[0].String(), "bread{id:1}")
		inserted, err := s.store.Insert(s.as(user(1, "baker")), s.bread, s.record(s.bread, map[string]any{"id": 70, "name": "Rye"}))
		if err != nil {
			t.Fatal(err)
		}
		s.is(what, inserted[0].String(), "bread{id:70}")
	}
}

func TestOrderByIDsOfHiddenRows(t *testing.T) {
	read := access.Rule{Roles: []string{"guest", "owner"}, Resource: "bread", Operations: access.Read, Fields: []string{"shop"}}
	s := newFixture(t, access.Policy{
		read,
		{Roles: []string{"guest"}, Resource: "shop", Operations: access.Read, Using: access.Eq("city", "Krakow")},
		{Roles: []string{"owner"}, Resource: "shop", Operations: access.Read},
	})
	forbidden := `SEARCH_FORBIDDEN object_name="Bread" field_name="shop"`
	for _, q := range []core.Query{
		{Order: []string{"shop"}}, {Order: []string{"-shop"}},
		{Where: core.Lt("shop", 2)}, {Where: core.Not(core.Or(core.Eq("id", 1), core.Ge("shop", 2)))},
	} {
		s.is("guest", s.list(user(1, "guest"), q), forbidden)
		if got := s.list(user(1, "owner"), q); strings.HasPrefix(got, "SEARCH") {
			t.Errorf("owner: %s", got)
		}
	}
	s.is("equality", s.list(user(1, "guest"), core.Query{Where: core.Eq("shop", 1)}), "bread{id:1 shop:1}\n")
}

func TestVerdictsAreInTheCauseOnly(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Name: "bakers delete", Roles: []string{"baker"}, Resource: "bread", Operations: access.Delete},
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Delete, Using: access.Eq("name", access.PrincipalClaim("favourite"))},
	})
	err := s.store.Delete(s.as(user(1, "guest")), s.bread, core.IntValue(1))
	want := `FORBIDDEN object_name="Bread": access: delete of bread is denied: rule 1 (bakers delete) is for baker; ` +
		`rule 2 needs claim "favourite" of type text, which the principal lacks`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	s.is("client", public(err), `FORBIDDEN object_name="Bread"`)
}

func TestOperationsInATransactionAreChecked(t *testing.T) {
	s := newFixture(t, bakers)
	err := s.store.Tx(s.as(user(2, "baker")), func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Get(ctx, s.bread, core.IntValue(1)); !errors.Is(err, core.NotFound) {
			t.Errorf("a hidden row: %v", err)
		}
		if _, err := tx.Get(core.System(ctx), s.bread, core.IntValue(1)); err != nil {
			t.Errorf("system: %v", err)
		}
		if _, err := tx.Count(core.WithPrincipal(ctx, nil), s.bread, core.All()); !errors.Is(err, core.Unauthorized) {
			t.Errorf("anonymous: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPrincipalGainsNothingFromReservedRoleNames(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{access.Anonymous, "guest"}, Resource: "bread", Operations: access.Read, Fields: []string{}},
		{Roles: []string{access.Authenticated, "guest"}, Resource: "shop", Operations: access.Read, Fields: []string{}},
		{Roles: []string{access.Authenticated}, Resource: "shop", Operations: access.Delete, Using: access.Eq("id", 2)},
	})
	forbidden, unauthorized := `FORBIDDEN object_name="Bread"`, "UNAUTHORIZED"
	breads, shops := "bread{id:1}\nbread{id:2}\nbread{id:3}\nbread{id:4}\n", "shop{id:1}\nshop{id:2}\n"
	for _, c := range []struct {
		principal    *core.Principal
		bread, shops string
	}{
		{nil, breads, unauthorized},
		{user(1), forbidden, shops},
		{user(1, "guest"), breads, shops},
		{user(1, access.Anonymous), forbidden, shops},
		{user(1, access.Authenticated), forbidden, shops},
		{user(1, access.Anonymous, access.Authenticated), forbidden, shops},
	} {
		s.is(fmt.Sprint(c.principal, " breads"), s.list(c.principal, core.Query{}), c.bread)
		page, err := s.store.Select(s.as(c.principal), s.shop, core.Query{})
		got := lines(page.Records)
		if err != nil {
			got = public(err)
		}
		s.is(fmt.Sprint(c.principal, " shops"), got, c.shops)
	}
	_, err := s.store.Insert(s.as(user(1, access.Anonymous)), s.bread, s.record(s.bread, map[string]any{"name": "x"}))
	s.is("insert", public(err), forbidden)
}
