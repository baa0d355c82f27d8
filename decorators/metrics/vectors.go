package metrics

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

const namespace = "larder"

// vectors are the metrics of one subsystem. They are one collector, so that a registerer accepts or rejects all of
// them at once.
type vectors struct {
	operations, failures, rows *prometheus.CounterVec
	inFlight                   *prometheus.GaugeVec
	duration                   *prometheus.HistogramVec
	attempts                   prometheus.Histogram

	buckets []float64 // of duration
}

// newVectors returns vectors without any series.
func newVectors(opts Options) *vectors {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: name, Help: help,
		}, labels)
	}
	v := &vectors{buckets: slices.Clone(opts.Buckets)}
	if v.buckets == nil {
		v.buckets = DefaultBuckets()
	}
	v.operations = counter("operations_total", "Operations that ended, by outcome.", "operation", "resource", "outcome")
	v.failures = counter("operation_failures_total", "Operations that failed for no fault of the client.", "operation", "resource")
	v.rows = counter("operation_rows_total", "Records read or written, and keys generated.", "operation", "resource")
	v.inFlight = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Subsystem: opts.Subsystem, Name: "operations_in_flight", Help: "Operations that run now.",
	}, []string{"operation", "resource"})
	v.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: opts.Subsystem, Name: "operation_duration_seconds",
		Help: "Time that operations took, waiting included.", Buckets: v.buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
	}, []string{"operation", "resource"})
	v.attempts = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: opts.Subsystem, Name: "transaction_attempts",
		Help: "Attempts that transactions took to commit.", Buckets: []float64{1, 2, 3, 5, 10},
	})
	return v
}

// register registers new vectors and returns them, or returns the vectors that the registerer already has.
func register(registerer prometheus.Registerer, opts Options) (*vectors, error) {
	v := newVectors(opts)
	err := registerer.Register(v)
	already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
	if !ok {
		return v, err
	}
	existing, ok := already.ExistingCollector.(*vectors)
	if !ok {
		return nil, err
	}
	if !slices.Equal(existing.buckets, v.buckets) {
		return nil, errors.New("option Buckets: the registerer has these metrics with other buckets; use the same buckets or another registerer")
	}
	return existing, nil
}

func (v *vectors) collectors() []prometheus.Collector {
	return []prometheus.Collector{v.operations, v.failures, v.rows, v.inFlight, v.duration, v.attempts}
}

// Describe implements [prometheus.Collector].
func (v *vectors) Describe(to chan<- *prometheus.Desc) {
	for _, c := range v.collectors() {
		c.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (v *vectors) Collect(to chan<- prometheus.Metric) {
	for _, c := range v.collectors() {
		c.Collect(to)
	}
}

// series are the metrics of one kind of operation on one resource.
type series struct {
	inFlight       prometheus.Gauge
	outcomes       []prometheus.Counter // by [core.Outcome]
	failures, rows prometheus.Counter   // transactions have no rows
	duration       prometheus.Observer
}

// series returns the series of a kind and resource, and creates the missing ones. The resource of
// transactions is "".
func (v *vectors) series(k core.Kind, resource string) *series {
	s := &series{
		inFlight: v.inFlight.WithLabelValues(k.String(), resource),
		failures: v.failures.WithLabelValues(k.String(), resource),
		duration: v.duration.WithLabelValues(k.String(), resource),
	}
	for _, o := range core.Outcomes() {
		s.outcomes = append(s.outcomes, v.operations.WithLabelValues(k.String(), resource, o.String()))
	}
	if k != core.Tx {
		s.rows = v.rows.WithLabelValues(k.String(), resource)
	}
	return s
}
