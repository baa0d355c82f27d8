package rest

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/larder-go/larder/core"
)

// pingTimeout is how long the storage may take to answer a check of readiness.
const pingTimeout = 2 * time.Second

// WithHealth adds the checks of a supervisor to a handler: /healthz answers 200 while the process serves (liveness), and /readyz
// answers 200 if the storage answers [core.Store.Ping] within two seconds, otherwise 503 (readiness). Both take GET and HEAD from
// every caller. The handler next gets the requests of all other paths.
//
// A 503 does not show its reason, because the error may hold the address of a server.
func WithHealth(store *core.Store, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path { // not a ServeMux, which redirects paths that it cleans
		case "/healthz":
			reportHealth(w, r, func(context.Context) error { return nil })
		case "/readyz":
			reportHealth(w, r, store.Ping)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func reportHealth(w http.ResponseWriter, r *http.Request, check func(context.Context) error) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	status, text := http.StatusOK, "ok\n"
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		status, text = http.StatusMethodNotAllowed, "method not allowed\n"
	case check(ctx) != nil:
		status, text = http.StatusServiceUnavailable, "the storage does not answer\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may have left
}
