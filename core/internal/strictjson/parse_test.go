package strictjson

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseReturnsTheValueAsWritten(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
	}{
		{`null`, nil},
		{`true`, true},
		{" \t\r\nfalse \t\r\n", false},
		{`0`, json.Number("0")},
		{`-0.10E+02`, json.Number("-0.10E+02")},
		{`1e-400`, json.Number("1e-400")},
		{`[1e400]`, []any{json.Number("1e400")}},
		{strings.Repeat("9", 1000), json.Number(strings.Repeat("9", 1000))},
		{`0e999999999999999999999`, json.Number("0e999999999999999999999")},
		{`1.7976931348623157e308`, json.Number("1.7976931348623157e308")},
		{strings.Repeat("9", 308), json.Number(strings.Repeat("9", 308))},
		{`0.` + strings.Repeat("0", 120) + `1e400`, json.Number(`0.` + strings.Repeat("0", 120) + `1e400`)},
		{`""`, ""},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"a\u00e9\u20AC\ud83d\uDE00z"`, "aé€😀z"},
		{`"é€😀"`, "é€😀"},
		{"\"\uFEFF\uFFFD\u007f\"", "\uFEFF\uFFFD\u007f"},
		{`"\ufffd\ufeff\u0001"`, "\uFFFD\uFEFF\x01"},
		{`"\\ud800"`, `\ud800`},
		{`[]`, []any{}},
		{`[ ]`, []any{}},
		{`[1, [2] ,{}]`, []any{json.Number("1"), []any{json.Number("2")}, map[string]any{}}},
		{`{ }`, map[string]any{}},
		{`{"a" : 1 , "":null,"A":"\n"}`, map[string]any{"a": json.Number("1"), "": nil, "A": "\n"}},
	} {
		got, err := Parse([]byte(c.text), 0)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Parse(%.60q) = %#v, %v; want %#v", c.text, got, err, c.want)
		}
	}
}

func TestParseRejectsWithReasonAndOffset(t *testing.T) {
	for _, c := range []struct {
		name, text string
		offset     int
		msg        string
	}{
		{"empty input", "", 0, "no JSON value: the input is empty"},
		{"only space", " \n", 2, "no JSON value: the input is empty"},
		{"byte order mark", "\uFEFF1", 0, "byte order mark; remove it"},
		{"UTF-16 byte order mark", "\xff\xfe1\x00", 0, "invalid UTF-8"},
		{"second value", `1 2`, 2, "data after the end of the JSON value"},
		{"second bracket", `[]]`, 2, "data after the end of the JSON value"},
		{"NUL after the value", "1\x00", 1, "data after the end of the JSON value"},
		{"word with a suffix", `truest`, 4, "data after the end of the JSON value"},

		{"no value", `[`, 1, "unexpected end of input, expected a value"},
		{"comma before bracket", `[1,]`, 3, "unexpected character ']', expected a value"},
		{"no comma", `[1 2]`, 3, "unexpected character '2', expected ',' or ']'"},
		{"open array", `[1`, 2, "unexpected end of input, expected ',' or ']'"},
		{"wrong bracket", `{"a":1]`, 6, "unexpected character ']', expected ',' or '}'"},
		{"comma before brace", `{"a":1,}`, 7, "unexpected character '}', expected a name in quotes"},
		{"name without quotes", `{a:1}`, 1, "unexpected character 'a', expected a name in quotes"},
		{"number as name", `{1:1}`, 1, "unexpected character '1', expected a name in quotes"},
		{"open object", `{`, 1, "unexpected end of input, expected a name in quotes"},
		{"no colon", `{"a" 1}`, 5, "unexpected character '1', expected ':'"},
		{"no member value", `{"a":}`, 5, "unexpected character '}', expected a value"},
		{"incomplete word", `tru`, 0, "unexpected character 't', expected a value"},
		{"upper case word", `[TRUE]`, 1, "unexpected character 'T', expected a value"},
		{"single quotes", `'a'`, 0, "unexpected character '\\'', expected a value"},
		{"comment", `/**/1`, 0, "unexpected character '/', expected a value"},
		{"other white space", "\u00a01", 0, "unexpected character '\\u00a0', expected a value"},
		{"vertical tab", "\v1", 0, "unexpected character '\\v', expected a value"},
		{"NUL", "\x00", 0, "unexpected character '\\x00', expected a value"},
		{"error repeats one character", `éclair`, 0, "unexpected character 'é', expected a value"},

		{"stray byte", "[\x80]", 1, "invalid UTF-8"},
		{"invalid byte in a string", "\"aé\xff\"", 4, "invalid UTF-8"},
		{"invalid byte after an escape", "\"\\n\xc3\"", 3, "invalid UTF-8"},
		{"invalid byte in a name", "{\"\xc3\":1}", 2, "invalid UTF-8"},
		{"character interrupted by an escape", "\"\xc3\\n\xa9\"", 1, "invalid UTF-8"},
		{"overlong encoding", "\"\xc0\xaf\"", 1, "invalid UTF-8"},
		{"encoded surrogate", "\"\xed\xa0\x80\"", 1, "invalid UTF-8"},
		{"beyond U+10FFFF", "\"\xf4\x90\x80\x80\"", 1, "invalid UTF-8"},
		{"character truncated by the end", "\"\xe2\x82", 1, "invalid UTF-8"},

		{"lone high surrogate", `"a\ud800"`, 2, "lone surrogate in a string"},
		{"lone low surrogate", `"\uDC00"`, 1, "lone surrogate in a string"},
		{"high surrogate twice", `"\ud83d\ud83d"`, 1, "lone surrogate in a string"},
		{"surrogates in the wrong order", `"\ude00\ud83d"`, 1, "lone surrogate in a string"},
		{"high surrogate before a letter", `"\ud83d\u0041"`, 1, "lone surrogate in a string"},
		{"high surrogate before an escaped backslash", `"\ud83d\\ude00"`, 1, "lone surrogate in a string"},
		{"high surrogate before a broken escape", `"\ud83d\ude0"`, 1, "lone surrogate in a string"},
		{"lone surrogate in a name", `{"\ud800":1}`, 2, "lone surrogate in a string"},

		{"escaped U+0000", `"ab\u0000"`, 3, "U+0000 in a string"},
		{"raw U+0000", "\"ab\x00\"", 3, "U+0000 in a string"},
		{"U+0000 in a name", `{"\u0000":1}`, 2, "U+0000 in a string"},
		{"raw line end", "\"a\nb\"", 2, "control character in a string, must be escaped"},
		{"raw tab after an escape", "\"\\t\t\"", 3, "control character in a string, must be escaped"},
		{"raw U+001F", "\"\x1f\"", 1, "control character in a string, must be escaped"},
		{"unknown escape", `"\x41"`, 1, "unknown escape sequence"},
		{"upper case escape", `"\U0041"`, 1, "unknown escape sequence"},
		{"short hexadecimal", `"\u12"`, 1, `\u without four hexadecimal digits`},
		{"not hexadecimal", `"\u12g4"`, 1, `\u without four hexadecimal digits`},
		{"signed hexadecimal", `"\u+123"`, 1, `\u without four hexadecimal digits`},
		{"open string", `"abc`, 4, "unexpected end of input in a string"},
		{"open string after an escape", `"a\n`, 4, "unexpected end of input in a string"},
		{"open escape", `"a\`, 3, "unexpected end of input in a string"},
		{"lone quote", `"`, 1, "unexpected end of input in a string"},

		{"duplicate name", `{"a":1,"b":2,"a":3}`, 13, "duplicate name in an object"},
		{"duplicate after unescaping", `{"a":1, "\u0061":1}`, 8, "duplicate name in an object"},
		{"duplicate of a null", `{"":null,"":null}`, 9, "duplicate name in an object"},
		{"duplicate deep inside", `[{"x":{"a":1,"a":1}}]`, 13, "duplicate name in an object"},

		{"leading zero", `01`, 0, "number with a leading zero"},
		{"negative leading zero", `[-012]`, 2, "number with a leading zero"},
		{"plus", `+1`, 0, "unexpected character '+', expected a value"},
		{"no whole part", `.5`, 0, "unexpected character '.', expected a value"},
		{"no fraction", `1.`, 2, "digit expected after the decimal point"},
		{"exponent for a fraction", `1.e5`, 2, "digit expected after the decimal point"},
		{"no exponent", `1e`, 2, "digit expected in an exponent"},
		{"sign without digits", `1e+`, 3, "digit expected in an exponent"},
		{"broken exponent", `1e5.5`, 3, "data after the end of the JSON value"},
		{"minus alone", `-`, 1, "digit expected in a number"},
		{"minus before a point", `-.5`, 1, "digit expected in a number"},
		{"two signs", `--1`, 1, "digit expected in a number"},
		{"hexadecimal", `0x10`, 1, "data after the end of the JSON value"},
		{"digit group", `1_000`, 1, "data after the end of the JSON value"},
		{"NaN", `[NaN]`, 1, "NaN and Infinity are not JSON"},
		{"Infinity", `{"a":Infinity}`, 5, "NaN and Infinity are not JSON"},
		{"minus Infinity", `-Infinity`, 1, "digit expected in a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(c.text), 0)
			syntax, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("Parse(%.60q) = %v, %v; want a SyntaxError", c.text, got, err)
			}
			if want := (SyntaxError{c.offset, c.msg}); *syntax != want {
				t.Errorf("Parse(%.60q): %+v, want %+v", c.text, *syntax, want)
			}
			if got != nil {
				t.Errorf("Parse(%.60q) returned %v beside its error", c.text, got)
			}
		})
	}
}

