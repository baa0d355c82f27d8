package swaggerui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/rest/swaggerui"
)

func TestPageAndItsFiles(t *testing.T) {
	docs, err := swaggerui.New("/api/docs", `/api/openapi.json?a="b"`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status      int
		media, text string
	}{
		"/api/docs/":                     {200, "text/html; charset=utf-8", `data-document="/api/openapi.json?a=&#34;b&#34;"`},
		"/api/docs/start.js":             {200, "text/javascript; charset=utf-8", "SwaggerUIBundle({"},
		"/api/docs/swagger-ui-bundle.js": {200, "text/javascript; charset=utf-8", "SwaggerUIBundle"},
		"/api/docs/swagger-ui.css":       {200, "text/css; charset=utf-8", ".swagger-ui"},
		"/api/docs/favicon-32x32.png":    {200, "image/png", "PNG"},
		"/api/docs/nothing":              {404, "text/plain; charset=utf-8", "not found"},
		"/api/docs":                      {404, "text/plain; charset=utf-8", "not found"},
		"/docs/":                         {404, "text/plain; charset=utf-8", "not found"},
	} {
		w := httptest.NewRecorder()
		docs.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		h := w.Header()
		if w.Code != want.status || h.Get("Content-Type") != want.media || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
		if csp := h.Get("Content-Security-Policy"); want.status == 200 && (!strings.Contains(csp, "script-src 'self';") || h.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: %v", path, h)
		}
	}
	w := httptest.NewRecorder()
	docs.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/docs/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func TestNewRejectsPaths(t *testing.T) {
	for _, path := range []string{"", "docs", "/", "/docs/"} {
		if _, err := swaggerui.New(path, "/openapi.json"); err == nil {
			t.Errorf("no error for %q", path)
		}
	}
}
