package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func TestFailuresOfTheServerAreReadableForBrowsers(t *testing.T) {
	*corsOrigins = "https://app.example"
	defer func() { *corsOrigins = "" }()
	model, err := modelOf("cookies", false)
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), model, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	for status, authenticate := range map[int]func(*http.Request) (*core.Principal, error){
		500: func(*http.Request) (*core.Principal, error) { panic("broken") },
		503: func(*http.Request) (*core.Principal, error) { return nil, core.Unavailable },
		401: func(*http.Request) (*core.Principal, error) { return nil, errors.New("no token") },
	} {
		api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		handler, err := forBrowsers(api)
		if err != nil {
			t.Fatal(err)
		}
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jar", nil)
		r.Header.Set("Origin", "https://app.example")
		handler.ServeHTTP(w, r)
		if got := w.Header(); w.Code != status || got.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			!strings.Contains(got.Get("Access-Control-Expose-Headers"), "Retry-After") {
			t.Errorf("%d, want %d: %v", w.Code, status, got)
		}
	}
}
