package strictjson

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendStringEscapesTheMinimum(t *testing.T) {
	for _, c := range []struct{ name, s, want string }{
		{"empty", "", `""`},
		{"plain", "plain text / 1+1", `"plain text / 1+1"`},
		{"quote and backslash", `a"b\c`, `"a\"b\\c"`},
		{"short forms", "\n\r\t", `"\n\r\t"`},
		{"other controls", "\x00\x01\b\f\x1f", `"\u0000\u0001\u0008\u000c\u001f"`},
		{"delete is not a control in JSON", "\x7f", "\"\x7f\""},
		{"no HTML escaping", "<a href='&'>", `"<a href='&'>"`},
		{"line separators", "a\u2028b\u2029c", `"a\u2028b\u2029c"`},
		{"neighbours of line separators", "\u2027\u202a", "\"\u2027\u202a\""},
		{"beyond ASCII", "zażółć 😀", `"zażółć 😀"`},
		{"replacement character", "\uFFFD", "\"\uFFFD\""},
		{"invalid bytes, each", "a\xffb\xe2\x82", `"a\ufffdb\ufffd\ufffd"`},
		{"encoded surrogate", "\xed\xa0\x80", `"\ufffd\ufffd\ufffd"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendString(nil, c.s)); got != c.want {
				t.Errorf("AppendString(%q) = %s, want %s", c.s, got, c.want)
			}
			if n := StringSize(c.s); n != len(c.want) {
				t.Errorf("StringSize(%q) = %d, want %d", c.s, n, len(c.want))
			}
		})
	}
}

func TestAppendStringAppends(t *testing.T) {
	if got := string(AppendString([]byte("x:"), "y")); got != `x:"y"` {
		t.Errorf(`got %s, want x:"y"`, got)
	}
}

func TestAppendStringReadsBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		text := AppendString(nil, s)
		if n := StringSize(s); n != len(text) {
			t.Fatalf("StringSize(%q) = %d, want %d", s, n, len(text))
		}
		var std string
		if err := json.Unmarshal(text, &std); err != nil || std != replaceInvalid(s) {
			t.Fatalf("AppendString(%q) = %s, encoding/json reads %q, %v", s, text, std, err)
		}
		if v, err := Parse(text, 0); !strings.Contains(s, "\x00") && (err != nil || v != std) {
			t.Fatalf("AppendString(%q) = %s, Parse reads %q, %v", s, text, v, err)
		}
	})
}

// replaceInvalid replaces every byte that belongs to no character by U+FFFD, as ranging over a string does.
func replaceInvalid(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}
