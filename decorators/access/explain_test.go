package access_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

func TestExplainAgreesWithTheDecorator(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "price"}},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Update, Fields: []string{"name"}, Using: access.Eq("baker", access.PrincipalID()), Check: access.Lt("price", 10)},
		{Roles: []string{"cook"}, Resource: "bread", Operations: access.Read, Fields: []string{"recipe"}},
	}
	c, err := policy.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	p := user(1, "baker")
	for _, x := range []struct {
		principal *core.Principal
		what      access.Operation
		field     string
		want      string
	}{
		{p, access.Read, "name", ""},
		{p, access.Read, "recipe", `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`},
		{p, access.Update, "name", ""},
		{p, access.Update, "price", `FIELD_IS_READONLY object_name="Bread" field_name="Price"`},
		{p, access.Update, "recipe", `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`},
		{p, access.Delete, "name", `FORBIDDEN object_name="Bread"`},
		{nil, access.Read, "name", `UNAUTHORIZED`},
		{core.PrincipalOf(core.System(t.Context())), access.Delete, "name", ""},
	} {
		e, got := c.Explain(x.principal, x.what, "bread", x.field), ""
		if e.Err != nil {
			got = public(e.Err)
		}
		if got != x.want || e.Allowed() != (x.want == "") {
			t.Errorf("%v %v %s: got %s, want %s", x.principal, x.what, x.field, got, x.want)
		}
		if e.Allowed() == (e.Using.Kind() == core.FilterNone) {
			t.Errorf("%v %v %s: rows %v", x.principal, x.what, x.field, e.Using)
		}
	}
	if e := c.Explain(user(1, "baker", "cook"), access.Read, "bread", "name", "recipe"); public(e.Err) != `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"` {
		t.Errorf("fields of different rules: %v", e.Err)
	}
	e := c.Explain(p, access.Update, "bread", "name")
	if e.Using.String() != "baker = [1]" || e.Check.String() != "price < [10]" {
		t.Errorf("using %v, check %v", e.Using, e.Check)
	}
}

func TestExplainUnknownNames(t *testing.T) {
	c, err := bakers.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]access.Explanation{
		`access: the model "bakery" has no resource "cake"`: c.Explain(nil, access.Read, "cake"),
		`access: bread has no field "flavour"`:              c.Explain(nil, access.Read, "bread", "flavour"),
		"access: bread.label is computed; name the stored fields that it reads": c.Explain(
			core.PrincipalOf(core.System(t.Context())), access.Read, "bread", "label"),
	} {
		if e.String() != want || e.Allowed() || e.Using.Kind() != core.FilterNone {
			t.Errorf("got %v %v, want %s", e, e.Using, want)
		}
	}
}

func TestExplainUnorderedFields(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"baker", "owner"}, Resource: "bread", Operations: access.Read | access.Update},
		{Roles: []string{"baker"}, Resource: "shop", Operations: access.Read, Using: access.Eq("city", "Krakow")},
		{Roles: []string{"owner"}, Resource: "shop", Operations: access.Read},
	}
	c, err := policy.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	baker, owner := user(1, "baker"), user(2, "owner")
	for _, x := range []struct {
		principal *core.Principal
		what      access.Operation
		field     string
		want      string
	}{
		{baker, access.Read, "shop", "read of bread is allowed: rule 1 applies; order and range of shop are denied: the principal may not read every shop"},
		{baker, access.Read, "price", "read of bread is allowed: rule 1 applies"},
		{baker, access.Update, "shop", "update of bread is allowed: rule 1 applies"},
		{owner, access.Read, "shop", "read of bread is allowed: rule 1 applies"},
		{core.PrincipalOf(core.System(t.Context())), access.Read, "shop", "the system principal may do everything"},
	} {
		e := c.Explain(x.principal, x.what, "bread", x.field)
		if e.String() != x.want || !e.Allowed() || (len(e.Unordered) > 0) != strings.Contains(x.want, "order and range") {
			t.Errorf("%v %v %s: got %s, %v, want %s", x.principal, x.what, x.field, e, e.Unordered, x.want)
		}
	}
	if e := c.Explain(user(3, "guest"), access.Read, "bread", "shop"); e.Allowed() || len(e.Unordered) > 0 {
		t.Errorf("unreadable: %s, %v", e, e.Unordered)
	}
	s := newFixture(t, policy)
	_, err = s.store.Select(s.as(baker), s.bread, core.Query{Order: []string{"-shop"}})
	s.is("cause", core.AsError(err).Error(), `SEARCH_FORBIDDEN object_name="Bread" field_name="shop": access: order and range of shop are denied: the principal may not read every shop`)
}

func TestExplainTakesExactlyOneOperation(t *testing.T) {
	c, err := bakers.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[access.Operation]string{
		0:                           "access: Explain takes exactly one operation, not none",
		access.Read | access.Update: "access: Explain takes exactly one operation, not read, update",
		1 << 6:                      "access: Explain takes exactly one operation, not none",
	} {
		for _, principal := range []*core.Principal{user(1, "baker"), core.PrincipalOf(core.System(t.Context()))} {
			if e := c.Explain(principal, what, "bread"); e.Allowed() || e.String() != want || e.Using.Kind() != core.FilterNone {
				t.Errorf("%d: got %s, %v, want %s", what, e, e.Using, want)
			}
		}
	}
}

func TestFailedCheckHasVerdictsAsCause(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Name: "own", Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.Update, Using: access.All(), Check: access.Eq("baker", access.PrincipalID())},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.Update, Fields: []string{"name"}},
		{Roles: []string{"owner"}, Resource: "bread", Operations: access.Insert | access.Update},
	})
	another := map[string]any{"id": 1, "on_sale": false, "baker": 2}
	_, updated := s.store.Update(s.as(user(1, "baker")), s.bread, s.record(s.bread, another))
	delete(another, "id")
	_, inserted := s.store.Insert(s.as(user(1, "baker")), s.bread, s.record(s.bread, another))
	for what, c := range map[string]struct {
		err     error
		missing string // field that the second rule does not list; a default does not count as set
	}{"update": {updated, "on_sale"}, "insert": {inserted, "baker"}} {
		want := `FORBIDDEN object_name="Bread": access: ` + what + " of bread is allowed: rule 1 (own) applies; rule 2 does not list " + c.missing +
			"; rule 3 is for owner; the row matches no using before the write or no check after it of the rules that apply, or another policy denies it"
		s.is(what, core.AsError(c.err).Error(), want)
	}
}
