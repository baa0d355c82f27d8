package core_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

func num(s string) json.Number { return json.Number(s) }

func canonical(text string) core.Value {
	v, err := core.JSON.Convert(json.RawMessage(text))
	if err != nil {
		panic(err)
	}
	return v
}

func TestConvertAcceptsLosslessValues(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	type (
		name       string
		blob       []byte
		identifier [16]byte // as in the usual packages for UUIDs
	)
	seven := 7
	for _, c := range []struct {
		to   core.Type
		from any
		want core.Value
	}{
		{core.Int, 1, core.IntValue(1)},
		{core.Int, uint8(1), core.IntValue(1)},
		{core.Int, 1.0, core.IntValue(1)},
		{core.Int, num("1.0"), core.IntValue(1)},
		{core.Int, num("1e2"), core.IntValue(100)},
		{core.Int, num("-0"), core.IntValue(0)},
		{core.Int, "1", core.IntValue(1)},
		{core.Int, "-9223372036854775808", core.IntValue(math.MinInt64)},
		{core.Int, &seven, core.IntValue(7)},
		{core.Float, 1, core.FloatValue(1)},
		{core.Float, num("1.5"), core.FloatValue(1.5)},
		{core.Float, "1.5", core.FloatValue(1.5)},
		{core.Float, math.Copysign(0, -1), core.FloatValue(0)},
		{core.Text, "x", core.TextValue("x")},
		{core.Text, name("x"), core.TextValue("x")},
		{core.Text, num("5"), core.TextValue("5")},
		{core.Text, 5, core.TextValue("5")},
		{core.Text, 0.5, core.TextValue("0.5")},
		{core.Bool, true, core.BoolValue(true)},
		{core.Time, noon, core.TimeValue(noon)},
		{core.Time, "2026-11-23T13:00:00.123456+01:00", core.TimeValue(noon)},
		{core.UUID, "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", core.UUIDValue([16]byte{
			0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
		})},
		{core.Bytes, "AAE=", core.BytesValue([]byte{0, 1})},
		{core.Bytes, []byte{0, 1}, core.BytesValue([]byte{0, 1})},
		{core.List, []int{1, 2}, core.ListOf(core.IntValue(1), core.IntValue(2))},
		{core.List, []any{num("1.0"), "a"}, core.ListOf(core.IntValue(1), core.TextValue("a"))},
		{core.JSON, nil, core.Null},
		{core.Int, nil, core.Null},
		{core.Int, (*int)(nil), core.Null},
		{core.Int, core.TextValue("3"), core.IntValue(3)},
		{core.Text, core.Null, core.Null},
		{core.UUID, identifier{1}, core.UUIDValue([16]byte{1})},
		{core.UUID, &identifier{1}, core.UUIDValue([16]byte{1})},
		{core.Bytes, blob{1}, core.BytesValue([]byte{1})},
		{core.JSON, name("x"), canonical(`"x"`)},
		{core.JSON, time.Minute, canonical(`60000000000`)},
		{core.JSON, &seven, canonical(`7`)},
		{core.JSON, (*int)(nil), core.Null},
		{core.JSON, struct{ A string }{"\ufffd \\ufffd \\"}, canonical(`{"A":"\ufffd \\ufffd \\"}`)},
		{core.JSON, map[string]any{"a": core.IntValue(1), "b": []core.Value{core.TextValue("x"), core.Null}}, canonical(`{"a":1,"b":["x",null]}`)},
		{core.Text, canonical(`"abc"`), core.TextValue("abc")},
		{core.List, canonical(`[1]`), core.ListOf(core.IntValue(1))},
		{core.Float, uint64(1 << 63), core.FloatValue(1 << 63)},
		{core.Text, uint64(math.MaxUint64), core.TextValue("18446744073709551615")},
		{core.Float, num("1.2345678901234568e+21"), core.FloatValue(1.2345678901234568e+21)},
		{core.Float, num("1e300"), core.FloatValue(1e300)},
		{core.Float, num("1.5e-7"), core.FloatValue(1.5e-7)},
		{core.Time, "0000-12-31T23:00:00-05:00", core.TimeValue(time.Date(1, 1, 1, 4, 0, 0, 0, time.UTC))},
		{core.Time, "2026-11-23T12:00:00.123456000Z", core.TimeValue(noon)},
		{core.Time, "2026-11-24T11:59:00.123456+23:59", core.TimeValue(noon)},
		{core.LocalTime, "2026-11-23T12:00:00.123456", core.LocalTimeValue(noon)},
		{core.LocalTime, "2026-11-23t12:00:00.123456000", core.LocalTimeValue(noon)},
		{core.LocalTime, "2026-11-23T13:00:00.123456", core.LocalTimeValue(noon.In(time.FixedZone("", 3600)))},
		{core.LocalTime, noon.Add(1), core.LocalTimeValue(noon)},
		{core.LocalTime, time.Time{}, core.LocalTimeValue(time.Time{})},
		{core.LocalTime, canonical(`"2026-11-23T12:00:00.123456"`), core.LocalTimeValue(noon)},
		{core.Text, core.LocalTimeValue(noon), core.TextValue("2026-11-23T12:00:00.123456")},
		{core.JSON, core.LocalTimeValue(noon.Truncate(time.Hour)), canonical(`"2026-11-23T12:00:00"`)},
		{core.Date, "2026-11-23", core.DateValue(noon)},
		{core.Date, noon.Truncate(24 * time.Hour), core.DateValue(noon)},
		{core.Date, time.Time{}, core.DateValue(time.Time{})},
		{core.Date, core.TextValue("2026-11-23"), core.DateValue(noon)},
		{core.Date, canonical(`"2026-11-23"`), core.DateValue(noon)},
		{core.Text, core.DateValue(noon), core.TextValue("2026-11-23")},
		{core.JSON, core.DateValue(noon), canonical(`"2026-11-23"`)},
	} {
		got, err := c.to.Convert(c.from)
		if err != nil || got != c.want {
			t.Errorf("%s from %T(%v): got %v, %v; want %v", c.to, c.from, c.from, got, err, c.want)
		}
	}
}

