package metrics

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "larder"

// families are the metrics with all their series.
type families struct {
	operations *prometheus.CounterVec
	failures   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	rows       *prometheus.CounterVec
	inFlight   *prometheus.GaugeVec
	attempts   prometheus.Histogram
}

// What a native histogram resolves (a bucket is at most so many times as wide as
// the one before), and how much memory it may take for that.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
	nativeReset   = time.Hour
)

// register registers the metrics, or finds those that are registered already.
func register(to prometheus.Registerer, opts Options) (f families, err error) {
	labels := []string{"operation", "resource"}
	counter := func(name, help string, labels []string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: name, Help: help,
		}, labels)
	}
	buckets := opts.Buckets
	if buckets == nil {
		buckets = DefaultBuckets()
	}
	f = families{
		operations: counter("operations_total", "Operations that ended, by outcome.", append(labels, "outcome")),
		failures:   counter("operation_failures_total", "Operations that failed for no fault of the client.", labels),
		rows:       counter("operation_rows_total", "Records read or written, and keys handed out.", labels),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: "operation_duration_seconds",
			Help: "Time that operations took, waiting included.", Buckets: buckets,
			NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
			NativeHistogramMinResetDuration: nativeReset,
		}, labels),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: "operations_in_flight", Help: "Operations that run now.",
		}, labels),
		attempts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: opts.Subsystem, Name: "transaction_attempts",
			Help: "Attempts that transactions took to commit.", Buckets: []float64{1, 2, 3, 5, 10},
		}),
	}
	return f, errors.Join(
		ensure(to, &f.operations), ensure(to, &f.failures), ensure(to, &f.duration),
		ensure(to, &f.rows), ensure(to, &f.inFlight), ensure(to, &f.attempts),
	)
}

// ensure registers a metric, or replaces it by the one that is there already.
func ensure[C prometheus.Collector](to prometheus.Registerer, metric *C) error {
	err := to.Register(*metric)
	taken, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
	if !ok {
		return err
	}
	existing, ok := taken.ExistingCollector.(C)
	if !ok {
		return fmt.Errorf("%w: as a %T", err, taken.ExistingCollector)
	}
	*metric = existing
	return nil
}
