package rest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

func TestHealthAndReadiness(t *testing.T) {
	model := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	store, err := core.New(t.Context(), model, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	handler := rest.WithHealth(store, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	expect := func(what, method, path string, status int, body string) *httptest.ResponseRecorder {
		t.Helper()
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		if answer.Code != status || answer.Body.String() != body {
			t.Errorf("%s: %s %s: %d %q, want %d %q", what, method, path, answer.Code, answer.Body, status, body)
		}
		return answer
	}
	expect("open", "GET", "/healthz", 200, "ok\n")
	expect("open", "GET", "/readyz", 200, "ok\n")
	expect("open", "HEAD", "/healthz", 200, "ok\n")
	for _, path := range []string{"/healthz", "/readyz"} {
		answer := expect("open", "POST", path, http.StatusMethodNotAllowed, "method not allowed\n")
		if allow := answer.Header().Get("Allow"); allow != "GET, HEAD" {
			t.Errorf("POST %s: Allow %q", path, allow)
		}
	}
	expect("open", "POST", "/healthz/", http.StatusTeapot, "")
	expect("open", "GET", "/cookie", http.StatusTeapot, "")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	expect("closed", "GET", "/healthz", 200, "ok\n")
	expect("closed", "GET", "/readyz", 503, "the storage does not answer\n")
}
