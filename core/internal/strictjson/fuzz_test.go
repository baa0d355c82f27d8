package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const fuzzNesting = 6

// FuzzParse compares Parse with encoding/json. Parse must accept the same texts with the same values, except for the
// texts that its documentation names, and an accepted value must survive the canonical writers. The seeds are in
// testdata/fuzz/FuzzParse.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data, fuzzNesting)
		reason := rejection(data)
		switch {
		case err == nil && reason != "":
			t.Fatalf("Parse(%q) accepted a text with the problem: %s", data, reason)
		case err != nil:
			checkRejection(t, data, err, reason)
			return
		}
		if want := unmarshal(t, data); !reflect.DeepEqual(got, want) {
			t.Fatalf("Parse(%q) = %#v, encoding/json reads %#v", data, got, want)
		}
		checkCanonical(t, data, got)
	})
}

func checkRejection(t *testing.T, data []byte, err error, reason string) {
	syntax, ok := errors.AsType[*SyntaxError](err)
	if !ok || syntax.Offset < 0 || syntax.Offset > len(data) || len(syntax.Msg) > 80 {
		t.Fatalf("Parse(%q): unexpected error %v", data, err)
	}
	if reason == "" {
		t.Fatalf("Parse(%q) rejected without a documented reason: %v", data, err)
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

// rejection returns the documented reason to reject a text; empty if there is none. It uses other means than Parse: the
// decoder of encoding/json and regular expressions.
func rejection(data []byte) string {
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
	return valueRejection(d, 0)
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

// valueRejection returns the reason to reject the next value of valid JSON; empty if there is none.
func valueRejection(d *json.Decoder, nesting int) string {
	token, err := d.Token()
	switch token := token.(type) {
	case json.Delim:
		return containerRejection(d, token, nesting+1)
	case string:
		if strings.Contains(token, "\x00") {
			return "U+0000"
		}
	}
	if err != nil && err != io.EOF {
		return fmt.Sprint("token: ", err)
	}
	return ""
}

func containerRejection(d *json.Decoder, open json.Delim, nesting int) (reason string) {
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
		reason = valueRejection(d, nesting)
	}
	if reason == "" {
		_, _ = d.Token() // the closing bracket
	}
	return reason
}

// checkCanonical writes the parsed value and parses the text again. Only AppendCanonical may fail, for a number out of
// range.
func checkCanonical(t *testing.T, data []byte, v any) {
	stored, err := AppendStored(nil, data)
	if err != nil {
		t.Fatalf("AppendStored(%q): %v", data, err)
	}
	again, err := AppendStored(nil, stored)
	if err != nil || !bytes.Equal(again, stored) {
		t.Fatalf("canonical text %q becomes %q, %v", stored, again, err)
	}
	text, err := AppendCanonical(nil, v)
	if inRange := !outOfRange(v); inRange != (err == nil) {
		t.Fatalf("AppendCanonical(%#v): %v", v, err)
	}
	if err == nil && !bytes.Equal(text, stored) {
		t.Fatalf("canonical text %q, of the stored text %q", text, stored)
	}
}

// outOfRange reports whether the value has a number that no field accepts. It uses other means than CanonicalNumber.
func outOfRange(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return numberOutOfRange(string(v))
	case []any:
		return slices.ContainsFunc(v, outOfRange)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), outOfRange)
	}
	return false
}

func numberOutOfRange(lit string) bool {
	if len(lit) > maxLiteralBytes {
		return true
	}
	if _, err := strconv.ParseFloat(lit, 64); err != nil {
		return true
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(lit), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return false
	}
	if exp, err := strconv.Atoi("0" + strings.TrimLeft(exponent, "+-")); err != nil || exp > 2*maxLiteralBytes {
		return true
	}
	return len(plain(lit)) > maxNumberBytes
}

// plain returns a number without an exponent, as PostgreSQL prints it.
func plain(lit string) string {
	text := exact(lit).FloatString(3 * maxLiteralBytes)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
