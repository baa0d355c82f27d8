package core

import (
	"context"
	"strings"
)

type traceKey struct{}

// WithTraceID returns a context with the id of the trace that its operations belong to, so that logs and metrics lead to the
// trace. decorators/tracing calls it; a program without it calls it in middleware, for traces that are sampled. "" means none.
func WithTraceID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// TraceIDOf returns the id that [WithTraceID] has put into the context, or "".
func TraceIDOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

type requestKey struct{}

const maxRequestID = 128 // bytes; a client may have chosen the id

// WithRequestID returns a context with the id of a request, truncated to 128 bytes. Logs, audit entries and other decorators
// show it for the operations with this context. The middleware WithRequestID of package core/rest calls it; a program calls it for
// work that no request has asked for, such as a nightly job. "" means none.
func WithRequestID(ctx context.Context, id string) context.Context {
	if len(id) > maxRequestID {
		id = strings.ToValidUTF8(id[:maxRequestID], "")
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestIDOf returns the id that [WithRequestID] has put into the context, or "".
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
