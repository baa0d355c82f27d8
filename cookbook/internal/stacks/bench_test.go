package stacks_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// measured is a set of decorators and what it is called.
type measured struct {
	name string
	with []core.Decorator
}

// sets are each decorator alone, all five, and the same five by hand. The log is at
// info, and a get that succeeds has nothing to log.
func sets() []measured {
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	one := []measured{
		{"logging", []core.Decorator{logging.New(logger, logging.Options{})}},
		{"metrics", []core.Decorator{metrics.New(prometheus.NewRegistry(), metrics.Options{})}},
		{"readonly", []core.Decorator{readonly.Resources(sealed)}},
		{"ownership", []core.Decorator{ownership.Field("owner")}},
		{"access", []core.Decorator{policy().Decorator()}},
	}
	var five []core.Decorator
	for _, m := range one {
		five = append(five, m.with...)
	}
	return append([]measured{{"none", nil}, {"by-hand", byHand(logger)}, {"five", five}}, one...)
}

// byHand are five layers that know one resource, one role and one kind.
func byHand(logger *zap.Logger) []core.Decorator {
	layer := func(name string, around func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
		return core.Decorator{Name: name, Layer: core.Policy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) { return around(ctx, op, next) }, nil
		}}
	}
	count := prometheus.NewCounter(prometheus.CounterOpts{Name: "gets_total"})
	seconds := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "seconds", NativeHistogramBucketFactor: 1.1})
	return []core.Decorator{
		layer("log", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			begun := time.Now()
			res, err := next(ctx, op)
			if line := logger.Check(zap.DebugLevel, "get"); line != nil {
				line.Write(zap.Duration("took", time.Since(begun)))
			}
			return res, err
		}),
		layer("count", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			begun := time.Now()
			res, err := next(ctx, op)
			count.Inc()
			seconds.Observe(time.Since(begun).Seconds())
			return res, err
		}),
		layer("seal", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind.Writes() && op.Resource != nil && op.Resource.Name() == sealed {
				return core.Result{}, core.ReadOnly
			}
			return next(ctx, op)
		}),
		layer("own", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Load && !op.Principal.IsSystem() {
				op.Guard(op.Resource.Field("owner").Equals(op.Principal.ID))
			}
			return next(ctx, op)
		}),
		layer("role", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if !op.Principal.IsSystem() && !op.Principal.HasRole("baker") {
				return core.Result{}, core.Forbidden
			}
			return next(ctx, op)
		}),
	}
}

// getter returns what reads one record of the principal's own.
func getter(b *testing.B, backend core.Backend, with []core.Decorator) func() {
	b.Helper()
	m := storetest.OwnedModel()
	store, err := core.New(b.Context(), m, backend, with...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	ctx := core.WithPrincipal(b.Context(), three()[0])
	jar := m.Resource("jar")
	var records []core.Record
	for id := range 1000 {
		rec, err := jar.NewRecord(map[string]any{"id": id, "owner": 1, "size": id})
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, rec)
	}
	if _, err := store.Insert(core.System(ctx), jar, records...); err != nil {
		b.Fatal(err)
	}
	n := int64(0)
	return func() {
		n = (n + 7) % 1000
		if _, err := store.Get(ctx, jar, core.IntValue(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetInMemory tells what each set adds to a get on memory. The sets take
// turns, and so run under the same load; times are medians of rounds.
func BenchmarkGetInMemory(b *testing.B) {
	all := sets()
	gets := make([]func(), len(all))
	for i, m := range all {
		gets[i] = getter(b, memory.New(), m.with)
	}
	times := rounds(b, gets, 256)
	for i, m := range all {
		if i == 0 {
			b.ReportMetric(times[0], "none-ns/op")
			continue
		}
		b.ReportMetric(times[i]-times[0], m.name+"-added-ns/op")
	}
	b.ReportMetric(testing.AllocsPerRun(1000, gets[2])-testing.AllocsPerRun(1000, gets[0]), "five-added-allocs/op")
}

// BenchmarkGetInPostgreSQL tells how a get through the five compares with one
// without.
func BenchmarkGetInPostgreSQL(b *testing.B) {
	gets := make([]func(), 2)
	for i, with := range [][]core.Decorator{nil, sets()[2].with} {
		backend, err := postgres.Open(b.Context(), pgtest.URL(b), pgtest.Schema(b), postgres.Options{Migrate: true})
		if err != nil {
			b.Fatal(err)
		}
		gets[i] = getter(b, backend, with)
	}
	times := rounds(b, gets, 8)
	b.ReportMetric(times[0]/1000, "none-µs/op")
	b.ReportMetric(times[1]/1000, "five-µs/op")
	b.ReportMetric(times[1]/times[0], "five/none")
}

// rounds lets the functions take turns and returns the medians of what a call took,
// in ns.
func rounds(b *testing.B, do []func(), calls int) []float64 {
	b.Helper()
	taken := make([][]float64, len(do))
	turn := 0
	for b.Loop() {
		for i := range do {
			// Who goes first is not always the same one.
			at := (i + turn) % len(do)
			begun := time.Now()
			for range calls {
				do[at]()
			}
			taken[at] = append(taken[at], float64(time.Since(begun))/float64(calls))
		}
		turn++
	}
	b.ReportMetric(0, "ns/op") // of all together: of no interest
	medians := make([]float64, len(do))
	for i, t := range taken {
		slices.Sort(t)
		medians[i] = t[len(t)/2]
	}
	return medians
}
