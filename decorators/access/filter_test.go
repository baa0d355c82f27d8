package access_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/access"
)

func TestFilterByAToOne(t *testing.T) {
	unknown := `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="shop"`
	bread := func(fields ...string) access.Rule {
		return access.Rule{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: fields}
	}
	shop := access.Rule{Roles: []string{"guest"}, Resource: "shop", Operations: access.Read}
	for name, c := range map[string]struct {
		policy access.Policy
		want   string
	}{
		"neither the field nor the target is readable": {access.Policy{bread("name")}, unknown},
		"the field is not readable":                    {access.Policy{bread("name"), shop}, unknown},
		"the target is not readable":                   {access.Policy{bread("name", "shop")}, `FORBIDDEN object_name="shop"`},
		"the list is not readable":                     {access.Policy{shop}, `FORBIDDEN object_name="Bread"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t, c.policy)
			for _, id := range []any{1, 7, nil, map[string]any{"ne": 1}} {
				_, err := engine.New(s.store, engine.Options{}).List(core.WithPrincipal(t.Context(), user(1, "guest")), "Bread",
					engine.Query{Filter: map[string]any{"shop": id}})
				s.is(name, public(err), c.want)
			}
		})
	}
}

// TestSearchLooksIntoReadableFieldsOfEachRow has a baker who reads the recipes of its own breads only.
func TestSearchLooksIntoReadableFieldsOfEachRow(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "price"}},
		{Roles: []string{"blind"}, Resource: "bread", Operations: access.Read, Fields: []string{"price"}},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Using: access.Eq("baker", access.PrincipalID())},
		{Roles: []string{"branch"}, Resource: "bread", Operations: access.Read, Fields: []string{"recipe"}, Using: access.Related("shop", access.Eq("city", "Gdansk"))},
	})
	for _, c := range []struct {
		name, search, want string
		p                  *core.Principal
	}{
		{"a listed field", "BUN", "[2]", user(1, "guest")},
		{"a field that no rule lists", "secret", "[]", user(1, "guest")},
		{"the own rows", "secret", "[1,2]", user(1, "guest", "baker")},
		{"words in fields of different rules", "secret rye", "[1]", user(1, "guest", "baker")},
		{"words of which one is in a hidden field", "secret roll", "[]", user(1, "guest", "baker")},
		{"a rule on related rows", "secret", "[2,3]", user(9, "guest", "branch")},
		{"both rules", "SECRET 2", "[2]", user(1, "baker", "branch")},
		{"no row", "secret", "[]", user(7, "baker")},
		{"no searchable field", "bun", `BAD_PARAM_VALUE param_name="search" accepted_values="no search, because Bread has no searchable field"`, user(1, "blind")},
		{"no rule at all", "bun", `FORBIDDEN object_name="Bread"`, user(1, "none")},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := core.Query{Where: core.Search(c.search), Fields: []string{}}
			page, err := s.store.Select(s.as(c.p), s.bread, q)
			got := core.ListOf(keysOf(page.Records)...).Text()
			if err != nil {
				got = public(err)
			}
			if got != c.want {
				t.Errorf("found %s, want %s", got, c.want)
			}
			if n, err := s.store.Count(s.as(c.p), s.bread, q.Where); err == nil && n != len(page.Records) {
				t.Errorf("counted %d of %d", n, len(page.Records))
			}
		})
	}
}

func keysOf(records []core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		keys = append(keys, rec.Key())
	}
	return keys
}

// TestAggregatesCountRowsOfRulesThatListEveryField has the policy of the test of searches.
func TestAggregatesCountRowsOfRulesThatListEveryField(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{"name", "price", "shop"}},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Using: access.Eq("baker", access.PrincipalID())},
		{Roles: []string{"branch"}, Resource: "bread", Operations: access.Read, Fields: []string{"recipe", "price"}, Using: access.Related("shop", access.Eq("city", "Gdansk"))},
		{Roles: []string{"north"}, Resource: "shop", Operations: access.Read, Using: access.Eq("city", "Gdansk")},
	})
	sum, recipe := core.SumOf("price"), core.MaxOf("recipe")
	for _, c := range []struct {
		name string
		p    *core.Principal
		a    core.Aggregation
		want string
	}{
		{"the count needs no field", user(1, "guest"), core.Aggregation{}, "[{[] 4 []}]"},
		{"a field that all rows show", user(1, "guest", "baker"), core.Aggregation{Measures: []core.Measure{sum}}, "[{[] 4 [15]}]"},
		{"a field of some rows", user(1, "guest", "baker"), core.Aggregation{Measures: []core.Measure{sum, recipe}}, "[{[] 2 [6 secret 2]}]"},
		{"a group by a field of some rows", user(9, "guest", "branch"), core.Aggregation{Group: []string{"recipe"}, Measures: []core.Measure{sum}}, "[{[secret 2] 1 [1]} {[secret 3] 1 [2]}]"},
		{"fields of two rules", user(9, "guest", "branch"), core.Aggregation{Group: []string{"name"}, Measures: []core.Measure{recipe}}, `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`},
		{"a filter on a field of some rows", user(1, "guest", "baker"), core.Aggregation{Where: core.Ne("recipe", "secret 1"), Measures: []core.Measure{sum}}, "[{[] 1 [1]}]"},
		{"a measure that no rule lists", user(1, "guest"), core.Aggregation{Measures: []core.Measure{recipe}}, `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="recipe"`},
		{"a group that no rule lists", user(1, "guest"), core.Aggregation{Group: []string{"baker"}}, `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="baker"`},
		{"a group by a related row, some hidden", user(1, "guest", "north"), core.Aggregation{Group: []string{"shop.city"}}, "[{[Gdansk] 2 []} {[null] 2 []}]"},
		{"a group by ids of hidden rows", user(1, "guest", "north"), core.Aggregation{Group: []string{"shop"}}, `SEARCH_FORBIDDEN object_name="Bread" field_name="shop"`},
		{"a search in readable fields only", user(1, "guest", "baker"), core.Aggregation{Where: core.Search("secret")}, "[{[] 2 []}]"},
		{"no right to read", user(1, "none"), core.Aggregation{}, `FORBIDDEN object_name="Bread"`},
		{"anonymous", nil, core.Aggregation{}, "UNAUTHORIZED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			groups, err := s.store.Aggregate(s.as(c.p), s.bread, c.a)
			got := fmt.Sprint(groups)
			if err != nil {
				got = public(err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
