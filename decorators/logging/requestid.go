package logging

import "context"

type requestIDKey struct{}

// maxRequestID is how many bytes of a request id are kept: it may come from a
// client.
const maxRequestID = 128

// WithRequestID returns a context whose operations are logged with the id of the
// request that they serve, cut to 128 bytes. It is for middleware that takes the
// id from a header such as X-Request-Id, or makes one.
func WithRequestID(ctx context.Context, id string) context.Context {
	if len(id) > maxRequestID {
		id = id[:maxRequestID]
	}
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDOf returns the id that [WithRequestID] has put into the context; empty
// if there is none.
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
