package condition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/condition"
)

// text writes a condition in one line.
func text(c condition.Condition) string {
	var parts []string
	for _, part := range c.Parts {
		parts = append(parts, text(part))
	}
	if c.Name == "" {
		return fmt.Sprintf("%s(%s)", c.Kind, strings.Join(parts, ", "))
	}
	if c.Kind == core.FilterRelated {
		return fmt.Sprintf("%s any(%s)", c.Name, strings.Join(parts, ", "))
	}
	return fmt.Sprintf("%s %s %v", c.Name, c.Kind, c.Values)
}

func parse(t *testing.T, document string) (condition.Condition, error) {
	t.Helper()
	raw, err := core.ParseJSON([]byte(document), 0)
	if err != nil {
		t.Fatal(err)
	}
	return condition.Parse(raw, nil)
}

func TestParse(t *testing.T) {
	for document, want := range map[string]string{
		`{}`:                                                  "and()",
		`{"type": "muffin"}`:                                  "type eq [muffin]",
		`{"b": null, "a": true}`:                              "and(a eq [true], b eq [<nil>])",
		`{"price": {"lt": 3, "ge": 1}}`:                       "and(price ge [1], price lt [3])",
		`{"price": {"in": [1, 2]}}`:                           "price in [1 2]",
		`{"price": {"between": [1, 2]}}`:                      "and(price ge [1], price le [2])",
		`{"jar.price": {"between": [1, 2], "ne": 3}}`:         "and(and(jar.price ge [1], jar.price le [2]), jar.price ne [3])",
		`{"type": {"icontains": "FF", "contains": "u"}}`:      "and(type contains [u], type icontains [FF])",
		`{"notes": {"eq": {"a": 1}}}`:                         "notes eq [map[a:1]]",
		`{"jar.color": "red"}`:                                "jar.color eq [red]",
		`{"$or": [{"a": 1}, {"b": 2, "c": 3}]}`:               "or(a eq [1], and(b eq [2], c eq [3]))",
		`{"$and": [{"a": 1}], "$not": {"b": 2}}`:              "and(a eq [1], not(b eq [2]))",
		`{"jar": {"$any": {}}}`:                               "jar any(and())",
		`{"members": {"$any": {"user": 7, "role": "admin"}}}`: "members any(and(role eq [admin], user eq [7]))",
		`{"members": {"$none": {"user": 7}}}`:                 "not(members any(user eq [7]))",
		`{"members": {"$all": {"user": 7}}}`:                  "not(members any(not(user eq [7])))",
		`{"a.b": {"$any": {"c": {"$any": {"d": 1}}}}}`:        "a.b any(c any(d eq [1]))",
		`{"a.b.c": {"$none": {"d": 1}}}`:                      "a.b any(not(c any(d eq [1])))",
		`{"a.b": {"$all": {"d": 1}}}`:                         "a any(not(b any(not(d eq [1]))))",
	} {
		c, err := parse(t, document)
		if got := text(c); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", document, got, err, want)
		}
	}
}

func TestParseNamesThePlaceOfAMistake(t *testing.T) {
	for document, want := range map[string]string{
		`[]`:                         "must be an object of conditions",
		`{"": 1}`:                    ": must be a field, $and, $or or $not",
		`{"$nor": []}`:               "$nor: must be a field, $and, $or or $not",
		`{"$or": []}`:                "$or: must be a non-empty list of conditions",
		`{"$or": [{"a": 1}, {}]}`:    "$or: [1] must not be empty",
		`{"$not": {}}`:               "$not: must not be empty",
		`{"$any": {"a": 1}}`:         `$any: must stand below a relation, as in {"labels": {"$any": {...}}}`,
		`{"a": {}}`:                  "a: must not be empty; use an operator: eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between",
		`{"a": {"like": 1}}`:         "a: like: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation",
		`{"a": {"in": 1}}`:           "a: in: must be a list of values",
		`{"a": {"between": 1}}`:      "a: between: must be a list of two values, the lower bound first",
		`{"a": {"between": [1]}}`:    "a: between: must be a list of two values, the lower bound first",
		`{"a": {"between": {}}}`:     "a: between: must be a list of two values, the lower bound first",
		`{"a": {"in": {"b": 1}}}`:    "a: in: must be a list of values",
		`{"a": {"$all": {}}}`:        "a: $all: must not be empty",
		`{"a": {"$any": [1]}}`:       "a: $any: must be an object of conditions",
		`{"a": {"$any": {"b": {}}}}`: "a: $any: b: must not be empty; use an operator: eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between",
	} {
		if _, err := parse(t, document); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", document, err, want)
		}
	}
}

func TestListsOfGoValues(t *testing.T) {
	c, err := condition.Parse(map[string]any{"a": map[string]any{"in": []int{1, 7}}}, nil)
	if got := text(c); err != nil || got != "a in [1 7]" {
		t.Errorf("got %s, %v", got, err)
	}
}
