package access_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// odd are values that drawn puts in the place of valid ones.
var odd = []any{
	nil, true, false, 1, "", "x", []any{}, []any{"x"}, []any{"x", "x"}, map[string]any{}, map[string]any{"x": 1},
	[]any{map[string]any{"x": 1}}, []any{map[string]any{"$claim": "x"}}, []any{[]any{map[string]any{"x": map[string]any{"$x": 1}}}},
}

// drawn returns a valid value, or one of odd in one draw of a hundred.
func drawn(t *rapid.T, right func() any) any {
	if rapid.IntRange(0, 99).Draw(t, "odd") == 0 {
		return rapid.SampledFrom(odd).Draw(t, "value")
	}
	return right()
}

// some draws an object with the members in always and a random set of the others.
func some(t *rapid.T, always []string, members map[string]func() any) map[string]any {
	object := make(map[string]any)
	for _, name := range append(rapid.SliceOfDistinct(rapid.SampledFrom(namesOf(members)), rapid.ID).Draw(t, "members"), always...) {
		object[name] = drawn(t, members[name])
	}
	if rapid.IntRange(0, 99).Draw(t, "forgets") == 0 && len(always) > 0 {
		delete(object, always[0])
	}
	return object
}

func namesOf(members map[string]func() any) []string { return slices.Sorted(maps.Keys(members)) }

func oneOf(t *rapid.T, all ...string) func() any {
	return func() any { return rapid.SampledFrom(all).Draw(t, "text") }
}

// listOf draws a list that may have duplicates.
func listOf(t *rapid.T, element func() any) func() any {
	return func() any {
		list := make([]any, rapid.SampledFrom([]int{1, 1, 1, 1, 1, 2, 2, 0}).Draw(t, "length"))
		for i := range list {
			list[i] = drawn(t, element)
		}
		return list
	}
}

func drawDocument(t *rapid.T) any {
	return drawn(t, func() any {
		return some(t, []string{"rules"}, map[string]func() any{
			"$schema": oneOf(t, "", "policy.schema.json"),
			"rules":   listOf(t, func() any { return drawRule(t) }),
		})
	})
}

func drawRule(t *rapid.T) any {
	condition := func() any {
		if rapid.IntRange(0, 3).Draw(t, "all") == 0 {
			return true
		}
		return drawConditions(t, 3)
	}
	return some(t, []string{"roles", "resource", "operations"}, map[string]func() any{
		"name": oneOf(t, "n"), "resource": oneOf(t, "bread"),
		"roles":      listOf(t, oneOf(t, "anonymous", "baker", "owner")),
		"operations": listOf(t, oneOf(t, "read", "insert", "update", "delete", "choose_key")),
		"fields":     listOf(t, oneOf(t, "name", "price", "baker")),
		"using":      condition, "check": condition,
	})
}

func drawConditions(t *rapid.T, depth int) any {
	field := func() any { return drawComparison(t, depth) }
	members := map[string]func() any{"name": field, "price": field, "ä": field, "jar.name": field}
	if depth > 0 {
		deeper := func() any { return drawConditions(t, depth-1) }
		members["$and"], members["$or"], members["$not"] = listOf(t, deeper), listOf(t, deeper), deeper
	}
	return some(t, []string{rapid.SampledFrom(namesOf(members)).Draw(t, "part")}, members)
}

func drawComparison(t *rapid.T, depth int) any {
	value := func() any { return drawValue(t) }
	if rapid.Bool().Draw(t, "equals") {
		return value()
	}
	members := map[string]func() any{"in": listOf(t, value)}
	for _, name := range []string{"eq", "ne", "lt", "le", "gt", "ge", "prefix", "contains", "icontains"} {
		members[name] = value
	}
	members["between"] = listOf(t, value)
	if depth > 0 {
		related := func() any { return drawConditions(t, depth-1) }
		members["$any"], members["$all"], members["$none"] = related, related, related
	}
	return some(t, []string{rapid.SampledFrom([]string{"eq", "in", "between", "icontains"}).Draw(t, "operator")}, members)
}

func drawValue(t *rapid.T) any {
	if rapid.IntRange(0, 19).Draw(t, "where") == 0 {
		return some(t, nil, map[string]func() any{"$where": oneOf(t, "read", "update", "insert")})
	}
	if rapid.IntRange(0, 19).Draw(t, "takes") == 0 {
		return some(t, nil, map[string]func() any{"$principal": oneOf(t, "id", "name"), "$claim": oneOf(t, "c", "")})
	}
	return rapid.SampledFrom([]any{
		nil, true, 1, 1.5, "", "x", []any{}, []any{1, map[string]any{}}, map[string]any{"$principal": "id"}, map[string]any{"$claim": "c"},
	}).Draw(t, "value")
}

func TestParseAgreesWithTheSchema(t *testing.T) {
	s := schema(t)
	rapid.Check(t, func(rt *rapid.T) {
		text, err := json.Marshal(drawDocument(rt))
		if err != nil {
			rt.Fatal(err)
		}
		sameVerdict(rt, s, string(text))
	})
}
