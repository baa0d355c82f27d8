package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var aggregateRules = []rule{
	{
		"records with equal values are a group",
		"Each combination of values is one group, null included. Groups ascend by their keys, nulls last. Text is equal byte by byte.",
		groupsOfEqualValues,
	},
	{
		"without fields all records are one group",
		"An aggregation without Group returns one group, also if no record matches.",
		oneGroupOfAll,
	},
	{
		"sums are exact",
		"Sums of integers and decimals are decimals of any size, without rounding. The average is their quotient.",
		sumsAreExact,
	},
	{
		"null is no value of a measure",
		"Measures ignore null, and are null without a value.",
		measuresIgnoreNull,
	},
	{
		"the least and greatest value by the order of the type",
		"Least and greatest values are those of the order that queries sort by, for each type that has these measures.",
		leastAndGreatest,
	},
	{
		"aggregations see the matching records under using",
		"A record that does not match Where or Using counts nowhere.",
		aggregatesAreGuarded,
	},
	{
		"groups by a field of a related record",
		"A path groups by the value of the related record. Without such a record, or outside its guard, the value is null.",
		groupsByPath,
	},
	{
		"aggregations see the own writes",
		"An aggregation in a transaction sees what the transaction has written.",
		aggregatesSeeOwnWrites,
	},
	{
		"at most a thousand groups",
		"1,000 groups are returned. One more is an error, and so are fields and measures that cannot be aggregated, sums of more than 1,000 digits and more text than fits.",
		groupsAreBounded,
	},
}

// groupsAre ends the test unless the aggregation has these groups, each as its key, its count and its values.
func groupsAre(t *kit.Client, label, resource string, a core.Aggregation, want ...string) {
	t.Helper()
	groups := kit.Must(t.Querier.Aggregate(t.Ctx, t.Resource(resource), a))(t, "aggregate "+label)
	got := make([]string, len(groups))
	for i, g := range groups {
		got[i] = fmt.Sprintf("%v %d %v", g.Key, g.Count, g.Values)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got the groups %q, want %q", label, got, want)
	}
}

func groupsOfEqualValues(t *kit.Fixture) {
	for i, kind := range []any{"b", "a", nil, "b", "A", "a ", "é", "e\u0301", "b", nil, ""} {
		t.Insert("cookie", kit.Fields{"id": i, "kind": kind, "weight": i % 2, "note": kind})
	}
	texts := []string{`[] 1 []`, `[A] 1 []`, `[a] 1 []`, `[a ] 1 []`, `[b] 3 []`, "[e\u0301] 1 []", `[é] 1 []`, `[null] 2 []`}
	groupsAre(t.Client, "indexed text", "cookie", core.Aggregation{Group: []string{"kind"}}, texts...)
	groupsAre(t.Client, "text", "cookie", core.Aggregation{Group: []string{"note"}}, texts...)
	groupsAre(t.Client, "two fields", "cookie", core.Aggregation{Where: core.Ge("kind", "b"), Group: []string{"weight", "kind"}},
		`[0 b] 2 []`, `[0 é] 1 []`, `[1 b] 1 []`, "[1 e\u0301] 1 []")
	groupsAre(t.Client, "no records", "cookie", core.Aggregation{Where: core.None(), Group: []string{"kind"}})
	t.Insert("sample", kit.Fields{"id": 1, "decimal": "1.50", "bool": true}, kit.Fields{"id": 2, "decimal": "1.5", "bool": false}, kit.Fields{"id": 3, "decimal": "-1e1"})
	groupsAre(t.Client, "decimals", "sample", core.Aggregation{Group: []string{"decimal"}}, `[-10] 1 []`, `[1.5] 2 []`)
	groupsAre(t.Client, "bools", "sample", core.Aggregation{Group: []string{"bool"}}, `[false] 1 []`, `[true] 1 []`, `[null] 1 []`)
}

func oneGroupOfAll(t *kit.Fixture) {
	weight := core.Aggregation{Measures: []core.Measure{core.SumOf("weight"), core.MinOf("kind"), core.AvgOf("weight")}}
	groupsAre(t.Client, "no records", "cookie", weight, "[] 0 [null null null]")
	t.Insert("cookie", kit.Fields{"id": 1, "weight": 3, "kind": "b"}, kit.Fields{"id": 2, "weight": 4, "kind": "a"})
	groupsAre(t.Client, "all", "cookie", weight, `[] 2 [7 a 3.5]`)
	groupsAre(t.Client, "only the count", "cookie", core.Aggregation{}, "[] 2 []")
	weight.Where = core.Search("B")
	groupsAre(t.Client, "a search", "cookie", weight, `[] 1 [3 b 3]`)
}

