package access_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// rule returns a policy of one valid rule that has been changed.
func rule(change func(r *access.Rule)) access.Policy {
	r := access.Rule{Name: "n", Roles: []string{"baker"}, Resource: "bread", Operations: access.Read | access.Update}
	change(&r)
	return access.Policy{r}
}

func TestCompileReportsTheMistakeWithItsRule(t *testing.T) {
	deep := access.Eq("id", 1)
	for range 60 {
		deep = access.Not(access.And(deep, access.Eq("id", 2)))
	}
	for _, c := range []struct {
		want   string
		policy access.Policy
	}{
		{"has no roles; name at least one", rule(func(r *access.Rule) { r.Roles = nil })},
		{"has an empty role; name it or remove it", rule(func(r *access.Rule) { r.Roles = []string{""} })},
		{`lists the role "a" twice; remove one`, rule(func(r *access.Rule) { r.Roles = []string{"a", "b", "a"} })},
		{"has no resource; name one", rule(func(r *access.Rule) { r.Resource = "" })},
		{`the model "bakery" has no resource "Bread"`, rule(func(r *access.Rule) { r.Resource = "Bread" })},
		{"has no operations; add at least one of read, insert, update, delete, choose_key, restore", rule(func(r *access.Rule) { r.Operations = 0 })},
		{"has the unknown operation 0x80; use read, insert, update, delete, choose_key, restore", rule(func(r *access.Rule) { r.Operations |= 128 })},
		{`fields: bread has no field "Price"`, rule(func(r *access.Rule) { r.Fields = []string{"id", "Price"} })},
		{"fields: shop.breads is stored as bread.shop; write a rule about that field",
			rule(func(r *access.Rule) { r.Resource, r.Fields = "shop", []string{"breads"} })},
		{"fields: bread.label is computed; name the stored fields that it reads",
			rule(func(r *access.Rule) { r.Fields = []string{"label"} })},
		{`fields: "name" is listed twice; remove one`, rule(func(r *access.Rule) { r.Fields = []string{"name", "id", "name"} })},
		{"has fields and delete, which removes whole rows; put delete into a rule of its own",
			rule(func(r *access.Rule) { r.Fields, r.Operations = []string{}, access.Delete|access.Read })},
		{"has fields and restore, which brings back whole rows; put restore into a rule of its own",
			rule(func(r *access.Rule) { r.Fields, r.Operations = []string{}, access.Restore|access.Read })},
		{"has using and only insert, before which there is no row; use check",
			rule(func(r *access.Rule) { r.Using, r.Operations = access.Eq("id", 1), access.Insert })},
		{"has using and only insert, before which there is no row; use check",
			rule(func(r *access.Rule) { r.Using, r.Operations = access.Eq("id", 1), access.Insert|access.ChooseKey })},
		{"has choose_key without insert and so permits nothing; add insert",
			rule(func(r *access.Rule) { r.Operations |= access.ChooseKey })},
		{"has check and only read, delete, after which there is no row to check; use using",
			rule(func(r *access.Rule) { r.Check, r.Operations = access.Eq("id", 1), access.Read|access.Delete })},
		{`using: bread has no field "owner"`, rule(func(r *access.Rule) { r.Using = access.Eq("owner", access.PrincipalID()) })},
		{`check: bread has no field "owner"`,
			rule(func(r *access.Rule) { r.Check = access.Not(access.And(access.All(), access.Eq("owner", 1))) })},
		{"using: shop.breads is stored as bread.shop; write a rule about that field",
			rule(func(r *access.Rule) { r.Resource, r.Using = "shop", access.Eq("breads", 1) })},
		{"using: bread.price is int, which has no operator prefix; use eq, ne or in", rule(func(r *access.Rule) { r.Using = access.Prefix("price", "1") })},
		{"using: bread.notes is json, which has no operator lt; use eq, ne or in", rule(func(r *access.Rule) { r.Using = access.Lt("notes", 1) })},
		{"using: bread.notes is json and cannot be compared with a value of the principal",
			rule(func(r *access.Rule) { r.Using = access.Eq("notes", access.PrincipalClaim("c")) })},
		{`using: the value [claim "c"] does not fit bread.notes, which is json`,
			rule(func(r *access.Rule) { r.Using = access.Ne("notes", []any{access.PrincipalClaim("c")}) })},
		{"using: bread.price is compared with a claim without a name; name the claim", rule(func(r *access.Rule) { r.Using = access.Eq("price", access.PrincipalClaim("")) })},
		{`using: the value "cheap" does not fit bread.price, which is int`,
			rule(func(r *access.Rule) { r.Using = access.Or(access.Eq("price", 1), access.Eq("price", "cheap")) })},
		{`using: the value ["1", 2] does not fit bread.price, which is int`,
			rule(func(r *access.Rule) { r.Using = access.Eq("price", []any{"1", 2}) })},
		{`using: bread has no field "or"; the language has $or`,
			rule(func(r *access.Rule) { r.Using = access.Eq("or", []any{}) })},
		{"using: bread.price is int, which has no operator icontains; use eq, ne or in", rule(func(r *access.Rule) { r.Using = access.IContains("price", "1") })},
		{"using: bread.price ge null never matches; use eq or ne", rule(func(r *access.Rule) { r.Using = access.Between("price", nil, 1) })},
		{"using: bread.price gt null never matches; use eq or ne", rule(func(r *access.Rule) { r.Using = access.Gt("price", nil) })},
		{`using: bread has no field ""`, rule(func(r *access.Rule) { r.Using = access.Eq("", 1) })},
		{"using: contains an And or Or without conditions; add one or remove it", rule(func(r *access.Rule) { r.Using = access.And() })},
		{"using: contains an empty condition; use All or remove it", rule(func(r *access.Rule) { r.Using = access.Not(access.Condition{}) })},
		{"using: is nested more than 50 levels deep; flatten it", rule(func(r *access.Rule) { r.Using = deep })},
	} {
		_, err := c.policy.Compile(bakery())
		if want := "rule 1 (n): " + c.want; err == nil || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

func TestNewReportsAllMistakes(t *testing.T) {
	good := rule(func(*access.Rule) {})[0]
	bad := rule(func(r *access.Rule) { r.Name, r.Resource = "", "cake" })[0]
	_, err := core.New(t.Context(), bakery(), memory.New(), access.New(access.Policy{good, bad, good}, access.Options{}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`decorator "access": rule 2: the model "bakery" has no resource "cake"`, "rule 3 (n): has the same name as rule 1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
}

func TestCompileAcceptsValidConditions(t *testing.T) {
	deepest := access.Eq("id", 1)
	for range 49 {
		deepest = access.Not(deepest)
	}
	for _, c := range []access.Condition{
		access.All(), access.Eq("notes", []any{1}), access.Eq("price", nil), access.In("name"), access.In("name", "a", nil, access.PrincipalClaim("c")),
		access.Contains("name", access.PrincipalClaim("c")), access.IContains("name", "A"), access.Between("price", 1, access.PrincipalClaim("c")),
		access.Prefix("name", access.PrincipalClaim("c")), access.Le("shop", access.PrincipalID()), access.Ge("on_sale", true), access.Lt("price", "5"),
		access.Not(access.Or(access.Eq("id", 1), access.Ne("id", access.PrincipalID()))), deepest,
	} {
		if _, err := rule(func(r *access.Rule) { r.Using = c }).Compile(bakery()); err != nil {
			t.Error(err)
		}
	}
}

func TestToManyCannotBeCompared(t *testing.T) {
	m := core.MustModel("links", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "links", ToMany: "page"}}})
	for operator, using := range map[string]access.Condition{"eq": access.Eq("links", nil), "prefix": access.Prefix("links", "x"), "lt": access.Lt("links", 1)} {
		_, err := access.Policy{{Roles: []string{"r"}, Resource: "page", Operations: access.Read, Using: using}}.Compile(m)
		if want := "rule 1: using: page.links is to-many and cannot be compared with " + operator; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestConditionsCannotOrderAnUnorderedField(t *testing.T) {
	m := core.MustModel("shop", core.ResourceSpec{Name: "cake", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "grade", Type: core.Text, Unordered: true},
	}})
	compile := func(c access.Condition) error {
		_, err := access.Policy{{Roles: []string{"r"}, Resource: "cake", Operations: access.Read, Using: c}}.Compile(m)
		return err
	}
	for _, c := range []access.Condition{access.Eq("grade", "a"), access.In("grade", "a", "b"), access.Prefix("grade", "a"), access.Eq("grade", access.PrincipalClaim("c"))} {
		if err := compile(c); err != nil {
			t.Error(err)
		}
	}
	want := "cake.grade is Unordered in the model and cannot be compared with ge; use eq, ne or in"
	if err := compile(access.Ge("grade", "b")); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}
