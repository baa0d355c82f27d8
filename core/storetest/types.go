package storetest

import "github.com/larder-go/larder/core"

var typeRules = []row{
	{
		"null round trips in every column",
		"Every column but the key can hold null, and null is not the empty text, zero, false or the empty list.",
		nullRoundTrips,
	},
	{
		"times are instants",
		"A time is the same instant whatever zone it was given in, to the microsecond.",
		timesAreInstants,
	},
	{
		"lists of keys round trip",
		"A one-directional to-many relation is a stored list of keys, which need no target.",
		keyListsRoundTrip,
	},
	{
		"keys of every type and size round trip",
		"Keys may be any value of their type: the smallest and greatest integers, empty and long texts.",
		extremeKeys,
	},
}

// roundTripRules has a rule for each type.
func roundTripRules() []row {
	var rows []row
	for typ := core.Int; typ.Valid(); typ++ {
		rows = append(rows, row{
			typ.String() + " round trips",
			"A value of type " + typ.String() + " reads as it was written, to the last bit, from every operation that returns it.",
			func(t *trial) { roundTrips(t, typ) },
		})
	}
	return rows
}

func roundTrips(t *trial, typ core.Type) {
	values := samples(typ)
	for i, v := range values {
		name := typ.String()
		want := t.full("sample", fields{"id": i, name: v})
		t.same("insert returned", t.insert("sample", fields{"id": i, name: v}), want)
		t.same("get", []core.Record{t.get("sample", i)}, want)
		t.same("select by value", t.where("sample", core.Eq(name, v)), want)
		other := t.full("sample", fields{"id": i, name: values[(i+1)%len(values)]})
		t.same("update returned", t.update("sample", fields{"id": i, name: other.Get(name)}), other)
		t.same("get after update", []core.Record{t.get("sample", i)}, other)
		t.delete("sample", i)
	}
}

func nullRoundTrips(t *trial) {
	empty := fields{"id": 1, "int": 0, "float": 0, "text": "", "bool": false, "bytes": []byte{}, "json": "", "list": []any{}, "jars": []any{}}
	null := t.full("sample", fields{"id": 1})
	t.same("insert returned", t.insert("sample", empty), t.full("sample", empty))
	t.same("get", t.load("sample", 1), t.full("sample", empty))
	toNull := fields{"id": 1}
	for _, f := range t.res("sample").Columns()[1:] {
		toNull[f.Name()] = nil
	}
	t.same("update returned", t.update("sample", toNull), null)
	t.same("get", t.load("sample", 1), null)
}

func timesAreInstants(t *trial) {
	t.insert("sample", fields{"id": 1, "time": now})
	want, err := core.Time.Convert("2026-07-01T11:34:56.123456Z")
	if err != nil {
		panic(err)
	}
	equal(t.client, "time", t.get("sample", 1).Get("time"), want)
	t.sameKeys("same instant in another zone", t.where("sample", core.Eq("time", "2026-07-01T04:34:56.123456-07:00")), 1)
	t.sameKeys("a microsecond less", t.where("sample", core.Gt("time", "2026-07-01T11:34:56.123455Z")), 1)
	t.sameKeys("a microsecond more", t.where("sample", core.Lt("time", "2026-07-01T11:34:56.123457Z")), 1)
}

func keyListsRoundTrip(t *trial) {
	want := t.full("sample", fields{"id": 1, "jars": []any{3, 1, 2, 3}, "pages": []any{"b", `"`, "a"}})
	got := t.insert("sample", fields{"id": 1, "jars": []any{1, 2, 3}, "pages": []any{`"`, "a", "b"}})
	t.same("insert returned", got, want)
	t.same("get", t.load("sample", 1), want)
	t.same("update returned", t.update("sample", fields{"id": 1, "jars": []any{}}),
		t.full("sample", fields{"id": 1, "jars": []any{}, "pages": []any{"a", "b", `"`}}))
}

func extremeKeys(t *trial) {
	for _, v := range samples(core.Int) {
		t.insert("order", fields{"id": v})
		equal(t.client, "key", t.get("order", v).Key(), v)
	}
	equal(t.client, "number of records", t.count("order", core.All()), len(samples(core.Int)))
	for _, v := range samples(core.Text) {
		if len(v.Text()) > 1000 { // databases limit what an index holds
			continue
		}
		t.insert("page", fields{"slug": v})
		equal(t.client, "key", t.get("page", v).Key(), v)
	}
}
