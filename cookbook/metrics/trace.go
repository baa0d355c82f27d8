package main

import (
	"context"
	"net/http"
	"regexp"
)

type traceKey struct{}

// traceparent is the header of W3C Trace Context, level 1, section 3.2: version,
// id of the trace, id of the caller's span, flags.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}`)

// traced puts the id of the trace that a request belongs to into its context. A
// program with OpenTelemetry has this already.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found := traceparent.FindStringSubmatch(r.Header.Get("Traceparent")); found != nil {
			r = r.WithContext(context.WithValue(r.Context(), traceKey{}, found[1]))
		}
		next.ServeHTTP(w, r)
	})
}

func traceOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}