func TestConvertRejectsLossyValues(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for to, values := range map[core.Type][]any{
		core.Int: {
			"1 ", " 1", "01", "+1", "1.5", "1.0", "-0", "", "x", true, 1.5, num("1.5"), num("9223372036854775808"),
			uint64(math.MaxUint64), []any{1}, map[string]any{}, math.NaN(), math.Inf(1), 1e19, time.Time{},
		},
		core.Float: {
			math.NaN(), math.Inf(1), math.Inf(-1), num("1e400"), "NaN", "Infinity", "", "1,5", true,
			num("9007199254740993"), int64(9007199254740993), int64(math.MaxInt64), []any{},
			num("1234567890123456789012"), num("1.23456789012345678901234e+23"), core.FloatValue(math.NaN()), uint64(math.MaxUint64),
			num("1e-400"), num("-1e-324"), "2e-324",
		},
		core.Text: {true, []any{}, map[string]any{}, "a\x00b", "\xff", math.NaN(), []byte("x"), time.Time{}, num("x"), num("1\x00"), core.TextValue("\xff"), [16]byte{}, num("1e-400")},
		core.Bool: {"true", 1, 0, "", num("1"), []any{}},
		core.Time: {"2026-11-23", "12:00", 5, "2026-11-23T12:00:00.1234567Z", "2026-13-01T00:00:00Z", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), true,
			"2026-11-23T5:00:00Z", "2026-11-23T05:00:00,5Z", "2026-11-23T05:00:00+24:00", "2026-11-23T05:00:00+01:60",
			"2026-11-23T05:00:00.1234560001Z", "2026-11-23T05:00:00.1234560001+01:00", "9999-12-31T23:00:00-05:00", "2026-11-23T05:00Z", "", core.DateValue(noon), core.LocalTimeValue(noon),
		},
		core.Decimal: {
			"", " 1", "1 ", "+1", "01", ".5", "1.", "1,5", "1_000", "0x1", "NaN", "Infinity", "-", "--1", "1e", "e1", "1e1000", "1e-1000", strings.Repeat("9", 1001), "1e9999999999",
			math.NaN(), math.Inf(1), true, []any{}, time.Time{}, []byte("1"),
		},
		core.LocalTime: {
			"2026-11-23T12:00:00Z", "2026-11-23T12:00:00+01:00", "2026-11-23T12:00:00-00:00", "2026-11-23 12:00:00", "2026-11-23", "2026-11-23T12:00", "12:00:00",
			"2026-11-23T12:00:00.1234567", "2026-11-23T24:00:00", "2026-11-23T12:00:60", "2026-02-29T12:00:00", "2026-11-23T5:00:00", "2026-11-23T05:00:00,5",
			"0000-12-31T23:59:59", "10000-01-01T00:00:00", "", "infinity", "2026-11-23T12:00:00 ", 5, true, noon.In(time.FixedZone("", 0)), noon.In(time.FixedZone("", 3600)),
			time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC), core.TimeValue(noon), core.DateValue(noon),
			core.LocalTimeValue(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
		},
		core.Date: {
			"2026-02-29", "0000-12-31", "10000-01-01", "-0001-01-01", "2026-11-3", "2026-1-23", "26-11-23", "2026-11-23 ", "20261123", "2026-11-23T00:00:00Z",
			"2026-W48-1", "2026-327", "", "infinity", 20261123, num("2026"), true, noon, noon.Truncate(24 * time.Hour).In(time.FixedZone("", 0)),
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
			core.TimeValue(noon), core.TimeValue(noon.Truncate(24 * time.Hour)), core.LocalTimeValue(noon), core.DateValue(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
		},
		core.UUID:  {"", "x", "6ba7b8109dad11d180b400c04fd430c8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", 5, "6ba7b810-9dad-11d1-80b4-00c04fd430cg"},
		core.Bytes: {"AAE", "A A=", "AAE=\n", 5, true, "AAF=", num("1234"), json.RawMessage(`"AAE="`), []int{1}},
		core.List:  {"x", 5, map[string]any{}, true, []any{num("1e-400")}, json.RawMessage(`[1e400]`)},
		core.JSON: {math.NaN(), func() {}, make(chan int), "a\x00b", "\xff", []any{"\xff"}, map[string]any{"a": "\xff"},
			struct{ A string }{"x\xff"}, struct{ A any }{math.NaN()}, core.FloatValue(math.NaN()),
			num("1e-400"), num("1e-399"), json.RawMessage(`{"a": 1e-99999999999999999999}`), num("1e400"), map[string]any{"a": []any{num("1e-400")}},
		},
	} {
		for _, from := range values {
			if got, err := to.Convert(from); err == nil {
				t.Errorf("%s accepted %T(%v) as %v", to, from, from, got)
			}
		}
	}
}

func TestFloatsFormatLikeEncodingJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1e-6, 1e-7, 1e20, 1e21, 1e-10, 5e-324, math.MaxFloat64})).Draw(rt, "f")
		if math.IsInf(f, 0) || math.IsNaN(f) || f == 0 {
			return
		}
		want, err := json.Marshal(f)
		if got := string(core.FloatValue(f).AppendJSON(nil)); err != nil || got != string(want) {
			rt.Fatalf("got %s, want %s, %v", got, want, err)
		}
	})
}

func TestTimesAreTruncatedToMicroseconds(t *testing.T) {
	v, err := core.Time.Convert(time.Date(2026, 1, 1, 0, 0, 0, 1999, time.UTC))
	if err != nil || v.Time().Nanosecond() != 1000 {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestEqualJSONHasOneForm(t *testing.T) {
	a, err := core.JSON.Convert(json.RawMessage(`{"b": 1.0, "a": [1e2, "\u0041"]}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := core.JSON.Convert(map[string]any{"a": []any{100, "A"}, "b": 1})
	if err != nil || a != b || a.Text() != `{"a":[100,"A"],"b":1}` {
		t.Errorf("%v and %v, %v", a, b, err)
	}
}

func TestStoredJSONAcceptsAnyNumberAndNesting(t *testing.T) {
	tiny, deep := "0."+strings.Repeat("0", 16382)+"1", strings.Repeat("[", 500)+strings.Repeat("]", 500)
	for stored, want := range map[string]string{
		`{"b": 1, "a": ` + tiny + `}`:          `{"a":1e-16383,"b":1}`,
		`[1` + strings.Repeat("0", 400) + `]`:  `[1e+400]`,
		`[0.` + strings.Repeat("7", 500) + `]`: `[0.` + strings.Repeat("7", 500) + `]`,
		deep:                                   deep, `[1e-99999999999999999999, 1e5]`: `[1e-99999999999999999999,100000]`,
	} {
		v, err := core.JSON.StoredJSON([]byte(stored))
		if err != nil || v.Text() != want {
			t.Fatalf("%.50q is read as %.50q, %v; want %.50q", stored, v.Text(), err, want)
		}
		if text, err := json.Marshal(v.Any()); err != nil || v.Any() == nil || len(text) < len(want)/2 {
			t.Errorf("%.50q in Go is %.50q, %v", stored, text, err)
		}
	}
	for _, bad := range []string{"", "{", `"\u0000"`, `"\ud800"`, "\"\xff\"", `{"a":1,"a":2}`} {
		if v, err := core.JSON.StoredJSON([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, v)
		}
	}
	if v, err := core.JSON.StoredJSON([]byte("null")); err != nil || v != core.Null {
		t.Errorf("null is read as %v, %v", v, err)
	}
	if v, err := core.List.StoredJSON([]byte("{}")); err == nil {
		t.Errorf("an object is read as the list %v", v)
	}
}

// anyValue draws a value of type t, or null.
func anyValue(t core.Type) *rapid.Generator[core.Value] {
	text := rapid.StringMatching(`[a-c%_é𝄞]{0,4}`)
	return rapid.Custom(func(rt *rapid.T) core.Value {
		if rapid.IntRange(0, 5).Draw(rt, "null") == 0 {
			return core.Null
		}
		switch t {
		case core.Int:
			return core.IntValue(rapid.Int64().Draw(rt, "int"))
		case core.Float:
			f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) })
			return core.FloatValue(f.Draw(rt, "float"))
		case core.Bool:
			return core.BoolValue(rapid.Bool().Draw(rt, "bool"))
		case core.Time:
			return core.TimeValue(time.UnixMicro(rapid.Int64Range(-62135596800000000, 253402300799999999).Draw(rt, "time")))
		case core.LocalTime:
			return core.LocalTimeValue(time.UnixMicro(rapid.Int64Range(-62135596800000000, 253402300799999999).Draw(rt, "local time")).UTC())
		case core.Decimal:
			v, err := core.Decimal.Convert(anyNumber(rt))
			if err != nil {
				panic(err)
			}
			return v
		case core.Date:
			return core.DateValue(time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(rt, "date"), 0).UTC())
		case core.UUID:
			return core.UUIDValue([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "uuid")))
		case core.Bytes:
			return core.BytesValue(rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes"))
		case core.JSON, core.List:
			v, err := core.List.Convert([]any{text.Draw(rt, "element"), rapid.Int64().Draw(rt, "number"), anyNumber(rt), map[string]any{text.Draw(rt, "name"): anyNumber(rt)}})
			if err != nil {
				panic(err)
			}
			return v
		}
		return core.TextValue(text.Draw(rt, "text"))
	})
}

// anyNumber draws a JSON number that a field accepts, of any size.
func anyNumber(rt *rapid.T) json.Number {
	numbers := rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`)
	accepted := func(s string) bool { _, err := core.JSON.Convert(json.Number(s)); return err == nil }
	return json.Number(numbers.Filter(accepted).Draw(rt, "any number"))
}

func TestTypes(t *testing.T) {
	if got := core.Types(); !slices.Equal(got, allTypes) {
		t.Errorf("got %v", got)
	}
	for _, typ := range append(allTypes, 0, 255) {
		if v, err := typ.Convert(core.Null); v != core.Null || err != nil {
			t.Errorf("%s: null is %v, %v", typ, v, err)
		}
	}
	for _, typ := range []core.Type{0, core.Tuple + 1, 255} {
		if v, err := typ.Convert(1); err == nil || typ.Valid() || typ.Ordered() {
			t.Errorf("%s: %v", typ, v)
		}
	}
}

var allTypes = []core.Type{core.Int, core.Float, core.Text, core.Bool, core.Time, core.UUID, core.Bytes, core.JSON, core.List, core.Date, core.LocalTime, core.Decimal}

func TestValuesRoundTripThroughJSON(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				v := anyValue(typ).Draw(rt, "value")
				if typ == core.JSON && v.IsSet() {
					v, _ = core.JSON.Convert(json.RawMessage(v.Text()))
				}
				text := v.AppendJSON(nil)
				if n := v.JSONSize(); n < len(text) || n > len(text)+40 {
					rt.Fatalf("the size of %s is %d, want at least %d", text, n, len(text))
				}
				parsed, err := core.ParseJSON(text, 0)
				if err != nil {
					rt.Fatalf("%v: %v", v, err)
				}
				if back, err := typ.Convert(parsed); err != nil || back != v {
					rt.Fatalf("%v came back as %v, %v", v, back, err)
				}
				if back, err := typ.Convert(v.Any()); err != nil || back != v {
					rt.Fatalf("%v came back from Go as %v, %v", v, back, err)
				}
			})
		})
	}
}

