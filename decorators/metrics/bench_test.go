package metrics_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/metrics"
)

// BenchmarkGet compares the time that the decorator adds to a get from memory with the time that the same five metrics,
// written by hand, add to a get from a Go map.
func BenchmarkGet(b *testing.B) {
	bare, measured := costtest.Getter(b.Context(), b, memory.New()), costtest.Getter(b.Context(), b, memory.New(), metrics.New(prometheus.NewRegistry(), metrics.Options{}))
	get, byHand := byHand(b)
	costtest.Against(b, get, byHand, bare, measured)
}

// byHand returns a get from a map, and the same get with the five metrics of an operation.
func byHand(b *testing.B) (bare, measured func()) {
	b.Helper()
	var mu sync.RWMutex
	records := map[core.Value]core.Record{core.IntValue(1): {}}
	get := func(context.Context) (core.Record, bool) {
		mu.RLock()
		defer mu.RUnlock()
		rec, ok := records[core.IntValue(1)]
		return rec, ok
	}
	labels := prometheus.Labels{"operation": "load", "resource": "cookie"}
	operations := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "operations_total"}, []string{"operation", "resource"}).With(labels)
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rows_total"}, []string{"operation", "resource"}).With(labels)
	inFlight := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "in_flight"}, []string{"operation", "resource"}).With(labels)
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "seconds", Buckets: metrics.DefaultBuckets(), NativeHistogramBucketFactor: 1.1,
	}, []string{"operation", "resource"}).With(labels)
	ctx := b.Context()
	return func() { get(ctx) }, func() {
		inFlight.Inc()
		begin := time.Now()
		if _, ok := get(ctx); ok {
			operations.Inc()
			rows.Inc()
		}
		duration.Observe(time.Since(begin).Seconds())
		inFlight.Dec()
	}
}