func TestParseLimitsNesting(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`[{"a":`, n/2) + "1" + strings.Repeat(`}]`, n/2) }
	for _, c := range []struct {
		name       string
		text       string
		maxNesting int
		want       string
	}{
		{"scalars have none", `1`, 1, ""},
		{"at the limit", `[[[]]]`, 3, ""},
		{"above the limit", `[[[[]]]]`, 3, "invalid JSON at byte 3: nesting deeper than 3"},
		{"objects count", `[{"a":[{}]}]`, 3, "invalid JSON at byte 7: nesting deeper than 3"},
		{"neighbours do not add up", `[[[]],[[]],{"a":{}},[{}]]`, 3, ""},
		{"zero means the default", nested(DefaultNesting), 0, ""},
		{"negative means the default", nested(DefaultNesting), -1, ""},
		{"above the default", `[` + nested(DefaultNesting) + `]`, 0, "invalid JSON at byte 188: nesting deeper than 64"},
		{"a million brackets", strings.Repeat("[", 1_000_000), 0, "invalid JSON at byte 64: nesting deeper than 64"},
		{"more than the default on request", nested(5_000), 5_000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), c.maxNesting)
			if got := errorText(err); got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseReadsLongArrays(t *testing.T) {
	const n = 300_000
	v, err := Parse([]byte("["+strings.Repeat("0,", n-1)+"0]"), 0)
	if list, _ := v.([]any); err != nil || len(list) != n {
		t.Fatalf("%d elements, error %v; want %d", len(list), err, n)
	}
}

func TestParsedValuesDoNotShareTheInput(t *testing.T) {
	data := []byte(`{"name":["text","es\nc",12345]}`)
	v, err := Parse(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if want := map[string]any{"name": []any{"text", "es\nc", json.Number("12345")}}; !reflect.DeepEqual(v, want) {
		t.Errorf("after overwriting the input: %v, want %v", v, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