func TestCompareIsATotalOrderThatAgreesWithEquality(t *testing.T) {
	for _, typ := range allTypes {
		rapid.Check(t, func(rt *rapid.T) {
			g := anyValue(typ)
			a, b, c := g.Draw(rt, "a"), g.Draw(rt, "b"), g.Draw(rt, "c")
			if core.Compare(a, b) != -core.Compare(b, a) || (core.Compare(a, b) == 0) != (a == b) {
				rt.Fatalf("%v and %v", a, b)
			}
			if core.Compare(a, b) <= 0 && core.Compare(b, c) <= 0 && core.Compare(a, c) > 0 {
				rt.Fatalf("%v, %v and %v", a, b, c)
			}
		})
	}
}

func TestTextSortsByCodePointAndNullLast(t *testing.T) {
	sorted := []core.Value{
		core.TextValue(""), core.TextValue("A"), core.TextValue("a"), core.TextValue("é"),
		core.TextValue("\uffff"), core.TextValue("𝄞"), core.Null,
	}
	for i := 1; i < len(sorted); i++ {
		if core.Compare(sorted[i-1], sorted[i]) >= 0 {
			t.Errorf("%v is not before %v", sorted[i-1], sorted[i])
		}
	}
}

func TestNewUUIDIsOfVersion4AndVariant10(t *testing.T) {
	a, b := core.NewUUID(), core.NewUUID()
	if a == b || a.Text()[14] != '4' || !strings.ContainsRune("89ab", rune(a.Text()[19])) {
		t.Errorf("%v, %v", a, b)
	}
}

