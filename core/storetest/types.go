package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var typeRules = []rule{
	{
		"null round trips in every column",
		"Every column except the key can hold null. null differs from the empty text, zero, false and the empty list.",
		nullRoundTrips,
	},
	{
		"times are instants",
		"A time is the same instant in any zone, to the microsecond.",
		timesAreInstants,
	},
	{
		"lists of keys round trip",
		"A one-directional to-many relation is a stored list of keys, which need no target.",
		keyListsRoundTrip,
	},
	{
		"keys of any size round trip",
		"Keys may be any value that core accepts as a key: the smallest and greatest integers, short and long texts.",
		extremeKeys,
	},
}

// roundTripRules returns a rule for each type.
func roundTripRules() []rule {
	var rows []rule
	for _, typ := range core.Types() {
		rows = append(rows, rule{
			typ.String() + " round trips",
			"Each operation that returns a value of type " + typ.String() + " returns it exactly as it was written.",
			func(t *kit.Fixture) { roundTrips(t, typ) },
		})
	}
	return rows
}

func roundTrips(t *kit.Fixture, typ core.Type) {
	values := samples(typ)
	for i, v := range values {
		name := typ.String()
		want := t.Full("sample", kit.Fields{"id": i, name: v})
		t.Same("insert returned", t.Insert("sample", kit.Fields{"id": i, name: v}), want)
		t.Same("get", []core.Record{t.Get("sample", i)}, want)
		t.Same("select by value", t.Where("sample", core.Eq(name, v)), want)
		other := t.Full("sample", kit.Fields{"id": i, name: values[(i+1)%len(values)]})
		t.Same("update returned", t.Update("sample", kit.Fields{"id": i, name: other.Get(name)}), other)
		t.Same("get after update", []core.Record{t.Get("sample", i)}, other)
		t.Delete("sample", i)
	}
}

func nullRoundTrips(t *kit.Fixture) {
	empty := kit.Fields{"id": 1, "int": 0, "float": 0, "text": "", "bool": false, "bytes": []byte{}, "json": "", "list": []any{}, "jars": []any{}}
	null := t.Full("sample", kit.Fields{"id": 1})
	t.Same("insert returned", t.Insert("sample", empty), t.Full("sample", empty))
	t.Same("get", t.Load("sample", 1), t.Full("sample", empty))
	toNull := kit.Fields{"id": 1}
	for _, f := range t.Resource("sample").Columns()[1:] {
		toNull[f.Name()] = nil
	}
	t.Same("update returned", t.Update("sample", toNull), null)
	t.Same("get", t.Load("sample", 1), null)
}

func timesAreInstants(t *kit.Fixture) {
	t.Insert("sample", kit.Fields{"id": 1, "time": now})
	want, err := core.Time.Convert("2026-07-01T11:34:56.123456Z")
	if err != nil {
		panic(err)
	}
	kit.Equal(t.Client, "time", t.Get("sample", 1).Get("time"), want)
	t.SameKeys("same instant in another zone", t.Where("sample", core.Eq("time", "2026-07-01T04:34:56.123456-07:00")), 1)
	t.SameKeys("a microsecond less", t.Where("sample", core.Gt("time", "2026-07-01T11:34:56.123455Z")), 1)
	t.SameKeys("a microsecond more", t.Where("sample", core.Lt("time", "2026-07-01T11:34:56.123457Z")), 1)
}

func keyListsRoundTrip(t *kit.Fixture) {
	want := t.Full("sample", kit.Fields{"id": 1, "jars": []any{3, 1, 2, 3}, "pages": []any{"b", `"`, "a"}})
	got := t.Insert("sample", kit.Fields{"id": 1, "jars": []any{1, 2, 3}, "pages": []any{`"`, "a", "b"}})
	t.Same("insert returned", got, want)
	t.Same("get", t.Load("sample", 1), want)
	t.Same("update returned", t.Update("sample", kit.Fields{"id": 1, "jars": []any{}}),
		t.Full("sample", kit.Fields{"id": 1, "jars": []any{}, "pages": []any{"a", "b", `"`}}))
}

func extremeKeys(t *kit.Fixture) {
	for _, v := range samples(core.Int) {
		t.Insert("order", kit.Fields{"id": v})
		kit.Equal(t.Client, "key", t.Get("order", v).Key(), v)
	}
	kit.Equal(t.Client, "number of records", t.Count("order", core.All()), len(samples(core.Int)))
	for _, v := range textKeys() {
		t.Insert("page", kit.Fields{"slug": v})
		kit.Equal(t.Client, "key", t.Get("page", v).Key(), v)
	}
}
