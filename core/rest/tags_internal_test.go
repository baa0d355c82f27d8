package rest

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseTagsFollowsRFC9110(t *testing.T) {
	for _, row := range []struct {
		lines []string
		want  string // tags with a space between, "any", or "malformed"
	}{
		{[]string{`"a"`}, `"a"`},
		{[]string{`""`}, `""`},
		{[]string{`W/"a"`}, `W/"a"`},
		{[]string{`"a", "b",W/"c"`}, `"a" "b" W/"c"`},
		{[]string{`,, "a" ,	,"b",`}, `"a" "b"`},
		{[]string{`"a"`, `"b"`}, `"a" "b"`},
		{[]string{`"a,b"`}, `"a,b"`},
		{[]string{`"a\"`}, `"a\"`},
		{[]string{"\"\xe4\""}, "\"\xe4\""},
		{[]string{` * `}, "any"},
		{[]string{``}, "malformed"},
		{[]string{`a`}, "malformed"},
		{[]string{`"a`}, "malformed"},
		{[]string{`a"`}, "malformed"},
		{[]string{`"`}, "malformed"},
		{[]string{`W/`}, "malformed"},
		{[]string{`W/a`}, "malformed"},
		{[]string{`w/"a"`}, "malformed"},
		{[]string{`W/ "a"`}, "malformed"},
		{[]string{`"a" "b"`}, "malformed"},
		{[]string{`"a"x`}, "malformed"},
		{[]string{`"a b"`}, "malformed"},
		{[]string{"\"a\x7f\""}, "malformed"},
		{[]string{`*, "a"`}, "malformed"},
		{[]string{`"a", *`}, "malformed"},
		{[]string{`*`, `*`}, "malformed"},
	} {
		if got := tagsText(parseTags(row.lines)); got != row.want {
			t.Errorf("%q: %s, want %s", row.lines, got, row.want)
		}
	}
}

func tagsText(l *tagList, ok bool) string {
	if !ok {
		return "malformed"
	}
	if l.any {
		return "any"
	}
	var tags []string
	for _, tag := range l.tags {
		text := tag.quoted
		if tag.weak {
			text = "W/" + text
		}
		tags = append(tags, text)
	}
	return strings.Join(tags, " ")
}

func TestWeakTagsMatchOnlyInWeakComparison(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tags := rapid.SliceOfN(rapid.StringMatching(`(W/)?"[a-c,]?"`), 1, 4).Draw(t, "tags")
		tag := rapid.StringMatching(`"[a-c,]?"`).Draw(t, "tag")
		l, ok := parseTags(tags)
		if !ok {
			t.Fatalf("%q is malformed", tags)
		}
		if got, want := l.strongMatch(tag), slices.Contains(tags, tag); got != want {
			t.Errorf("strong comparison %v, want %v", got, want)
		}
		if got, want := l.weakMatch(tag), slices.Contains(tags, tag) || slices.Contains(tags, "W/"+tag); got != want {
			t.Errorf("weak comparison %v, want %v", got, want)
		}
	})
}

func TestTagsAreQuotedAndDiffer(t *testing.T) {
	a, b := tagOf([]byte("a")), tagOf([]byte("b"))
	if a == b || a != tagOf([]byte("a")) || quotedLength(a) != len(a) {
		t.Errorf("tags %s and %s", a, b)
	}
}
