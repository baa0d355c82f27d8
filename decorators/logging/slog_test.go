package logging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/decorators/logging"
)

// recording is a handler that keeps the records and the trace ids of their contexts.
type recording struct {
	level   slog.Level
	records []slog.Record
	traces  []string
}

func (h *recording) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }
func (h *recording) WithAttrs([]slog.Attr) slog.Handler               { return h }
func (h *recording) WithGroup(string) slog.Handler                    { return h }

func (h *recording) Handle(ctx context.Context, r slog.Record) error {
	h.records, h.traces = append(h.records, r), append(h.traces, core.TraceIDOf(ctx))
	return errors.New("the disk is full")
}

// take returns the lines since the last call in the form of linesOf.
func (h *recording) take() string {
	var b strings.Builder
	for _, r := range h.records {
		fmt.Fprintf(&b, "%s %s:", strings.ToLower(r.Level.String()), r.Message)
		r.Attrs(func(a slog.Attr) bool {
			if a.Key != "duration" {
				fmt.Fprintf(&b, " %s=%v", a.Key, a.Value.Any())
			}
			return true
		})
		b.WriteByte('\n')
	}
	h.records = nil
	return b.String()
}

func TestSlogHasTheLinesOfZap(t *testing.T) {
	for _, level := range []zapcore.Level{zapcore.DebugLevel, zapcore.InfoLevel, zapcore.WarnLevel, zapcore.ErrorLevel} {
		t.Run(level.String(), func(t *testing.T) {
			zapCore, lines := observer.New(level)
			handler := &recording{level: slog.Level(4 * level)}
			opts := logging.Options{Slow: -1, Values: []string{"cookie.id", "cookie.type", "cookie.sold"}}
			var fails error
			store, err := core.New(t.Context(), model, memory.New(),
				logging.New(zap.New(zapCore), opts), logging.NewSlog(slog.New(handler), opts), failing(&fails))
			if err != nil {
				t.Fatal(err)
			}
			ctx := core.WithTraceID(core.WithPrincipal(core.WithRequestID(t.Context(), "r-1"), &core.Principal{ID: core.IntValue(7)}), "t-1")
			for _, fails = range []error{nil, core.Forbidden, core.NotFound, errors.New("disk"), core.ErrClosed} {
				_, _ = store.Insert(ctx, cookie, record(t, map[string]any{"type": "muffin", "sold": true}))
				_, _ = store.Count(core.System(ctx), cookie, core.All())
				_ = store.TxWith(ctx, core.TxOptions{Attempts: 1, ReadOnly: true}, func(context.Context, *core.Transaction) error { return core.ErrConflict })
			}
			want := linesOf(lines)
			traces := len(handler.records)
			if got := handler.take(); got != want || want == "" && level < zapcore.ErrorLevel {
				t.Errorf("slog\n%s\nzap\n%s", got, want)
			}
			if !slices.Equal(handler.traces, slices.Repeat([]string{"t-1"}, traces)) || level == zapcore.DebugLevel && !strings.Contains(want, "request_id=r-1 trace_id=t-1") {
				t.Errorf("contexts of traces %q, lines\n%s", handler.traces, want)
			}
		})
	}
}

func TestTransparentWithSlog(t *testing.T) {
	observertest.TransparentEffects(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, observertest.Transparency{
		Options: storetest.Options{Checks: 10},
		Stack: func(testing.TB) observertest.ObservedStack {
			handler := &recording{level: slog.LevelDebug}
			return observertest.ObservedStack{
				Decorators: []core.Decorator{logging.NewSlog(slog.New(handler), logging.Options{})},
				Check: func(tb testing.TB, events []observertest.Event) {
					if lines := strings.Count(handler.take(), "\n"); lines != len(events) {
						tb.Errorf("%d lines for %d events", lines, len(events))
					}
				},
			}
		},
	})
}

func TestSlogWithoutOutput(t *testing.T) {
	if w, err := logging.NewSlog(slog.New(slog.DiscardHandler), logging.Options{}).Observe(model); w != nil || err != nil {
		t.Errorf("got an observer: %v, %v", w, err)
	}
	if _, err := core.New(t.Context(), model, memory.New(), logging.NewSlog(nil, logging.Options{})); err == nil || !strings.Contains(err.Error(), "the logger is nil") {
		t.Error(err)
	}
}

// A level that changes while the program runs has its effect.
func TestSlogLevelCanChange(t *testing.T) {
	var level slog.LevelVar
	var out bytes.Buffer
	level.Set(slog.LevelError + 1)
	store, err := core.New(t.Context(), model, memory.New(),
		logging.NewSlog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: &level})), logging.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = store.Count(t.Context(), cookie, core.All())
	level.Set(slog.LevelDebug)
	_ = store.Delete(t.Context(), cookie, core.IntValue(1))
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `msg="delete cookie" kind=delete resource=cookie outcome=not_found`) {
		t.Errorf("got %s", got)
	}
}

func ExampleNewSlog() {
	omit := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: omit}))
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), logging.NewSlog(logger, logging.Options{Values: []string{"cookie.type"}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin", "price": 2.5})
	_, _ = store.Insert(ctx, cookie, muffin)
	// Output:
	// {"level":"DEBUG","msg":"insert cookie","kind":"insert","resource":"cookie","outcome":"ok","rows":1,"attempt":1,"values":[{"type":"muffin"}]}
}
