package recipetest

import (
	"slices"
	"testing"
)

func TestThreeDotsMatchTextOrLines(t *testing.T) {
	for _, c := range []struct {
		want, got string
		match     bool
	}{
		{"a\n", "a", true},
		{"a", "b", false},
		{"a", "ab", false},
		{`{"id":...}`, `{"id":7}`, true},
		{`{"id":...}`, "{\"id\":\n7}", false},
		{"a\n...\nd", "a\nb\nc\nd", true},
		{"a\n...\nd", "a\nb\nc", false},
		{"(.*)", "x", false},
	} {
		if matches(c.want, c.got) != c.match {
			t.Errorf("%q and %q: %v", c.want, c.got, !c.match)
		}
	}
}

func TestCommandContinuesAfterABackslash(t *testing.T) {
	got := steps("$ a \\\n  b \\\n  c\nout\n\n$ d\n$ e\nmore\n")
	want := []step{{"a \\\n  b \\\n  c\n", "out\n\n"}, {"d\n", ""}, {"e\n", "more\n"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestShellKeepsVariablesAndSeparatesOutputs(t *testing.T) {
	s := newShell(t, t.TempDir())
	for _, c := range []struct{ command, output, code string }{
		{"x=1", "", "0"},
		{"printf $x; echo oops >&2", "1oops\n", "0"},
		{"printf 'no newline'", "no newline", "0"},
		{"cat; false", "", "1"},
	} {
		if output, code := s.run(t, c.command); output != c.output || code != c.code {
			t.Errorf("%s: got %q, %s", c.command, output, code)
		}
	}
}
