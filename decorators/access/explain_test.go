package access_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

func TestExplainAnswersWhatTheDecoratorAnswers(t *testing.T) {
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
		who   *core.Principal
		what  access.Operation
		field string
		want  string
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
		e, got := c.Explain(x.who, x.what, "bread", x.field), ""
		if e.Err != nil {
			got = public(e.Err)
		}
		if got != x.want || e.Allowed() != (x.want == "") {
			t.Errorf("%v %v %s: got %s, want %s", x.who, x.what, x.field, got, x.want)
		}
		if e.Allowed() == (e.Using.Kind() == core.FilterNone) {
			t.Errorf("%v %v %s: rows %v", x.who, x.what, x.field, e.Using)
		}
	}
	if e := c.Explain(user(1, "baker", "cook"), access.Read, "bread", "name", "recipe"); public(e.Err) != `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"` {
		t.Errorf("fields that no rule shows together: %v", e.Err)
	}
	e := c.Explain(p, access.Update, "bread", "name")
	if e.Using.String() != "baker = [1]" || e.Check.String() != "price < [10]" {
		t.Errorf("using %v, check %v", e.Using, e.Check)
	}
}

func TestExplainSaysWhenItIsAskedAboutWhatIsNotThere(t *testing.T) {
	c, err := bakers.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]access.Explanation{
		`access: model "bakery" has no resource "cake"`:                             c.Explain(nil, access.Read, "cake"),
		`access: the question names the field "flavour", which bread does not have`: c.Explain(nil, access.Read, "bread", "flavour"),
		"access: the question names bread.label, which is computed; name the fields that it is made of": c.Explain(
			core.PrincipalOf(core.System(t.Context())), access.Read, "bread", "label"),
	} {
		if e.String() != want || e.Allowed() || e.Using.Kind() != core.FilterNone {
			t.Errorf("got %v %v, want %s", e, e.Using, want)
		}
	}
}

func TestExplainSaysWhichFieldsCannotBeSortedBy(t *testing.T) {
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
		who   *core.Principal
		what  access.Operation
		field string
		want  string
	}{
		{baker, access.Read, "shop", "read of bread is allowed: rule 1 applies; no order or range of shop: not every shop may be read"},
		{baker, access.Read, "price", "read of bread is allowed: rule 1 applies"},
		{baker, access.Update, "shop", "update of bread is allowed: rule 1 applies"},
		{owner, access.Read, "shop", "read of bread is allowed: rule 1 applies"},
		{core.PrincipalOf(core.System(t.Context())), access.Read, "shop", "the program itself passes"},
	} {
		e := c.Explain(x.who, x.what, "bread", x.field)
		if e.String() != x.want || !e.Allowed() || (len(e.Unordered) > 0) != strings.Contains(x.want, "no order") {
			t.Errorf("%v %v %s: got %s, %v, want %s", x.who, x.what, x.field, e, e.Unordered, x.want)
		}
	}
	if e := c.Explain(user(3, "guest"), access.Read, "bread", "shop"); e.Allowed() || len(e.Unordered) > 0 {
		t.Errorf("what may not be read: %s, %v", e, e.Unordered)
	}
	s := newScene(t, policy)
	_, err = s.store.Select(s.as(baker), s.bread, core.Query{Order: []string{"-shop"}})
	s.is("cause", core.AsError(err).Error(), `SEARCH_FORBIDDEN object_name="Bread" field_name="shop": access: no order or range of shop: not every shop may be read`)
}

func TestExplainTakesExactlyOneOperation(t *testing.T) {
	c, err := bakers.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[access.Operation]string{
		0:                           "access: the question is about no operation; Explain takes exactly one",
		access.Read | access.Update: "access: the question is about read, update; Explain takes exactly one",
		1 << 6:                      "access: the question is about no operation; Explain takes exactly one",
	} {
		for _, who := range []*core.Principal{user(1, "baker"), core.PrincipalOf(core.System(t.Context()))} {
			if e := c.Explain(who, what, "bread"); e.Allowed() || e.String() != want || e.Using.Kind() != core.FilterNone {
				t.Errorf("%d: got %s, %v, want %s", what, e, e.Using, want)
			}
		}
	}
}

// The client learns that the row may not be like this, and the log which rules asked.
func TestTheCauseOfARowThatFulfilsNoCheckIsWhatTheRulesSaid(t *testing.T) {
	s := newScene(t, access.Policy{
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
		missing string // what the second rule does not list: a default counts as left alone
	}{"update": {updated, "on_sale"}, "insert": {inserted, "baker"}} {
		want := `FORBIDDEN object_name="Bread": access: ` + what + " of bread is allowed: rule 1 (own) applies; rule 2 does not list " + c.missing +
			"; rule 3 is for owner; a row as it would be fulfils no check of these, or of another policy"
		s.is(what, core.AsError(c.err).Error(), want)
	}
}
