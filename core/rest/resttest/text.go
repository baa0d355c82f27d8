package resttest

import (
	"io"
	"slices"
	"strings"
)

// cut splits a request into method and target.
func splitRequest(request string) (method, target string, ok bool) { return strings.Cut(request, " ") }

// reader returns a body; nil for none.
func reader(body string) io.Reader {
	if body == "" {
		return nil
	}
	return strings.NewReader(body)
}

func replace(s string, oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(s) }

func fields(s string) []string { return strings.Fields(s) }

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
