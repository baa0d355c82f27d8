package resttest

import (
	"net/http"
	"strings"
	"testing"
)

// TestRulesForAllAnswersCatchBrokenHeaders breaks one header of a correct answer at a time.
func TestRulesForAllAnswersCatchBrokenHeaders(t *testing.T) {
	correct := func(caching string) http.Header {
		return http.Header{
			"Content-Type": {"application/json"}, "Content-Length": {"4"}, "X-Content-Type-Options": {"nosniff"},
			"Cache-Control": {caching}, "Vary": {"Authorization, Accept, Accept-Encoding"},
		}
	}
	data := func(name string, values ...string) reply {
		header := correct("private, no-cache")
		header[name] = values
		return reply{http.StatusOK, header, []byte("null")}
	}
	if got := data("Etag", `"a"`).violation("GET"); got != "" {
		t.Fatalf("a correct answer: %s", got)
	}
	for name, row := range map[string]struct {
		reply reply
		want  string
	}{
		"public":              {data("Cache-Control", "public, max-age=60"), "Cache-Control"},
		"no Cache-Control":    {data("Cache-Control"), "Cache-Control"},
		"a second line":       {data("Cache-Control", "private, no-cache", "public"), "Cache-Control"},
		"no Vary":             {data("Vary"), "Vary"},
		"Vary without Accept": {data("Vary", "Authorization, Accept-Encoding"), "Vary"},
		"a stored error":      {reply{http.StatusNotFound, correct("private, no-cache"), []byte("null")}, "Cache-Control"},
		"a stored 304":        {reply{http.StatusNotModified, http.Header{"X-Content-Type-Options": {"nosniff"}}, nil}, "Cache-Control"},
		"a stored 204":        {reply{http.StatusNoContent, http.Header{"X-Content-Type-Options": {"nosniff"}}, nil}, "Cache-Control"},
		"an unexposed header": {data("X-Secret-Count", "1"), "X-Secret-Count"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := row.reply.violation("GET"); !strings.Contains(got, row.want) {
				t.Errorf("violation %q, want one about %s", got, row.want)
			}
		})
	}
	if data("Content-Length", "5").lengthViolation("GET") == "" {
		t.Error("a wrong Content-Length is no violation")
	}
}