func sumsAreExact(t *kit.Fixture) {
	const most, least = "9223372036854775807", "-9223372036854775808"
	for i, row := range []kit.Fields{
		{"int": most, "decimal": "0.1"}, {"int": most, "decimal": "0.2"}, {"int": 1, "decimal": "-123456789012345678901234567890"},
		{"decimal": "0.00000000000000000000000000000000000001"}, {"int": 0, "decimal": 1e30},
	} {
		row["id"] = i
		t.Insert("sample", row)
	}
	sums := core.Aggregation{Measures: []core.Measure{core.SumOf("int"), core.SumOf("decimal"), core.AvgOf("int")}}
	groupsAre(t.Client, "sums", "sample", sums, "[] 5 [18446744073709551615 876543210987654321098765432110.30000000000000000000000000000000000001 4611686018427387903.75]")
	t.Insert("sample", kit.Fields{"id": 10, "int": least, "uuid": "00000000-0000-4000-8000-000000000001"}, kit.Fields{"id": 11, "int": least}, kit.Fields{"id": 12, "int": -1})
	groupsAre(t.Client, "extremes that cancel", "sample", core.Aggregation{Measures: []core.Measure{core.SumOf("int"), core.AvgOf("int")}}, "[] 8 [-2 -0.2857142857142857]")
}

func measuresIgnoreNull(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b", "weight": 1}, kit.Fields{"id": 3, "kind": "b"}, kit.Fields{"id": 4, "kind": "b", "weight": 2})
	groupsAre(t.Client, "weights", "cookie",
		core.Aggregation{Group: []string{"kind"}, Measures: []core.Measure{core.SumOf("weight"), core.MinOf("weight"), core.MaxOf("weight"), core.AvgOf("weight")}},
		`[a] 1 [null null null null]`, `[b] 3 [3 1 2 1.5]`)
}

func leastAndGreatest(t *kit.Fixture) {
	for _, typ := range core.Types() {
		f := t.Resource("sample").Field(typ.String())
		if f == nil || !core.FuncMin.Fits(f) {
			continue
		}
		values := core.SortKeys(slices.Clone(samples(typ)))
		ids := []any{len(values)}
		t.Insert("sample", kit.Fields{"id": len(values)})
		for i, v := range samples(typ) {
			t.Insert("sample", kit.Fields{"id": i, f.Name(): v})
			ids = append(ids, i)
		}
		of := core.Aggregation{Measures: []core.Measure{core.MinOf(f.Name()), core.MaxOf(f.Name())}}
		groups := kit.Must(t.Querier.Aggregate(t.Ctx, t.Resource("sample"), of))(t.Client, "aggregate")
		kit.Equal(t.Client, "number of groups", len(groups), 1)
		kit.Equal(t.Client, "least "+f.Name(), groups[0].Values[0], values[0])
		kit.Equal(t.Client, "greatest "+f.Name(), groups[0].Values[1], values[len(values)-1])
		groups = kit.Must(t.Querier.Aggregate(t.Ctx, t.Resource("sample"), core.Aggregation{Where: core.Ne(f.Name(), nil), Group: []string{f.Name()}}))(t.Client, "group")
		for i, g := range groups {
			kit.Equal(t.Client, "key of a group by "+f.Name(), g.Key[0], values[i])
		}
		kit.Equal(t.Client, "groups by "+f.Name(), len(groups), len(values))
		t.Delete("sample", ids...)
	}
}

func aggregatesAreGuarded(t *kit.Fixture) {
	fillJars(t)
	byKind := core.Aggregation{Group: []string{"kind"}, Measures: []core.Measure{core.SumOf("weight")}}
	groupsAre(t.Client, "all", "cookie", byKind, `[a] 3 [3]`, `[b] 1 [2]`, `[null] 1 [1]`)
	groupsAre(t.Guarded(core.Ge("weight", 2)), "guarded", "cookie", byKind, `[a] 1 [2]`, `[b] 1 [2]`)
	groupsAre(t.Guarded(core.Related("jar", core.Ne("label", "b"))), "guarded by related records", "cookie", byKind, `[a] 1 [1]`, `[b] 1 [2]`, `[null] 1 [1]`)
	groupsAre(t.Guarded(core.None()), "nothing", "cookie", core.Aggregation{}, "[] 0 []")
	byKind.Where = core.Or(core.Lt("weight", 2), core.Related("jar", core.Eq("label", "b")))
	groupsAre(t.Guarded(core.Eq("kind", "a")), "where and guard", "cookie", byKind, `[a] 2 [3]`)
}

