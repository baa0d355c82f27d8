package strictjson

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendCanonicalText(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"null", nil, `null`},
		{"bools", []any{true, false}, `[true,false]`},
		{"string", "a\"\u2028<é>", `"a\"\u2028<é>"`},
		{"literal", json.Number("-1.50e1"), `-15`},
		{"signed", []any{int(-1), int8(math.MinInt8), int16(3), int32(4), int64(math.MinInt64)}, `[-1,-128,3,4,-9223372036854775808]`},
		{"unsigned", []any{uint(1), uint8(2), uint16(3), uint32(4), uint64(math.MaxUint64)}, `[1,2,3,4,18446744073709551615]`},
		{"floats", []any{1.0, 0.1, math.Copysign(0, -1), float32(0.1), 1e21, 1e-7}, `[1,0.1,0,0.1,1e+21,1e-7]`},
		{"raw message", json.RawMessage(` {"b": 1.0, "a": "\u0041"} `), `{"a":"A","b":1}`},
		{"empty", []any{[]any{}, map[string]any{}}, `[[],{}]`},
		{"nil slice and map", []any{[]any(nil), map[string]any(nil)}, `[[],{}]`},
		{"names by code point, not by UTF-16 unit", map[string]any{"\U00010000": 1, "\uE000": 2, "a": 3, "B": 4, "": 5, "ab": 6},
			"{\"\":5,\"B\":4,\"a\":3,\"ab\":6,\"\uE000\":2,\"\U00010000\":1}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := AppendCanonical([]byte("x"), c.v)
			if err != nil || string(got) != "x"+c.want {
				t.Errorf("got %s, %v; want x%s", got, err, c.want)
			}
		})
	}
}

// RFC 8785 appendix B.
func TestFloatsAreSpelledAsInRFC8785(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0",
		0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334", 0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := AppendCanonical(nil, math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("%016x: %s, %v; want %s", bits, got, err, want)
		}
	}
}

func TestAppendCanonicalRejects(t *testing.T) {
	type point struct{ X, Y int }
	cycle := map[string]any{}
	cycle["a"], cycle["b"] = cycle, []any{cycle}
	loop := []any{nil}
	loop[0] = loop
	deep := any(1)
	for range DefaultNesting + 1 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"NaN", math.NaN(), "NaN and infinities have no JSON spelling"},
		{"infinity", math.Inf(1), "NaN and infinities have no JSON spelling"},
		{"negative infinity", float32(math.Inf(-1)), "NaN and infinities have no JSON spelling"},
		{"struct", []any{point{}}, "type strictjson.point has no canonical JSON"},
		{"bytes", []byte("a"), "type []uint8 has no canonical JSON"},
		{"typed map", map[string]any{"a": map[string]int{}}, "type map[string]int has no canonical JSON"},
		{"pointer", new(1), "type *int has no canonical JSON"},
		{"invalid UTF-8", "a\xff", "invalid UTF-8 in a string"},
		{"invalid UTF-8 in a name", map[string]any{"\xff": 1}, "invalid UTF-8 in a string"},
		{"U+0000", "\x00", "U+0000 in a string"},
		{"U+0000 in a name", map[string]any{"a\x00": 1}, "U+0000 in a string"},
		{"empty literal", json.Number(""), "invalid JSON number: digit expected in a number"},
		{"malformed literal", json.Number("1]"), "invalid JSON number: unexpected character in a number"},
		{"literal too large", json.Number("1e400"), "invalid JSON number: number too large"},
		{"raw message", json.RawMessage(`{"a":1,"a":1}`), "raw message: invalid JSON at byte 7: duplicate name in an object"},
		{"nil raw message", json.RawMessage(nil), "raw message: invalid JSON at byte 0: no JSON value: the input is empty"},
		{"too deep", deep, "nesting deeper than 64"},
		{"map in itself", cycle, "nesting deeper than 64"},
		{"slice in itself", loop, "nesting deeper than 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := AppendCanonical([]byte("kept"), c.v)
			if errorText(err) != c.want {
				t.Errorf("error %q, want %q", errorText(err), c.want)
			}
			if err != nil && string(got) != "kept" {
				t.Errorf("the error came with %q, want the unchanged dst", got)
			}
		})
	}
}

func TestRawMessagesCountTowardsNesting(t *testing.T) {
	var v any = json.RawMessage(strings.Repeat("[", 40) + strings.Repeat("]", 40))
	for range DefaultNesting - 40 {
		v = []any{v}
	}
	if _, err := AppendCanonical(nil, v); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := AppendCanonical(nil, []any{v}); !errors.Is(err, errTooDeep) {
		t.Errorf("above the limit: %v, want %v", err, errTooDeep)
	}
}

func TestRawMessageErrorsAreSyntaxErrors(t *testing.T) {
	_, err := AppendCanonical(nil, []any{json.RawMessage(`[1,`)})
	if syntax, ok := errors.AsType[*SyntaxError](err); !ok || syntax.Offset != 3 {
		t.Errorf("error %v, want a SyntaxError at byte 3", err)
	}
}

// values draws values that Parse can return, with numbers in any form.
var values = rapid.Deferred(func() *rapid.Generator[any] { return valuesOf(4) })

func valuesOf(nesting int) *rapid.Generator[any] {
	text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 }))
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		text.AsAny(),
		rapid.Map(literals, func(s string) any { return json.Number(s) }),
	}
	if nesting > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return valuesOf(nesting - 1) })
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(inner, 0, 5), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(text, inner, 0, 5), func(m map[string]any) any { return m }))
	}
	return rapid.OneOf(kinds...)
}

func TestCanonicalTextReadsBackAndIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values.Draw(t, "value")
		text, err := AppendCanonical(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := Parse(text, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if want := canonicalNumbers(v); !reflect.DeepEqual(parsed, want) {
			t.Fatalf("%s reads as %#v, want %#v", text, parsed, want)
		}
		if again, err := AppendCanonical(nil, parsed); err != nil || string(again) != string(text) {
			t.Fatalf("%s becomes %s, %v", text, again, err)
		}
	})
}

// canonicalNumbers returns v with its numbers in canonical form.
func canonicalNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		text, err := CanonicalNumber(string(v))
		if err != nil {
			panic(err)
		}
		return json.Number(text)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = canonicalNumbers(v[i])
		}
		return list
	case map[string]any:
		members := make(map[string]any, len(v))
		for name := range v {
			members[name] = canonicalNumbers(v[name])
		}
		return members
	default:
		return v
	}
}
