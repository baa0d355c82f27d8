package metrics

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// layer is the decorator in its place in a stack.
type layer struct {
	next     core.Handler
	traceID  func(ctx context.Context) string
	attempts prometheus.Histogram
	series   table
}

// epoch is what clocks are read against: a time.Time of its own for each reading
// costs twice as much.
var epoch = time.Now()

// errInterrupted is the error of an op that has none because it did not return.
var errInterrupted = errors.New("interrupted by a panic")

func (l *layer) handle(ctx context.Context, op *core.Op) (res core.Result, err error) {
	s := l.series.of(op)
	if s == nil {
		return l.next(ctx, op)
	}
	kind, keys := op.Kind, len(op.Keys) // what is further in may change the op
	s.inFlight.Inc()
	begin := time.Since(epoch)
	err = errInterrupted
	defer func() {
		took := time.Since(epoch) - begin
		s.inFlight.Dec()
		s.ended(res, err, kind, keys)
		if err == nil && kind == core.Tx {
			l.attempts.Observe(float64(op.Attempt()))
		}
		l.observe(ctx, s, took) // last, since it may panic where the program's TraceID does
	}()
	return l.next(ctx, op)
}

// ended counts how the op ended, and its rows.
func (s *series) ended(res core.Result, err error, kind core.Kind, keys int) {
	outcome := core.OutcomeOf(err)
	s.outcomes[outcome].Inc()
	switch {
	case outcome.Failure():
		s.failures.Inc()
	case err != nil || kind == core.Tx:
	case kind == core.Delete:
		s.rows.Add(float64(keys))
	default:
		s.rows.Add(float64(len(res.Records)))
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
