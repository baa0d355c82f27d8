package core

import "context"

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
