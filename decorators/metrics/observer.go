package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// observer is the decorator in its place in a stack.
type observer struct {
	traceID  func(ctx context.Context) string
	attempts prometheus.Histogram
	table    table
}

var _ core.Observer = (*observer)(nil)

// Begin counts what runs now.
func (o *observer) Begin(kind core.Kind, r *core.Resource) {
	if s := o.table.of(kind, r); s != nil {
		s.inFlight.Add(1)
	}
}

// End counts and measures what has run.
func (o *observer) End(ctx context.Context, event *core.Event) {
	s := o.table.of(event.Kind, event.Resource)
	if s == nil {
		return
	}
	s.inFlight.Add(-1)
	s.ended(event)
	s.observe(event.Took)
	if event.Err == nil && event.Kind == core.Tx {
		o.attempts.Observe(float64(event.Attempt))
	}
	if o.traceID != nil { // last, since it may panic
		s.exemplify(o.traceID(ctx), event.Took)
	}
}
