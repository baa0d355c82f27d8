package program

import (
	"net/http"
	"slices"
	"strings"
)

// Only answers requests with one of the methods by the handler and every other request
// with 405. http.ServeMux does the same for a pattern with a method, but not beside a
// handler of "/", to which it passes the other methods.
func Only(handler http.Handler, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(methods, r.Method) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
