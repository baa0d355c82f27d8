package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const fuzzNesting = 6

// FuzzParse compares Parse with encoding/json: it must accept the same texts with the same values, except for those that the
// documentation of Parse names, and what it accepts must survive the canonical writer.
// Its seeds are in testdata/fuzz/FuzzParse.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data, fuzzNesting)
		reason := refusal(data)
		switch {
		case err == nil && reason != "":
			t.Fatalf("Parse(%q) accepted what is refused for: %s", data, reason)
		case err != nil:
			checkRefusal(t, data, err, reason)
			return
		}
		if want := unmarshal(t, data); !reflect.DeepEqual(got, want) {
			t.Fatalf("Parse(%q) = %#v, encoding/json reads %#v", data, got, want)
		}
		checkCanonical(t, got)
	})
}

func checkRefusal(t *testing.T, data []byte, err error, reason string) {
	syntax, ok := errors.AsType[*SyntaxError](err)
	if !ok || syntax.Offset < 0 || syntax.Offset > len(data) || len(syntax.Msg) > 80 {
		t.Fatalf("Parse(%q): unfit error %v", data, err)
	}
	if reason == "" {
		t.Fatalf("Parse(%q) refused without a documented reason: %v", data, err)
	}
}

func unmarshal(t *testing.T, data []byte) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("Parse accepted %q, encoding/json says %v", data, err)
	}
	return v
}

func checkCanonical(t *testing.T, v any) {
	text, err := AppendCanonical(nil, v)
	if err != nil {
		t.Fatalf("AppendCanonical(%#v): %v", v, err)
	}
	parsed, err := Parse(text, fuzzNesting)
	if err != nil {
		t.Fatalf("Parse(%q), the canonical text of %#v: %v", text, v, err)
	}
	again, err := AppendCanonical(nil, parsed)
	if err != nil || !bytes.Equal(again, text) {
		t.Fatalf("canonical text %q becomes %q, %v", text, again, err)
	}
}

// refusal returns the documented reason for which a text is refused, or "". It finds it by other means than Parse: the decoder of
// encoding/json, regular expressions and strconv.
func refusal(data []byte) string {
	switch {
	case !json.Valid(data):
		return "not JSON"
	case !utf8.Valid(data):
		return "invalid UTF-8"
	case loneSurrogate(data):
		return "lone surrogate"
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return valueRefusal(d, 0)
}

var (
	escapedBackslash = regexp.MustCompile(`\\\\`)
	surrogatePair    = regexp.MustCompile(`(?i)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})`)
	surrogate        = regexp.MustCompile(`(?i)\\ud[89a-f][0-9a-f]{2}`)
)

func loneSurrogate(data []byte) bool {
	data = escapedBackslash.ReplaceAll(data, []byte("--"))
	data = surrogatePair.ReplaceAll(data, []byte("--"))
	return surrogate.Match(data)
}

// valueRefusal judges the next value of valid JSON.
func valueRefusal(d *json.Decoder, nesting int) string {
	token, err := d.Token()
	switch token := token.(type) {
	case json.Delim:
		return containerRefusal(d, token, nesting+1)
	case string:
		if strings.Contains(token, "\x00") {
			return "U+0000"
		}
	case json.Number:
		return numberRefusal(string(token))
	}
	if err != nil && err != io.EOF {
		return fmt.Sprint("token: ", err)
	}
	return ""
}

func containerRefusal(d *json.Decoder, open json.Delim, nesting int) (reason string) {
	if nesting > fuzzNesting {
		return "nesting"
	}
	names := map[json.Token]bool{}
	for d.More() && reason == "" {
		if open == '{' {
			name, _ := d.Token()
			if names[name] || strings.Contains(name.(string), "\x00") {
				return "name"
			}
			names[name] = true
		}
		reason = valueRefusal(d, nesting)
	}
	if reason == "" {
		_, _ = d.Token() // the closing bracket
	}
	return reason
}

func numberRefusal(lit string) string {
	canonical, _ := CanonicalNumber(lit)
	if len(lit) > maxNumberBytes || canonical == "" && len(lit) > maxNumberBytes-canonicalGrowth {
		return "number too long"
	}
	if _, err := strconv.ParseFloat(lit, 64); err != nil {
		return "number too large"
	}
	return ""
}
