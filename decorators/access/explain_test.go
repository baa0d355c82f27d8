package access_test

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

func TestExplainAnswersWhatTheDecoratorAnswers(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "price"}},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Update, Fields: []string{"name"}, Using: access.Eq("baker", access.ID()), Check: access.Lt("price", 10)},
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
