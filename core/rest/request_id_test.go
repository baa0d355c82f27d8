package rest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

func TestRequestIDIsTheClientsOrARandomOne(t *testing.T) {
	var seen string
	h := rest.WithRequestID(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = core.RequestIDOf(r.Context()) }))
	made := make(map[string]bool)
	for id, keeps := range map[string]bool{
		"r-17": true, strings.Repeat("x", 128): true, "": false, "two words": false, "line\nbreak": false, "caf\u00e9": false,
		strings.Repeat("x", 129): false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["X-Request-Id"] = []string{id}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Header().Get("X-Request-Id") != seen || (seen == id) != keeps || len(seen) < 4 || made[seen] {
			t.Errorf("%q: the context has %q, and the answer %q", id, seen, w.Header().Get("X-Request-Id"))
		}
		made[seen] = true
	}
}
