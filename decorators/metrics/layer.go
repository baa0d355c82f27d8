package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// layer is the decorator in its place in a stack.
type layer struct {
	traceID  func(ctx context.Context) string
	attempts prometheus.Histogram
	table    table
}

var _ core.Watcher = (*layer)(nil)

// Begin counts what runs now.
func (l *layer) Begin(kind core.Kind, r *core.Resource) {
	if s := l.table.of(kind, r); s != nil {
		s.inFlight.Add(1)
	}
}

// End counts and measures what has run.
func (l *layer) End(ctx context.Context, seen *core.Seen) {
	s := l.table.of(seen.Kind, seen.Resource)
	if s == nil {
		return
	}
	s.inFlight.Add(-1)
	s.ended(seen)
	s.observe(seen.Took)
	if seen.Err == nil && seen.Kind == core.Tx {
		l.attempts.Observe(float64(seen.Attempt))
	}
	if l.traceID != nil { // last, since it may panic
		s.exemplify(l.traceID(ctx), seen.Took)
	}
}
