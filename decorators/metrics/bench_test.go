package metrics_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

// BenchmarkGet compares the time that the decorator adds to a get from memory with the time that the same five metrics,
// written by hand, add to a get from a Go map.
func BenchmarkGet(b *testing.B) {
	bare, measured := getter(b), getter(b, metrics.New(prometheus.NewRegistry(), metrics.Options{}))
	get, byHand := byHand(b)
	against(b, get, byHand, bare, measured)
}

// getter returns a function that reads the same record of a store each time.
func getter(b *testing.B, decorators ...core.Decorator) func() {
	b.Helper()
	store, err := core.New(b.Context(), model, memory.New(), decorators...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	if _, err := store.Insert(b.Context(), cookie, cookie.RecordOf(make([]core.Value, len(cookie.Columns())))); err != nil {
		b.Fatal(err)
	}
	ctx, key := b.Context(), core.IntValue(1)
	return func() {
		if _, err := store.Get(ctx, cookie, key); err != nil {
			b.Fatal(err)
		}
	}
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

// against times four functions in turn, so that they run under the same load, and reports the time that the second of each
// pair adds to the first: medians of many rounds.
func against(b *testing.B, floorBare, floor, oursBare, ours func()) {
	b.Helper()
	const round = 256
	do := []func(){floorBare, floor, oursBare, ours}
	times := make([][]float64, len(do))
	for b.Loop() {
		for i, f := range do {
			begin := time.Now()
			for range round {
				f()
			}
			times[i] = append(times[i], float64(time.Since(begin))/round)
		}
	}
	median := func(i int) float64 { slices.Sort(times[i]); return times[i][len(times[i])/2] }
	floorAdds, oursAdds := median(1)-median(0), median(3)-median(2)
	b.ReportMetric(floorAdds, "floor-adds-ns/op")
	b.ReportMetric(oursAdds, "adds-ns/op")
	b.ReportMetric(oursAdds/floorAdds, "x-floor")
	b.ReportMetric(testing.AllocsPerRun(1000, ours)-testing.AllocsPerRun(1000, oursBare), "adds-allocs/op")
	b.ReportMetric(0, "ns/op") // hides the time of a round
}
