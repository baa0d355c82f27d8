package postgres

import (
	"context"
	"time"
)

// defaultCallTimeout is that of Options.CallTimeout.
const defaultCallTimeout = 30 * time.Second

// bounded gives a call whose context has no deadline the one of the options. A server that
// is frozen keeps its connections open, and its kernel acknowledges what is sent, so that
// nothing else ends the wait for an answer.
func (b *Backend) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := b.opts.CallTimeout
	if limit == 0 {
		limit = defaultCallTimeout
	}
	if _, has := ctx.Deadline(); has || limit < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}
