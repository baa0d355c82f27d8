package program

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/larder-go/larder/core"
)

// pingTime is how long the storage may take to answer a check of readiness.
const pingTime = 2 * time.Second

// healthy answers GET /healthz with 200 while the process serves, and GET /readyz with
// 200 if the store answers a Ping, otherwise with 503; next answers every other
// request. Why a store is not ready is shown to nobody: the address of a server is in
// the error.
func healthy(store *core.Store, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case reads && r.URL.Path == "/healthz":
			report(w, http.StatusOK, "ok\n")
		case reads && r.URL.Path == "/readyz":
			ready(w, r, store)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func ready(w http.ResponseWriter, r *http.Request, store *core.Store) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTime)
	defer cancel()
	if err := store.Ping(ctx); err != nil {
		report(w, http.StatusServiceUnavailable, "the storage does not answer\n")
		return
	}
	report(w, http.StatusOK, "ok\n")
}

func report(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that left needs no answer
}
