package stacks_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// denying returns stacks that deny anonymous callers everything.
func denying() map[string][]core.Decorator {
	return map[string][]core.Decorator{
		"ownership":                  {ownership.New("owner", ownership.Options{})},
		"access":                     {access.New(policy(), access.Options{})},
		"read-only around ownership": {readonly.New(readonly.Options{}), ownership.New("owner", ownership.Options{})},
		"read-only around access":    {readonly.New(readonly.Options{Resources: []string{sealed}}), access.New(policy(), access.Options{})},
		"the five":                   five(natural, zap.NewNop(), prometheus.NewRegistry()),
	}
}

func TestAnonymousRequestsAre401(t *testing.T) {
	for name, stack := range denying() {
		t.Run(name, func(t *testing.T) {
			ask := serving(t, stack)
			for _, request := range []string{
				"GET /Jar", "GET /Jar/1", "GET /Jar/abc", "GET /Jar?limit=-1", "GET /Jar?filter=[", "GET /Jar?depth=99", "GET /Jar?limit=0", "GET /nothing",
				"BREW /Jar", "PUT /Jar", "POST /Jar", "POST /Jar?depth=0", "PUT /Jar/1", "PUT /lid/1?depth=0", "PATCH /lid/1?depth=0", "DELETE /lid/1",
				"POST /lid?depth=0", "DELETE /Jar/1", "GET /openapi.json", "POST /openapi.json",
			} {
				for _, body := range []string{"{}", "[]", "{", `{"nothing": 1}`, `{"owner": 1}`} {
					if w := ask(request, body); w.Code != http.StatusUnauthorized || w.Header().Get("Www-Authenticate") == "" {
						t.Errorf("%s %s: %d %v %s", request, body, w.Code, w.Header(), w.Body)
					}
				}
			}
		})
	}
}

func TestAnonymousRequestsWithARuleGetPreciseErrors(t *testing.T) {
	open := append(policy(), access.Rule{Roles: []string{access.Anonymous}, Resource: "jar", Operations: access.Read})
	ask := serving(t, []core.Decorator{access.New(open, access.Options{})})
	for request, want := range map[string]int{
		"GET /Jar": 200, "GET /Jar/1": 404, "GET /Jar/abc": 400, "GET /nothing": 404, "BREW /Jar": 405, "GET /openapi.json": 200, "GET /cookie": 401, "DELETE /Jar/1": 404, "POST /Jar": 401,
	} {
		if w := ask(request, "{}"); w.Code != want {
			t.Errorf("%s: %d %s, want %d", request, w.Code, w.Body, want)
		}
	}
}

// serving returns a function that sends an anonymous request to the stack over HTTP.
func serving(t *testing.T, stack []core.Decorator) func(request, body string) *httptest.ResponseRecorder {
	t.Helper()
	store, err := core.New(t.Context(), policytest.OwnedModel(), memory.New(), stack...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return func(request, body string) *httptest.ResponseRecorder {
		method, target, _ := strings.Cut(request, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
}