func TestDecimalsHaveOneForm(t *testing.T) {
	for _, c := range []struct {
		from any
		want string
	}{
		{"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"0e99", "0"}, {"10.50", "10.5"}, {"10", "10"}, {"-1.0", "-1"}, {"1e3", "1000"}, {"1.5E-3", "0.0015"},
		{"-12e-1", "-1.2"}, {"120e-1", "12"}, {num("1e-400"), "0." + strings.Repeat("0", 399) + "1"}, {num("12345678901234567890.10"), "12345678901234567890.1"},
		{7, "7"}, {uint64(math.MaxUint64), "18446744073709551615"}, {0.1, "0.1"}, {1e21, "1000000000000000000000"}, {"1e999", "1" + strings.Repeat("0", 999)},
		{"0." + strings.Repeat("0", 998) + "1", "0." + strings.Repeat("0", 998) + "1"}, {core.TextValue("1.50"), "1.5"}, {core.FloatValue(2.5), "2.5"},
	} {
		if got, err := core.Decimal.Convert(c.from); err != nil || got.Text() != c.want || got.Type() != core.Decimal {
			t.Errorf("%v is %v, %v; want %s", c.from, got, err, c.want)
		}
	}
}

func TestDecimalsCompareAsNumbers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		digits := rapid.StringMatching(`-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`)
		near := rapid.SampledFrom([]string{"9", "10.5", "10.50", "10", "-10", "-9", "0.5", "0.05", "-0.5", "-0.05", "0", "-0"})
		a, b := rapid.OneOf(digits, near).Draw(rt, "a"), rapid.OneOf(digits, near).Draw(rt, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		v, errV := core.Decimal.Convert(a)
		w, errW := core.Decimal.Convert(json.Number(b))
		back, ok := new(big.Rat).SetString(v.Text())
		if errV != nil || errW != nil || !ok || back.Cmp(x) != 0 {
			rt.Fatalf("%s is %v, %v; %v", a, v, errV, errW)
		}
		if got := core.Compare(v, w); got != x.Cmp(y) || (v == w) != (got == 0) {
			rt.Fatalf("%s and %s compare as %d", v, w, got)
		}
	})
}

