package access_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// rule returns a right rule with a change.
func rule(change func(r *access.Rule)) access.Policy {
	r := access.Rule{Name: "n", Roles: []string{"baker"}, Resource: "bread", Operations: access.Read | access.Update}
	change(&r)
	return access.Policy{r}
}

func TestEveryMistakeOfAPolicyIsReportedWithItsRule(t *testing.T) {
	deep := access.Eq("id", 1)
	for range 60 {
		deep = access.Not(access.And(deep, access.Eq("id", 2)))
	}
	for _, c := range []struct {
		want   string
		policy access.Policy
	}{
		{"has no roles, so it would be for nobody", rule(func(r *access.Rule) { r.Roles = nil })},
		{"has a role without a name", rule(func(r *access.Rule) { r.Roles = []string{""} })},
		{`has the role "a" twice`, rule(func(r *access.Rule) { r.Roles = []string{"a", "b", "a"} })},
		{"names no resource", rule(func(r *access.Rule) { r.Resource = "" })},
		{`names the resource "Bread", which the model "bakery" does not have`, rule(func(r *access.Rule) { r.Resource = "Bread" })},
		{"has no operations, so it would allow nothing", rule(func(r *access.Rule) { r.Operations = 0 })},
		{"has an unknown operation (0x80)", rule(func(r *access.Rule) { r.Operations |= 128 })},
		{`fields: names the field "Price", which bread does not have`, rule(func(r *access.Rule) { r.Fields = []string{"id", "Price"} })},
		{"fields: names shop.breads, which is stored on the other side; make a rule about bread.shop",
			rule(func(r *access.Rule) { r.Resource, r.Fields = "shop", []string{"breads"} })},
		{"fields: names bread.label, which is computed; name the fields that it is made of",
			rule(func(r *access.Rule) { r.Fields = []string{"label"} })},
		{`fields: has "name" twice`, rule(func(r *access.Rule) { r.Fields = []string{"name", "id", "name"} })},
		{"has fields and delete, which is about whole rows; make delete a rule of its own",
			rule(func(r *access.Rule) { r.Fields, r.Operations = []string{}, access.Delete|access.Read })},
		{"has a using and insert alone, before which there is no row; make it a check",
			rule(func(r *access.Rule) { r.Using, r.Operations = access.Eq("id", 1), access.Insert })},
		{"has a using and insert alone, before which there is no row; make it a check",
			rule(func(r *access.Rule) { r.Using, r.Operations = access.Eq("id", 1), access.Insert|access.ChooseKey })},
		{"has choose_key without insert, so it would allow nothing; add insert",
			rule(func(r *access.Rule) { r.Operations |= access.ChooseKey })},
		{"has a check and only read, delete, which leaves no row behind; make it a using",
			rule(func(r *access.Rule) { r.Check, r.Operations = access.Eq("id", 1), access.Read|access.Delete })},
		{`using: names the field "owner", which bread does not have`, rule(func(r *access.Rule) { r.Using = access.Eq("owner", access.PrincipalID()) })},
		{`check: names the field "owner", which bread does not have`,
			rule(func(r *access.Rule) { r.Check = access.Not(access.And(access.All(), access.Eq("owner", 1))) })},
		{"using: names shop.breads, which is stored on the other side; make a rule about bread.shop",
			rule(func(r *access.Rule) { r.Resource, r.Using = "shop", access.Eq("breads", 1) })},
		{"using: compares bread.price, which is int, with prefix", rule(func(r *access.Rule) { r.Using = access.Prefix("price", "1") })},
		{"using: compares bread.notes, which is json, with lt", rule(func(r *access.Rule) { r.Using = access.Lt("notes", 1) })},
		{"using: compares bread.notes, which is json, with what the principal has; it cannot be",
			rule(func(r *access.Rule) { r.Using = access.Eq("notes", access.PrincipalClaim("c")) })},
		{`using: compares bread.notes, which is json, with a value that does not fit: [claim "c"]`,
			rule(func(r *access.Rule) { r.Using = access.Ne("notes", []any{access.PrincipalClaim("c")}) })},
		{"using: compares bread.price with a claim without a name", rule(func(r *access.Rule) { r.Using = access.Eq("price", access.PrincipalClaim("")) })},
		{"using: compares bread.price, which is int, with a value that does not fit: cheap",
			rule(func(r *access.Rule) { r.Using = access.Or(access.Eq("price", 1), access.Eq("price", "cheap")) })},
		{"using: asks for bread.price gt null, which nothing is", rule(func(r *access.Rule) { r.Using = access.Gt("price", nil) })},
		{`using: names the field "", which bread does not have`, rule(func(r *access.Rule) { r.Using = access.Eq("", 1) })},
		{"using: holds an And or Or of nothing", rule(func(r *access.Rule) { r.Using = access.And() })},
		{"using: holds a condition that says nothing", rule(func(r *access.Rule) { r.Using = access.Not(access.Condition{}) })},
		{"using: is nested more than 50 deep", rule(func(r *access.Rule) { r.Using = deep })},
	} {
		_, err := c.policy.Compile(bakery())
		if want := "rule 1 (n): " + c.want; err == nil || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

func TestAllMistakesAreReportedAtOnceWhenTheStoreIsMade(t *testing.T) {
	good := rule(func(*access.Rule) {})[0]
	bad := rule(func(r *access.Rule) { r.Name, r.Resource = "", "cake" })[0]
	_, err := core.New(t.Context(), bakery(), memory.New(), access.New(access.Policy{good, bad, good}, access.Options{}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`decorator "access": rule 2: names the resource "cake"`, "rule 3 (n): has the name of rule 1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
}

func TestAPolicyMayCompareEveryTypeThatConditionsKnow(t *testing.T) {
	deepest := access.Eq("id", 1)
	for range 49 {
		deepest = access.Not(deepest)
	}
	for _, c := range []access.Condition{
		access.All(), access.Eq("notes", []any{1}), access.Eq("price", nil), access.In("name"), access.In("name", "a", nil, access.PrincipalClaim("c")),
		access.Prefix("name", access.PrincipalClaim("c")), access.Le("shop", access.PrincipalID()), access.Ge("on_sale", true), access.Lt("price", "5"),
		access.Not(access.Or(access.Eq("id", 1), access.Ne("id", access.PrincipalID()))), deepest,
	} {
		if _, err := rule(func(r *access.Rule) { r.Using = c }).Compile(bakery()); err != nil {
			t.Error(err)
		}
	}
}

func TestAListOfRelationsIsNotCompared(t *testing.T) {
	m := core.MustModel("links", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "links", ToMany: "page"}}})
	for operator, using := range map[string]access.Condition{"eq": access.Eq("links", nil), "prefix": access.Prefix("links", "x"), "lt": access.Lt("links", 1)} {
		_, err := access.Policy{{Roles: []string{"r"}, Resource: "page", Operations: access.Read, Using: using}}.Compile(m)
		if want := "rule 1: using: compares page.links, which is to-many, with " + operator; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
