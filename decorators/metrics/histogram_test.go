package metrics_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

// histogramOf returns what the registry tells of the durations of counts.
func histogramOf(tb testing.TB, from prometheus.Gatherer) *dto.Histogram {
	tb.Helper()
	families, err := from.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "larder_operation_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == "count" && m.GetLabel()[1].GetValue() == "cookie" {
				return m.GetHistogram()
			}
		}
	}
	tb.Fatal("there is none")
	return nil
}

// measure lets operations take so long, and returns what the registry then tells of
// them, and what a histogram of the client library's that saw the same does.
func measure(t *testing.T, classic []float64, factor float64, durations []time.Duration) (got, want *dto.Histogram) {
	t.Helper()
	theirs := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "seconds", Buckets: classic, NativeHistogramBucketFactor: factor})
	synctest.Test(t, func(t *testing.T) {
		var d time.Duration
		store, registry := open(t, metrics.Options{Buckets: classic}, around(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			time.Sleep(d) // of the synctest bubble
			return next(ctx, op)
		}))
		for _, d = range durations {
			if _, err := store.Count(t.Context(), cookie, core.All()); err != nil {
				t.Fatal(err)
			}
			theirs.Observe(d.Seconds())
		}
		got = histogramOf(t, registry)
	})
	var m dto.Metric
	if err := theirs.Write(&m); err != nil {
		t.Fatal(err)
	}
	got.CreatedTimestamp, m.Histogram.CreatedTimestamp = nil, nil
	return got, m.GetHistogram()
}

// spread returns durations that are spread evenly over some powers of two, from 1 on.
func spread(powers float64) (durations []time.Duration) {
	for range 2000 {
		durations = append(durations, time.Duration(math.Exp2(rand.Float64()*powers)))
	}
	return durations
}

func TestHistogramsAreThoseOfTheClientLibrary(t *testing.T) {
	const ms = float64(time.Millisecond)
	for name, classic := range map[string][]float64{
		"usual": metrics.DefaultBuckets(), "native alone": {}, "all": {-1, 0, 1e-9, 3e-9, .001, .5, 7, math.Inf(1)},
	} {
		t.Run(name, func(t *testing.T) {
			durations := append(spread(12), 0, time.Millisecond, time.Millisecond+1, time.Hour)
			for range 100 { // where buckets end
				at := time.Duration(ms * math.Exp2(float64(rand.IntN(8))/8))
				durations = append(durations, at-1, at, at+1)
			}
			got, want := measure(t, classic, 1.1, durations)
			if want.GetSchema() != 3 || len(want.GetPositiveDelta()) == 0 {
				t.Fatalf("the client library has schema %d", want.GetSchema())
			}
			if !proto.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestNativeHistogramWithTooManyBucketsIsToldCoarser(t *testing.T) {
	for _, c := range []struct{ powers, factor float64 }{{18, 1.2}, {32, 1.5}, {53, 2}} {
		got, want := measure(t, []float64{}, c.factor, spread(c.powers))
		if n := len(got.GetPositiveDelta()); n > 100 {
			t.Errorf("%d buckets", n)
		}
		if !proto.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	}
}

func TestScrapeAmidOperationsIsConsistentAndLosesNone(t *testing.T) {
	const clients, each = 8, 200
	store, registry := open(t, metrics.Options{})
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				_, _ = store.Count(t.Context(), cookie, core.All())
			}
		})
	}
	wg.Go(func() { // other stores come to share the metrics
		for i := range 20 {
			cake := core.ResourceSpec{Name: fmt.Sprint("cake", i), Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}
			if _, err := core.New(t.Context(), core.MustModel("cakes", cake), memory.New(), metrics.New(registry, metrics.Options{})); err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		h := histogramOf(t, registry)
		count, last := int64(h.GetZeroCount()), int64(0)
		for _, delta := range h.GetPositiveDelta() {
			last += delta
			count += last
		}
		if want := int64(h.GetSampleCount()); count != want {
			t.Fatalf("%d in native buckets, %d in all", count, want)
		}
	}
	expect(t, registry, map[string]float64{
		"operations_total count ok cookie": clients * each, "operation_duration_seconds count cookie": clients * each,
	})
}

func TestExemplarIsThatOfItsBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d time.Duration
		opts := metrics.Options{Buckets: []float64{1, 2}, TraceID: func(context.Context) string { return d.String() }}
		store, registry := open(t, opts, around(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			time.Sleep(d) // of the synctest bubble
			return next(ctx, op)
		}))
		for _, d = range []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second, 1500 * time.Millisecond, time.Hour} {
			if _, err := store.Count(t.Context(), cookie, core.All()); err != nil {
				t.Fatal(err)
			}
		}
		h := histogramOf(t, registry)
		for i, want := range []struct {
			upTo, value float64
			count       uint64
			id          string
		}{{1, 1, 2, "1s"}, {2, 1.5, 3, "1.5s"}, {math.Inf(1), 3600, 5, "1h0m0s"}} {
			b := h.GetBucket()[i]
			e := b.GetExemplar()
			if b.GetUpperBound() != want.upTo || b.GetCumulativeCount() != want.count ||
				e.GetValue() != want.value || e.GetLabel()[0].GetValue() != want.id || e.GetTimestamp().AsTime().IsZero() {
				t.Errorf("got %v, want %v", b, want)
			}
		}
	})
}

func TestExemplarsStandInTheNativeHistogramToo(t *testing.T) {
	for _, classic := range [][]float64{nil, {}} {
		store, registry := open(t, metrics.Options{Buckets: classic, TraceID: func(context.Context) string { return "4bf92f35" }})
		if _, err := store.Count(t.Context(), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		h := histogramOf(t, registry)
		if all := h.GetExemplars(); len(all) != 1 || all[0].GetLabel()[0].GetValue() != "4bf92f35" || all[0].GetValue() != h.GetSampleSum() {
			t.Errorf("got %v", h.GetExemplars())
		}
	}
}
