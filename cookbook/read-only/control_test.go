package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/readonly"
)

func TestInterruptedWaitIsAnError(t *testing.T) {
	var maintenance readonly.Switch
	store, err := core.New(t.Context(), model, memory.New(), readonly.New(readonly.Options{Switch: &maintenance}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	c := &control{[]byte("Bearer x"), &maintenance}
	w := httptest.NewRecorder()
	err = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { // a running write
		ctx, leave := context.WithCancel(t.Context())
		leave()
		r := httptest.NewRequestWithContext(ctx, http.MethodPut, "/admin/read-only", strings.NewReader("true"))
		r.Header.Set("Authorization", "Bearer x")
		c.ServeHTTP(w, r)
		return nil
	})
	if err != nil || w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "still running") {
		t.Errorf("%v; %d %s", err, w.Code, w.Body)
	}
}
