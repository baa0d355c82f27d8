package rest

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128 // bytes
)

// WithRequestID gives each request an id: the one in its header X-Request-Id, if that has at most 128 visible ASCII characters,
// otherwise a random one. The answer shows it in the same header, and the context has it for logs, audit entries and other
// decorators, see [core.RequestIDOf]. A person who reports an error can so name the lines of the log. The id is no secret and
// proves nothing, because a client can choose it.
//
// It stands around everything that logs, so outside the handler of [New] and of the program's own handlers.
func WithRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if id == "" || len(id) > maxRequestID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
			id = rand.Text()
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(core.WithRequestID(r.Context(), id)))
	})
}