func TestScaleFixesTheDigitsAfterThePoint(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{
		id(), {Name: "cents", Type: core.Decimal, Scale: new(2)}, {Name: "whole", Type: core.Decimal, Scale: new(0)}, {Name: "any", Type: core.Decimal},
	}})
	for _, c := range []struct {
		field string
		from  any
		want  string // "" if rejected
	}{
		{"cents", "10.5", `"10.50"`}, {"cents", 3, `"3.00"`}, {"cents", "-0.050", `"-0.05"`}, {"cents", num("1e1"), `"10.00"`}, {"cents", "1.005", ""},
		{"whole", "10.0", `"10"`}, {"whole", "10.5", ""}, {"any", "10.50", `"10.5"`}, {"cents", nil, "null"},
	} {
		f := m.Resource("r").Field(c.field)
		v, err := f.Convert(c.from)
		if (err == nil) != (c.want != "") || err != nil && !errors.Is(err, core.BadFieldValue) {
			t.Errorf("%s %v: %v", c.field, c.from, err)
		}
		text := f.AppendJSON(nil, v)
		if err == nil && (string(text) != c.want || f.JSONSize(v) < len(text)) {
			t.Errorf("%s %v: %s of at most %d bytes, want %s", c.field, c.from, text, f.JSONSize(v), c.want)
		}
	}
	for _, bad := range []core.FieldSpec{{Name: "x", Type: core.Int, Scale: new(2)}, {Name: "x", Type: core.Decimal, Scale: new(-1)}, {Name: "x", Type: core.Decimal, Scale: new(1001)}} {
		if _, err := core.NewModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{id(), bad}}); err == nil || !strings.Contains(err.Error(), "Scale") {
			t.Errorf("%v", err)
		}
	}
}