func groupsByPath(t *kit.Fixture) {
	fillJars(t)
	byJar := core.Aggregation{Group: []string{"jar.label"}, Measures: []core.Measure{core.SumOf("weight")}}
	groupsAre(t.Client, "all", "cookie", byJar, `[a] 2 [3]`, `[b] 1 [2]`, `[c] 1 [1]`, `[null] 1 [null]`)
	groupsAre(t.Seeing("jar", core.Ge("size", 1)), "hidden jars", "cookie", byJar, `[a] 2 [3]`, `[c] 1 [1]`, `[null] 2 [2]`)
	byJar.Group = []string{"jar.id", "jar.size", "kind"}
	groupsAre(t.Seeing("jar", core.Ge("size", 1)), "several", "cookie", byJar, `[1 1 a] 1 [1]`, `[1 1 b] 1 [2]`, `[3 3 null] 1 [1]`, `[null null a] 2 [2]`)
	groupsAre(t.Client, "the stored relation", "cookie", core.Aggregation{Group: []string{"jar"}}, "[1] 2 []", "[2] 1 []", "[3] 1 []", "[null] 1 []")
}

func aggregatesSeeOwnWrites(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "group": 1, "value": 5}, kit.Fields{"id": 2, "group": 1, "value": 7})
	byGroup := core.Aggregation{Group: []string{"group"}, Measures: []core.Measure{core.SumOf("value")}}
	t.Tx(func(tx *kit.Client) {
		tx.Insert("order", kit.Fields{"id": 3, "group": 2, "value": 1})
		tx.Update("order", kit.Fields{"id": 1, "value": 10})
		tx.Delete("order", 2)
		groupsAre(tx, "in the transaction", "order", byGroup, "[1] 1 [10]", "[2] 1 [1]")
	})
	groupsAre(t.Client, "after the commit", "order", byGroup, "[1] 1 [10]", "[2] 1 [1]")
}

func groupsAreBounded(t *kit.Fixture) {
	records := make([]kit.Fields, core.MaxGroups+1)
	for i := range records {
		records[i] = kit.Fields{"id": i, "group": i}
	}
	t.Insert("order", records...)
	fails := func(label, resource string, a core.Aggregation, code core.Code) {
		t.Helper()
		_, err := t.Querier.Aggregate(t.Ctx, t.Resource(resource), a)
		t.FailsAs(label, err, code)
	}
	fails("too many groups", "order", core.Aggregation{Group: []string{"group"}}, core.BadParam)
	groups := kit.Must(t.Querier.Aggregate(t.Ctx, t.Resource("order"), core.Aggregation{Where: core.Gt("id", 0), Group: []string{"group"}}))(t.Client, "aggregate")
	kit.Equal(t.Client, "number of groups", len(groups), core.MaxGroups)
	kit.Equal(t.Client, "last group", groups[core.MaxGroups-1].Key[0], core.IntValue(core.MaxGroups))
	fails("unknown group", "order", core.Aggregation{Group: []string{"none"}}, core.UnknownField)
	fails("unknown measure", "order", core.Aggregation{Measures: []core.Measure{core.SumOf("none")}}, core.UnknownField)
	for _, name := range []string{"json", "list", "jars"} {
		fails("group by "+name, "sample", core.Aggregation{Group: []string{name}}, core.SearchForbidden)
		fails("least "+name, "sample", core.Aggregation{Measures: []core.Measure{core.MinOf(name)}}, core.SearchForbidden)
	}
	for _, name := range []string{"float", "text", "time", "bool"} {
		fails("sum of "+name, "sample", core.Aggregation{Measures: []core.Measure{core.SumOf(name)}}, core.SearchForbidden)
		fails("average of "+name, "sample", core.Aggregation{Measures: []core.Measure{core.AvgOf(name)}}, core.SearchForbidden)
	}
	fails("measure of a relation", "cookie", core.Aggregation{Measures: []core.Measure{core.MaxOf("jar")}}, core.SearchForbidden)
	t.Insert("sample", kit.Fields{"id": 1, "decimal": "1e999", "text": strings.Repeat("x", core.MaxGroupBytes/3+1)}, kit.Fields{"id": 2, "decimal": "0.1"})
	fails("a sum of 1,001 digits", "sample", core.Aggregation{Measures: []core.Measure{core.SumOf("decimal")}}, core.BadRequest)
	fails("an average of a sum of 1,001 digits", "sample", core.Aggregation{Measures: []core.Measure{core.AvgOf("decimal")}}, core.BadRequest)
	fails("long texts", "sample", core.Aggregation{Group: []string{"text"}, Measures: []core.Measure{core.MinOf("text"), core.MaxOf("text")}}, core.TooLarge)
}
