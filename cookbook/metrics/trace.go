package main

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/larder-go/larder/core"
)

// traceparent matches the header of W3C Trace Context, level 1, section 3.2: version, id of the trace, id of the caller's
// span, and flags, the last of which says that the trace is sampled.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f][13579bdf]`)

// traced puts the id of the trace of a request into the context, if the trace is sampled. An id of zeros is invalid. A
// program with OpenTelemetry has decorators/tracing for it, see cookbook/tracing.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found := traceparent.FindStringSubmatch(r.Header.Get("Traceparent")); len(found) > 1 && strings.Trim(found[1], "0") != "" {
			r = r.WithContext(core.WithTraceID(r.Context(), found[1]))
		}
		next.ServeHTTP(w, r)
	})
}
