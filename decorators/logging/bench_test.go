package logging_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/logging"
)

// BenchmarkGet compares the time that the decorator adds to a get from memory with the time that the same log, written by
// hand with zap, adds to a get from a Go map. At info no line is written, at debug a line of JSON.
func BenchmarkGet(b *testing.B) {
	for _, level := range []zapcore.Level{zapcore.InfoLevel, zapcore.DebugLevel} {
		b.Run("slog "+level.String(), func(b *testing.B) {
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			get, byHand := byHand(b, zap.New(zapcore.NewCore(encoder, zapcore.AddSync(io.Discard), level)))
			logger := slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.Level(4 * level)}))
			bare, logged := costtest.Getter(b.Context(), b, memory.New()), costtest.Getter(b.Context(), b, memory.New(), logging.NewSlog(logger, logging.Options{}))
			costtest.Against(b, get, byHand, bare, logged)
		})
		b.Run(level.String(), func(b *testing.B) {
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(io.Discard), level))
			bare, logged := costtest.Getter(b.Context(), b, memory.New()), costtest.Getter(b.Context(), b, memory.New(), logging.New(logger, logging.Options{}))
			get, byHand := byHand(b, logger)
			costtest.Against(b, get, byHand, bare, logged)
		})
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
