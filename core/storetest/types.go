package storetest

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

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

// samples returns different values of a type, with the extremes that a storage may truncate or round.
func samples(t core.Type) []core.Value {
	raw := rawSamples[t]()
	values := make([]core.Value, len(raw))
	for i, r := range raw {
		v, err := t.Convert(r)
		if err != nil || !v.IsSet() {
			panic("storetest: bad sample of " + t.String())
		}
		values[i] = v
	}
	return values
}

// textKeys returns the samples of type text that can be keys. It leaves out the empty text, and texts that are too long
// for the index of a database.
func textKeys() []core.Value {
	return slices.DeleteFunc(samples(core.Text), func(v core.Value) bool { return v.Text() == "" || len(v.Text()) > 1000 })
}

var rawSamples = map[core.Type]func() []any{
	core.Int: func() []any {
		return []any{
			int64(math.MinInt64), int64(math.MinInt64 + 1), math.MinInt32, -1, 0, 1, 9, 10,
			int64(math.MaxInt32 + 1), int64(1<<53 + 1), int64(math.MaxInt64 - 1), int64(math.MaxInt64),
		}
	},
	core.Float: func() []any {
		return []any{
			-math.MaxFloat64, int64(-1 << 63), -1.5, -math.SmallestNonzeroFloat64, math.Copysign(0, -1), math.SmallestNonzeroFloat64,
			2.2250738585072011e-308, 0.1, 0.1 + 0.2, 1.0, math.Nextafter(1, 2), 16777217.0, 1<<53 + 2.0, 1e21, 1.2345678901234567e300, math.MaxFloat64,
		}
	},
	core.Text: func() []any {
		return []any{
			"", "\t\r\n", " ", " a ", `"quoted"`, "'; DROP TABLE jar; --", "A", `\N`, `\x00`, "a", "a\u0301",
			strings.Repeat("long", 1<<14), "null", "\u007f", "á", "\u2028", "中文", "\ud7ff", "\ue000", "\ufdd0", "\ufeff", "\ufffd", "\uffff", "\U0001F36A", "\U0010FFFF",
		}
	},
	core.Bool: func() []any { return []any{false, true} },
	core.Time: func() []any {
		return []any{
			"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001Z", "1582-10-10T12:00:00Z", "1899-12-31T23:59:59.999999Z",
			"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59.5+14:00", "2024-03-31T02:30:00.123456+02:00",
			"2262-04-11T23:47:16.854776Z", "9999-12-31T23:59:59.999999Z",
		}
	},
	core.LocalTime: func() []any {
		return []any{
			"0001-01-01T00:00:00", "0001-01-01T00:00:00.000001", "1582-10-10T12:00:00", "1899-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999",
			"1970-01-01T00:00:00", "2024-02-29T23:59:59.5", "2024-03-31T01:59:59.999999", "2024-03-31T02:30:00", "2024-03-31T02:30:00.123456",
			"2024-10-27T02:30:00", "2262-04-11T23:47:16.854776", "9999-12-31T23:59:59.999999",
		}
	},
	core.Decimal: func() []any {
		return []any{
			"-" + strings.Repeat("9", 1000), "-1e999", "-10.5", "-10", "-9.99", "-9", "-0.1", "-0.01", "-1e-998", "0", "1e-998", "0.05", "0.1", "0.10000000000000000000000001",
			"1", "1.000000000000000000000000000001", "9", "10.5", "10.51", "9007199254740993", "12345678901234567890.123456789", "1e131", "1e999",
			strings.Repeat("9", 500) + "." + strings.Repeat("9", 500), strings.Repeat("9", 1000),
		}
	},
	core.Date: func() []any {
		return []any{
			"0001-01-01", "0001-12-31", "0999-10-10", "1582-10-10", "1899-12-31", "1969-12-31", "1970-01-01", "2000-01-01", "2024-02-01", "2024-02-29", "2024-03-31", "9999-12-31",
		}
	},
	core.UUID: func() []any {
		return []any{
			"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11",
			"7FFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
		}
	},
	core.Bytes: func() []any {
		return []any{
			[]byte{}, []byte{0}, []byte{0, 0}, []byte{0, 255}, everyByte(), []byte("\\x41"), []byte("a"), []byte("a\x00b"), []byte{0xc3, 0x28}, []byte{255},
		}
	},
	core.JSON: func() []any {
		return []any{
			true, false, 0, 1, -0.5, "", "null", "1", "\U0001F36A\"\\\n\u0001", []any{}, []any{nil}, map[string]any{},
			json.Number("9007199254740993"), json.Number("123456789012345678901234567890.123456789"), json.Number("5e-324"), json.Number("1e308"),
			map[string]any{"": nil, "a": map[string]any{"b": []any{1, []any{map[string]any{"c": false}}}}, "A": "a", "é": 0.1},
			json.Number("1e-398"), json.Number("-2.2250738585072014e-308"), json.Number("1.7976931348623157e308"), json.Number("1.50e-7"),
			json.Number(strings.Repeat("9", 22) + "." + strings.Repeat("3", 377)), json.Number("0." + strings.Repeat("0", 390) + "1"),
			"\u2028\ud7ff\ue000\ufeff\uffff\U0010FFFF", map[string]any{"\uffff": 1, "\U0001F36A": 2, "\n\"": 3}, nested(64),
		}
	},
	core.List: func() []any {
		return []any{
			[]any{}, []any{nil}, []any{1}, []any{1, 1}, []any{"1"}, []any{[]any{}}, []any{2, 1, nil, "a", true, map[string]any{"k": []any{}}},
			[]any{json.Number("9007199254740993")}, []any{json.Number("1e-398"), json.Number("1e308"), json.Number("5e-324")},
			[]any{"NaN", "infinity", "\U0010FFFF", "", "null"}, nested(64),
		}
	},
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func nested(depth int) any {
	var v any = "bottom"
	for range depth {
		v = []any{v}
	}
	return v
}

// now is a time with more digits than a value keeps.
var now = time.Date(2026, 7, 1, 12, 34, 56, 123456789, time.FixedZone("", 3600))

// filterTypeRules returns a rule for each type.
func filterTypeRules() []rule {
	var rows []rule
	for _, typ := range core.Types() {
		rows = append(rows, rule{
			"comparisons of " + typ.String() + " are exact",
			"Comparisons of values of type " + typ.String() + " agree with Filter.Match, also at the limits of the type.",
			func(t *kit.Fixture) { comparesExactly(t, typ) },
		})
	}
	return rows
}

// orderTypeRules returns a rule for each type with an order.
func orderTypeRules() []rule {
	var rows []rule
	for _, typ := range core.Types() {
		if !typ.Ordered() {
			continue
		}
		rows = append(rows, rule{
			"values of " + typ.String() + " sort exactly",
			"Values of type " + typ.String() + " sort as CompareRecords does, also at the limits of the type.",
			func(t *kit.Fixture) { sortsExactly(t, typ) },
		})
	}
	return rows
}

// fillSamples inserts each sample of the type twice, and two nulls.
func fillSamples(t *kit.Fixture, typ core.Type) []core.Record {
	t.Helper()
	values := samples(typ)
	all := []kit.Fields{{"id": 1000}, {"id": -1}}
	for i, v := range values {
		all = append(all, kit.Fields{"id": i, typ.String(): v}, kit.Fields{"id": 999 - i, typ.String(): v})
	}
	return t.Insert("sample", all...)
}

func comparesExactly(t *kit.Fixture, typ core.Type) {
	all := fillSamples(t, typ)
	slices.SortFunc(all, func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	for _, v := range samples(typ) {
		for _, f := range comparisons(t.Resource("sample").Field(typ.String()), v) {
			got := t.Where("sample", f)
			want := slices.DeleteFunc(slices.Clone(all), func(rec core.Record) bool { return !kit.Matches(f, rec, nil) })
			if diff := kit.Difference(got, want); diff != "" {
				t.Fatalf("%.200s: %.500s", f, diff)
			}
		}
	}
}

// comparisons returns every comparison of the field with v.
func comparisons(field *core.Field, v core.Value) []core.Filter {
	filters := []core.Filter{
		field.Compare(core.FilterEq, v), field.Compare(core.FilterNe, v), field.Compare(core.FilterIn, v, core.Null),
	}
	if field.Type().Ordered() {
		for kind := core.FilterLt; kind <= core.FilterGe; kind++ {
			filters = append(filters, field.Compare(kind, v))
		}
	}
	return filters
}

func sortsExactly(t *kit.Fixture, typ core.Type) {
	all := fillSamples(t, typ)
	r := t.Resource("sample")
	for _, desc := range []bool{false, true} {
		order := []core.Order{{Field: r.Field(typ.String()), Desc: desc}, {Field: r.Key()}}
		slices.SortFunc(all, func(a, b core.Record) int { return core.CompareRecords(order, a, b) })
		name := map[bool]string{false: "", true: "-"}[desc] + typ.String()
		got := t.Find("sample", core.Query{Order: []string{name}})
		if diff := kit.Difference(got, all); diff != "" {
			t.Fatalf("order by %s: %.500s", name, diff)
		}
	}
}
