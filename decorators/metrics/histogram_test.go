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

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

// histogram is the gathered durations of the counts of cookies.
type histogram struct {
	count     uint64
	sum       float64
	buckets   []bucket // classic
	exemplars []exemplar
	schema    int32 // of the native histogram
	native    []int64
}

type bucket struct {
	upTo     float64
	count    uint64 // cumulative
	exemplar exemplar
}

type exemplar struct {
	label, id string
	value     float64
}

// histogramOf gathers the durations of the counts of cookies.
func histogramOf(tb testing.TB, from prometheus.Gatherer) (found histogram) {
	tb.Helper()
	families, err := from.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != "larder_operation_duration_seconds" || m.GetLabel()[0].GetValue() != "count" || m.GetLabel()[1].GetValue() != "cookie" {
				continue
			}
			h := m.GetHistogram()
			found = histogram{count: h.GetSampleCount(), sum: h.GetSampleSum(), schema: h.GetSchema(), native: []int64{int64(h.GetZeroCount())}}
			for _, b := range h.GetBucket() {
				of := bucket{upTo: b.GetUpperBound(), count: b.GetCumulativeCount()}
				if e := b.GetExemplar(); e != nil {
					of.exemplar = exemplar{e.GetLabel()[0].GetName(), e.GetLabel()[0].GetValue(), e.GetValue()}
				}
				found.buckets = append(found.buckets, of)
			}
			for _, e := range h.GetExemplars() {
				found.exemplars = append(found.exemplars, exemplar{e.GetLabel()[0].GetName(), e.GetLabel()[0].GetValue(), e.GetValue()})
			}
			last := int64(0)
			for _, delta := range h.GetPositiveDelta() {
				last += delta
				found.native = append(found.native, last)
			}
			return found
		}
	}
	tb.Fatal("no durations of the counts of cookies")
	return found
}

// measure counts cookies once for each duration, and returns the histogram. The id of an exemplar is the duration.
func measure(t *testing.T, buckets []float64, exemplars bool, durations ...time.Duration) (h histogram) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var d time.Duration
		opts := metrics.Options{Buckets: buckets}
		store, registry := open(t, opts, around(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			time.Sleep(d) // of the synctest bubble
			return next(ctx, op)
		}))
		for _, d = range durations {
			ctx := t.Context()
			if exemplars {
				ctx = core.WithTraceID(ctx, d.String())
			}
			if _, err := store.Count(ctx, cookie, core.All()); err != nil {
				t.Fatal(err)
			}
		}
		h = histogramOf(t, registry)
	})
	return h
}

func TestDurationsAreInBothHistograms(t *testing.T) {
	durations := []time.Duration{0, time.Millisecond, time.Millisecond + 1, 30 * time.Millisecond, time.Hour}
	for name, c := range map[string]struct{ given, want []float64 }{
		"default buckets": {nil, metrics.DefaultBuckets()},
		"own buckets":     {[]float64{-1, 0, 1e-9, .001, .5, 7}, []float64{-1, 0, 1e-9, .001, .5, 7}},
		"native only":     {[]float64{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := measure(t, c.given, false, durations...)
			if h.count != uint64(len(durations)) || math.Abs(h.sum-3600.032000001) > 1e-6 || h.schema != 3 {
				t.Errorf("got %+v", h)
			}
			if len(h.buckets) != len(c.want) {
				t.Fatalf("got classic buckets %v", h.buckets)
			}
			for i, upTo := range c.want {
				n := uint64(0)
				for _, d := range durations {
					if d.Seconds() <= upTo {
						n++
					}
				}
				if b := h.buckets[i]; b.upTo != upTo || b.count != n {
					t.Errorf("got %+v, want %d up to %v", b, n, upTo)
				}
			}
		})
	}
}

func TestNativeHistogramHasAtMost100Buckets(t *testing.T) {
	for _, powers := range []float64{18, 32, 53} {
		var durations []time.Duration
		for range 2000 {
			durations = append(durations, time.Duration(math.Exp2(rand.Float64()*powers)))
		}
		h := measure(t, []float64{}, false, durations...)
		count := int64(0)
		for _, n := range h.native {
			count += n
		}
		if len(h.native) > 1+100 || h.schema >= 3 || count != 2000 {
			t.Errorf("%v powers of two: schema %d, %d in %d buckets", powers, h.schema, count, len(h.native))
		}
	}
}

func TestScrapeDuringOperationsIsConsistent(t *testing.T) {
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
	wg.Go(func() { // other stores begin to share the metrics
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
		h, count := histogramOf(t, registry), int64(0)
		for _, n := range h.native {
			count += n
		}
		if want := int64(h.count); count != want {
			t.Fatalf("%d in native buckets, %d in all", count, want)
		}
	}
	expect(t, registry, map[string]float64{
		"operations_total count ok cookie": clients * each, "operation_duration_seconds count cookie": clients * each,
	})
}

func TestExemplarIsInTheBucketOfItsDuration(t *testing.T) {
	h := measure(t, []float64{1, 2}, true,
		300*time.Millisecond, time.Second, 3*time.Second, 1500*time.Millisecond, time.Hour)
	for i, want := range []bucket{
		{1, 2, exemplar{"trace_id", "1s", 1}}, {2, 3, exemplar{"trace_id", "1.5s", 1.5}}, {math.Inf(1), 5, exemplar{"trace_id", "1h0m0s", 3600}},
	} {
		if h.buckets[i] != want {
			t.Errorf("got %v, want %v", h.buckets[i], want)
		}
	}
}

func TestExemplarIsInTheNativeHistogram(t *testing.T) {
	for name, classic := range map[string][]float64{"with classic": nil, "native only": {}} {
		t.Run(name, func(t *testing.T) {
			h := measure(t, classic, true, time.Second)
			if len(h.exemplars) != 1 || h.exemplars[0] != (exemplar{"trace_id", "1s", 1}) {
				t.Errorf("got %v", h.exemplars)
			}
		})
	}
}
