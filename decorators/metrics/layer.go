package metrics

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// layer is the decorator in its place in a stack.
type layer struct {
	traceID  func(ctx context.Context) string
	attempts prometheus.Histogram
	series   table
}

var _ core.Watcher = (*layer)(nil)

// Begin counts what runs now.
func (l *layer) Begin(kind core.Kind, r *core.Resource) {
	if s := l.series.of(kind, r); s != nil {
		s.inFlight.Inc()
	}
}

// End counts and measures what has run.
func (l *layer) End(ctx context.Context, seen *core.Seen) {
	s := l.series.of(seen.Kind, seen.Resource)
	if s == nil {
		return
	}
	s.inFlight.Dec()
	s.ended(seen)
	if seen.Err == nil && seen.Kind == core.Tx {
		l.attempts.Observe(float64(seen.Attempt))
	}
	l.observe(ctx, s, seen.Took) // last, since it may panic where the program's TraceID does
}

// ended counts how the op ended, and its rows.
func (s *series) ended(seen *core.Seen) {
	outcome := core.OutcomeOf(seen.Err)
	s.outcomes[outcome].Inc()
	switch {
	case outcome.Failure():
		s.failures.Inc()
	case seen.Err != nil || seen.Kind == core.Tx:
	case seen.Kind == core.Delete:
		s.rows.Add(float64(len(seen.Keys)))
	default:
		s.rows.Add(float64(len(seen.Result.Records)))
	}
}

// observe measures the duration, with an exemplar if there is one.
func (l *layer) observe(ctx context.Context, s *series, took time.Duration) {
	if l.traceID != nil {
		if id := l.traceID(ctx); goodExemplar(id) {
			s.duration.(prometheus.ExemplarObserver). //nolint:forcetypeassert // a histogram is one
									ObserveWithExemplar(took.Seconds(), prometheus.Labels{traceLabel: id})
			return
		}
	}
	s.duration.Observe(took.Seconds())
}

const traceLabel = "trace_id"

// goodExemplar reports whether the id fits: what is longer, or not UTF-8, the client
// library panics at.
func goodExemplar(id string) bool {
	return id != "" && len(traceLabel)+len(id) <= prometheus.ExemplarMaxRunes && utf8.ValidString(id)
}
