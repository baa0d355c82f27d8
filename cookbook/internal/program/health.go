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
// 200 if the store answers a Ping, otherwise with 503; next answers the requests of every
// other path. Why a store is not ready is shown to nobody: the address of a server is in
// the error.
func healthy(store *core.Store, next http.Handler) http.Handler {
	lives := Only(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { report(w, http.StatusOK, "ok\n") }), "GET", "HEAD")
	isReady := Only(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ready(w, r, store) }), "GET", "HEAD")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path { // not a ServeMux, which redirects paths that it cleans
		case "/healthz":
			lives.ServeHTTP(w, r)
		case "/readyz":
			isReady.ServeHTTP(w, r)
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
