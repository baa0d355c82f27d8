package metrics

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// observer counts and times the operations of one store.
type observer struct {
	model    *core.Model
	attempts prometheus.Histogram
	tx       *series
	series   [][]*series // by index of the resource and by kind, without transactions
}

var _ core.Observer = (*observer)(nil)

// newObserver creates all series of the model, so that counters exist, with zero, before the first operation.
func newObserver(m *core.Model, v *vectors) *observer {
	o := &observer{
		model: m, attempts: v.attempts, tx: v.series(core.Tx, ""),
		series: make([][]*series, len(m.Resources())),
	}
	for _, r := range m.Resources() {
		byKind := make([]*series, slices.Max(core.Kinds())+1)
		for _, k := range core.Kinds() {
			if k != core.Tx {
				byKind[k] = v.series(k, r.Name())
			}
		}
		o.series[r.Index()] = byKind
	}
	return o
}

// of returns the series of an operation, or nil if an outer decorator has set an invalid kind or resource. The store
// rejects such an operation.
func (o *observer) of(kind core.Kind, r *core.Resource) *series {
	switch {
	case kind == core.Tx:
		return o.tx
	case r == nil || r.Model() != o.model || int(kind) >= len(o.series[r.Index()]):
		return nil
	}
	return o.series[r.Index()][kind]
}

// Begin implements [core.Observer].
func (o *observer) Begin(_ context.Context, kind core.Kind, r *core.Resource) (context.Context, bool) {
	if s := o.of(kind, r); s != nil {
		s.inFlight.Inc()
	}
	return nil, true
}

// End implements [core.Observer].
func (o *observer) End(ctx context.Context, event *core.Event) {
	s := o.of(event.Kind, event.Resource)
	if s == nil {
		return
	}
	s.inFlight.Dec()
	outcome := core.OutcomeOf(event.Err)
	s.outcomes[outcome].Inc()
	if outcome.Failure() {
		s.failures.Inc()
	}
	switch {
	case event.Err != nil:
	case event.Kind == core.Tx:
		o.attempts.Observe(float64(event.Attempt))
	case event.Kind == core.Delete:
		s.rows.Add(float64(len(event.Keys)))
	case event.Kind == core.NextID:
		s.rows.Add(float64(len(event.Result.Keys)))
	case event.Kind == core.Aggregate:
		s.rows.Add(float64(len(event.Result.Groups)))
	default:
		s.rows.Add(float64(len(event.Result.Records)))
	}
	observe(core.TraceIDOf(ctx), s.duration, event.Took.Seconds())
}

// observe adds a duration to the histogram, with the trace as its exemplar if there is one.
func observe(trace string, duration prometheus.Observer, seconds float64) {
	if !fits(trace) {
		duration.Observe(seconds)
		return
	}
	duration.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{traceLabel: trace})
}

const traceLabel = "trace_id"

// fits reports whether the id of a trace can be an exemplar. OpenMetrics limits the labels of an exemplar to 128
// characters; the client library panics above that.
func fits(id string) bool {
	return id != "" && utf8.ValidString(id) && len(traceLabel)+utf8.RuneCountInString(id) <= prometheus.ExemplarMaxRunes
}
