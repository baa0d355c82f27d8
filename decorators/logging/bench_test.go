package logging_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/logging"
)

// BenchmarkGet compares the time that the decorator adds to a get from memory with the time that the same log, written by
// hand, adds to a get from a Go map. At info no line is written, at debug a line of JSON.
func BenchmarkGet(b *testing.B) {
	for _, level := range []zapcore.Level{zapcore.InfoLevel, zapcore.DebugLevel} {
		b.Run(level.String(), func(b *testing.B) {
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(io.Discard), level))
			bare, logged := getter(b), getter(b, logging.New(logger, logging.Options{}))
			get, byHand := byHand(b, logger)
			against(b, get, byHand, bare, logged)
		})
	}
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

// byHand returns a get from a map, and the same get with an equivalent line.
func byHand(b *testing.B, logger *zap.Logger) (bare, logged func()) {
	b.Helper()
	var mu sync.RWMutex
	records := map[core.Value]core.Record{core.IntValue(1): {}}
	get := func(context.Context) (core.Record, bool) {
		mu.RLock()
		defer mu.RUnlock()
		rec, ok := records[core.IntValue(1)]
		return rec, ok
	}
	ctx := b.Context()
	return func() { get(ctx) }, func() {
		begin := time.Now()
		get(ctx)
		took, level := time.Since(begin), zapcore.DebugLevel
		if took > time.Second {
			level = zapcore.WarnLevel
		}
		if line := logger.Check(level, "load cookie"); line != nil {
			line.Write(zap.String("kind", "load"), zap.String("resource", "cookie"), zap.String("outcome", "ok"),
				zap.Duration("duration", took), zap.Int("rows", 1), zap.Int("attempt", 1))
		}
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
