package metrics

import (
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/larder-go/larder/core"
)

const namespace = "larder"

// families are the metrics of a registerer, with all their series: one collector.
//
// Counters and histograms of the client library's would do the same. They are an object
// each, and the native histogram looks its buckets up in a map; the lines of memory so
// touched cost more than the counting.
type families struct {
	operations, failures, duration, rows, inFlight *prometheus.Desc

	attempts prometheus.Histogram
	bounds   *bounds

	mu      sync.Mutex
	series  map[key]*series
	metrics []prometheus.Metric
}

// key tells series apart.
type key struct {
	kind     core.Kind
	resource string // "" for transactions
}

func newFamilies(opts Options) *families {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, opts.Subsystem, name), help, labels, nil)
	}
	return &families{
		operations: desc("operations_total", "Operations that ended, by outcome.", "operation", "resource", "outcome"),
		failures:   desc("operation_failures_total", "Operations that failed for no fault of the client.", "operation", "resource"),
		duration:   desc("operation_duration_seconds", "Time that operations took, waiting included.", "operation", "resource"),
		rows:       desc("operation_rows_total", "Records read or written, and keys handed out.", "operation", "resource"),
		inFlight:   desc("operations_in_flight", "Operations that run now.", "operation", "resource"),
		attempts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: "transaction_attempts",
			Help: "Attempts that transactions took to commit.", Buckets: []float64{1, 2, 3, 5, 10},
		}),
		bounds: newBounds(opts.Buckets), series: make(map[key]*series),
	}
}

// register registers the metrics, or finds those that are registered already.
func register(to prometheus.Registerer, opts Options) (*families, error) {
	f := newFamilies(opts)
	err := to.Register(f)
	taken, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
	if !ok {
		return f, err
	}
	existing, ok := taken.ExistingCollector.(*families)
	if !ok {
		return nil, err
	}
	if !existing.bounds.same(f.bounds) {
		return nil, errors.New("option Buckets: the registerer has these metrics with other buckets")
	}
	return existing, nil
}

// Describe implements [prometheus.Collector].
func (f *families) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{f.operations, f.failures, f.duration, f.rows, f.inFlight} {
		to <- desc
	}
	f.attempts.Describe(to)
}

// Collect implements [prometheus.Collector].
func (f *families) Collect(to chan<- prometheus.Metric) {
	f.mu.Lock()
	metrics := f.metrics // grows at its end
	f.mu.Unlock()
	for _, m := range metrics {
		to <- m
	}
	f.attempts.Collect(to)
}

// of returns series, with a metric for each, and makes them if there are none yet.
func (f *families) of(k core.Kind, resource string) *series {
	if s := f.series[key{k, resource}]; s != nil {
		return s
	}
	s := newSeries(f.bounds)
	f.series[key{k, resource}] = s
	add := func(desc *prometheus.Desc, fill fill, further ...string) {
		labels := prometheus.MakeLabelPairs(desc, append([]string{k.String(), resource}, further...))
		f.metrics = append(f.metrics, &metric{desc, labels, fill})
	}
	for _, o := range core.Outcomes() {
		add(f.operations, counts(s.created, s.outcomes[o].Load), o.String())
	}
	add(f.failures, counts(s.created, s.failures))
	add(f.duration, func(m *dto.Metric) { m.Histogram = s.histogram() })
	add(f.inFlight, func(m *dto.Metric) { m.Gauge = &dto.Gauge{Value: new(float64(s.inFlight.Load()))} })
	if k != core.Tx {
		add(f.rows, counts(s.created, s.rows.Load))
	}
	return s
}
