package logging_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/logging"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", APIName: "biscuit", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", APIName: "sort", Type: core.Text},
		{Name: "price", Type: core.Float},
		{Name: "sold", Type: core.Bool},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var cookie = model.Resource("cookie")

// open returns a store with a log at the level, and with other decorators inside it.
func open(t *testing.T, level zapcore.Level, opts logging.Options, inside ...core.Decorator) (*core.Store, *observer.ObservedLogs) {
	t.Helper()
	zapCore, logs := observer.New(level)
	decorators := append([]core.Decorator{logging.New(zap.New(zapCore), opts)}, inside...)
	store, err := core.New(t.Context(), model, memory.New(), decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, logs
}

// linesOf returns the lines since the last call: level, message, and the fields except the duration.
func linesOf(logs *observer.ObservedLogs) string {
	var b strings.Builder
	for _, entry := range logs.TakeAll() {
		fmt.Fprintf(&b, "%s %s:", entry.Level, entry.Message)
		content := entry.ContextMap()
		for _, f := range entry.Context {
			if f.Key != "duration" {
				fmt.Fprintf(&b, " %s=%v", f.Key, content[f.Key])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func expect(t *testing.T, logs *observer.ObservedLogs, want ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(linesOf(logs), "\n"), "\n")
	if len(want) == 0 {
		want = []string{""}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// failing returns a decorator that fails operations other than transactions while err is set.
func failing(err *error) core.Decorator {
	return core.Decorator{Name: "failing", Kind: core.KindAnswer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if *err != nil && op.Kind != core.Tx {
				return core.Result{}, *err
			}
			return next(ctx, op)
		}, nil
	}}
}

func record(t *testing.T, fields map[string]any) core.Record {
	t.Helper()
	rec, err := cookie.NewRecord(fields)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestOneLinePerOperationAndTransaction(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{})
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")})
	one, muffin := core.IntValue(1), record(t, map[string]any{"type": "muffin"})
	run := func(s core.Querier) {
		if _, err := s.Insert(ctx, cookie, muffin, muffin); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, cookie, one); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Select(ctx, cookie, core.Query{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Count(ctx, cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, cookie, record(t, map[string]any{"id": 1, "price": 2.5})); err != nil {
			t.Fatal(err)
		}
		if _, err := s.NextIDs(ctx, cookie, 5); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, cookie, one, core.IntValue(2)); err != nil {
			t.Fatal(err)
		}
	}
	lines := []string{
		"debug insert cookie: kind=insert resource=cookie outcome=ok rows=2 attempt=1 principal=alice",
		"debug load cookie: kind=load resource=cookie outcome=ok rows=1 attempt=1 principal=alice",
		"debug select cookie: kind=select resource=cookie outcome=ok rows=2 attempt=1 principal=alice",
		"debug count cookie: kind=count resource=cookie outcome=ok attempt=1 principal=alice",
		"debug update cookie: kind=update resource=cookie outcome=ok rows=1 attempt=1 principal=alice",
		"debug next_id cookie: kind=next_id resource=cookie outcome=ok rows=5 attempt=1 principal=alice",
		"debug delete cookie: kind=delete resource=cookie outcome=ok rows=2 attempt=1 principal=alice",
	}
	run(store)
	expect(t, logs, lines...)

	store, logs = open(t, zapcore.DebugLevel, logging.Options{})
	if err := store.Tx(ctx, func(_ context.Context, tx *core.Transaction) error { run(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	expect(t, logs, append(lines, "debug transaction: kind=tx outcome=ok attempt=1 read_only=false principal=alice")...)
}

func TestDurationIncludesInnerDecorators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, logs := open(t, zapcore.DebugLevel, logging.Options{}, core.Decorator{
			Name: "sleepy", Kind: core.KindAnswer,
			Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					time.Sleep(100 * time.Millisecond) // of the synctest bubble
					defer time.Sleep(20 * time.Millisecond)
					return next(ctx, op)
				}, nil
			},
		})
		if _, err := store.Count(t.Context(), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		if got := logs.All()[0].ContextMap()["duration"]; got != 120*time.Millisecond {
			t.Errorf("took %v", got)
		}
	})
}

func TestLevelFollowsTheOutcome(t *testing.T) {
	var err error
	store, logs := open(t, zapcore.DebugLevel, logging.Options{}, failing(&err))
	for _, c := range []struct {
		err  error
		want string
	}{
		{cookie.NotFound(core.IntValue(7)), "debug count cookie: kind=count resource=cookie outcome=not_found attempt=1 code=OBJECT_DOES_NOT_EXIST at=cookie"},
		{cookie.Field("type").AlreadyExists(), "debug count cookie: kind=count resource=cookie outcome=invalid attempt=1 code=CONFLICT at=cookie.type"},
		{core.Unauthorized, "info count cookie: kind=count resource=cookie outcome=denied attempt=1 code=UNAUTHORIZED"},
		{cookie.Forbidden(), "info count cookie: kind=count resource=cookie outcome=denied attempt=1 code=FORBIDDEN at=cookie"},
		{
			&core.Error{Code: core.Forbidden, Cause: errors.New("no rule is for it")},
			"info count cookie: kind=count resource=cookie outcome=denied attempt=1 code=FORBIDDEN cause=no rule is for it",
		},
		{context.Canceled, "debug count cookie: kind=count resource=cookie outcome=cancelled attempt=1 code=UNAVAILABLE"},
		{context.DeadlineExceeded, "error count cookie: kind=count resource=cookie outcome=unavailable attempt=1 code=UNAVAILABLE cause=context deadline exceeded"},
		{errors.New("disk full"), "error count cookie: kind=count resource=cookie outcome=failed attempt=1 code=SERVER_ERROR cause=disk full"},
		{&core.Error{Code: core.ServerError}, "error count cookie: kind=count resource=cookie outcome=failed attempt=1 code=SERVER_ERROR"},
	} {
		err = c.err
		if _, got := store.Count(t.Context(), cookie, core.All()); got == nil {
			t.Fatal("it did not fail")
		}
		expect(t, logs, c.want)
	}
}

func TestEachConflictingAttemptIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err, attempts := error(nil), 0
		store, logs := open(t, zapcore.DebugLevel, logging.Options{}, core.Decorator{
			Name: "conflicts", Kind: core.KindAnswer,
			Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					if attempts++; attempts < 3 {
						err = core.ErrConflict
						return core.Result{}, err
					}
					return next(ctx, op)
				}, nil
			},
		})
		if _, err := store.NextIDs(t.Context(), cookie, 1); err != nil {
			t.Fatal(err)
		}
		const conflict = " outcome=conflict rows=0 attempt=%d code=UNAVAILABLE cause=transaction conflicts with a concurrent one"
		expect(t, logs,
			fmt.Sprintf("warn next_id cookie: kind=next_id resource=cookie"+conflict, 1),
			fmt.Sprintf("warn next_id cookie: kind=next_id resource=cookie"+conflict, 2),
			"debug next_id cookie: kind=next_id resource=cookie outcome=ok rows=1 attempt=3")
		attempts = 1
		if err := store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(context.Context, *core.Transaction) error { return nil }); err != nil {
			t.Fatal(err)
		}
		expect(t, logs,
			"warn transaction: kind=tx outcome=conflict attempt=1 read_only=true code=UNAVAILABLE cause=transaction conflicts with a concurrent one",
			"debug transaction: kind=tx outcome=ok attempt=2 read_only=true")
	})
}

func TestSlowOperationIsAWarning(t *testing.T) {
	for _, c := range []struct {
		slow, takes time.Duration
		want        zapcore.Level
	}{
		{0, 999 * time.Millisecond, zapcore.DebugLevel},
		{0, time.Second, zapcore.WarnLevel},
		{time.Millisecond, time.Millisecond, zapcore.WarnLevel},
		{-1, time.Hour, zapcore.DebugLevel},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, logs := open(t, zapcore.DebugLevel, logging.Options{Slow: c.slow})
			_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error {
				time.Sleep(c.takes) // of the synctest bubble
				return nil
			})
			if got := logs.TakeAll()[0].Level; got != c.want {
				t.Errorf("%+v: got %v", c, got)
			}
		})
	}
}

func TestPanicIsLoggedAndContinues(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{})
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not continue")
			}
		}()
		_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { panic("boom") })
	}()
	expect(t, logs, "error transaction: kind=tx outcome=failed attempt=1 read_only=false code=SERVER_ERROR cause=operation was interrupted by a panic")
}

func TestInvalidOpIsLogged(t *testing.T) {
	cake := core.MustModel("other", core.ResourceSpec{Name: "cake", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}).Resource("cake")
	for name, c := range map[string]struct {
		change func(op *core.Op)
		line   string
	}{
		"no resource":  {func(op *core.Op) { op.Resource = nil }, "error count: kind=count outcome=failed attempt=1 code=SERVER_ERROR cause="},
		"other model":  {func(op *core.Op) { op.Resource = cake }, "error count: kind=count resource=cake outcome=failed attempt=1 code=SERVER_ERROR cause="},
		"unknown kind": {func(op *core.Op) { op.Kind = 99 }, "error kind(99): kind=kind(99) resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR cause="},
		"next kind":    {func(op *core.Op) { op.Kind = core.Restore + 1 }, "error kind(12): kind=kind(12) resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR cause="},
		"no kind":      {func(op *core.Op) { op.Kind = 0 }, "error kind(0): kind=kind(0) resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR cause="},
	} {
		t.Run(name, func(t *testing.T) {
			zapCore, logs := observer.New(zapcore.DebugLevel)
			outer := core.Decorator{Name: "outer", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					c.change(op)
					return next(ctx, op)
				}, nil
			}}
			store, err := core.New(t.Context(), model, memory.New(), outer, logging.New(zap.New(zapCore), logging.Options{Values: []string{"cookie.id"}}))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = store.Count(t.Context(), cookie, core.All())
			if got := linesOf(logs); !strings.HasPrefix(got, c.line) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestPrincipalDiffersFromSystemAndAnonymous(t *testing.T) {
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"anonymous":    {t.Context(), ""},
		"system":       {core.System(t.Context()), " system=true"},
		"named system": {core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("system")}), " principal=system"},
		"number":       {core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(7)}), " principal=7"},
	} {
		t.Run(name, func(t *testing.T) {
			const line = "debug count cookie: kind=count resource=cookie outcome=ok attempt=1"
			store, logs := open(t, zapcore.DebugLevel, logging.Options{})
			omitting, others := open(t, zapcore.DebugLevel, logging.Options{OmitPrincipal: true})
			for _, s := range []*core.Store{store, omitting} {
				if _, err := s.Count(c.ctx, cookie, core.All()); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, logs, line+c.want)
			expect(t, others, line)
		})
	}
}

func TestNumberAndStringAreTwoPrincipals(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{})
	for id, want := range map[core.Value]any{core.IntValue(7): int64(7), core.TextValue("7"): "7"} {
		if _, err := store.Count(core.WithPrincipal(t.Context(), &core.Principal{ID: id}), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		if got := logs.TakeAll()[0].ContextMap()["principal"]; got != want {
			t.Errorf("%T: got %T", want, got)
		}
	}
}

func TestLongPrincipalIsTruncated(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{})
	long := &core.Principal{ID: core.TextValue(strings.Repeat("x", 120_000))}
	if _, err := store.Count(core.WithPrincipal(t.Context(), long), cookie, core.All()); err != nil {
		t.Fatal(err)
	}
	if got, _ := logs.TakeAll()[0].ContextMap()["principal"].(string); len(got) < 256 || len(got) > 300 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestRequestIDIsLogged(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{})
	for id, want := range map[string]string{"": "", "r-1": " request_id=r-1", strings.Repeat("x", 1000): " request_id=" + strings.Repeat("x", 128)} {
		if _, err := store.Count(core.WithRequestID(t.Context(), id), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		expect(t, logs, "debug count cookie: kind=count resource=cookie outcome=ok attempt=1"+want)
	}
}

func TestDebugSamplingOmitsDebugLinesOnly(t *testing.T) {
	var err error
	halved, half := open(t, zapcore.DebugLevel, logging.Options{DebugSampling: 2})
	for range 7 {
		_, _ = halved.Count(t.Context(), cookie, core.All())
	}
	if got := half.Len(); got != 4 {
		t.Errorf("%d lines of 7, one in 2", got)
	}
	store, logs := open(t, zapcore.DebugLevel, logging.Options{DebugSampling: 3}, failing(&err))
	count := func(r *core.Resource, times int) {
		for range times {
			_, _ = store.Count(t.Context(), r, core.All())
		}
	}
	count(cookie, 7)
	count(model.Resource("jar"), 1) // each message is sampled separately
	if got := logs.FilterMessage("count cookie").Len(); got != 3 {
		t.Errorf("%d lines of 7", got)
	}
	if got := logs.FilterMessage("count jar").Len(); got != 1 {
		t.Errorf("%d lines of 1", got)
	}
	logs.TakeAll()
	err = core.Forbidden
	count(cookie, 5)
	if got := logs.Len(); got != 5 {
		t.Errorf("%d lines of 5 denied operations", got)
	}
}

func TestLevelOffAllocatesOnce(t *testing.T) {
	bare, err := core.New(t.Context(), model, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	store, logs := open(t, zapcore.InfoLevel, logging.Options{Values: []string{"cookie.type"}})
	allocations := func(s *core.Store) float64 {
		if _, err := s.Insert(t.Context(), cookie, record(t, nil)); err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1000, func() {
			if _, err := s.Get(t.Context(), cookie, core.IntValue(1)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if without, with := allocations(bare), allocations(store); with > without+1 { // the [core.Event]
		t.Errorf("%v allocations, %v without", with, without)
	}
	expect(t, logs)
}

// unread is a cause that fails the test when its text is built.
type unread struct{ *testing.T }

func (u unread) Error() string {
	u.T.Error("the text of the cause was built")
	return ""
}

func TestDeniedWithLevelOffAllocatesOnce(t *testing.T) {
	var err error
	bare, openErr := core.New(t.Context(), model, memory.New(), failing(&err))
	if openErr != nil {
		t.Fatal(openErr)
	}
	store, logs := open(t, zapcore.WarnLevel, logging.Options{}, failing(&err))
	err = &core.Error{Code: core.Forbidden, Cause: unread{t}}
	allocations := func(s *core.Store) float64 {
		return testing.AllocsPerRun(1000, func() { _, _ = s.Count(t.Context(), cookie, core.All()) })
	}
	if without, with := allocations(bare), allocations(store); with > without+1 { // the [core.Event]
		t.Errorf("%v allocations, %v without", with, without)
	}
	expect(t, logs)
}

func TestNopLoggerAddsNoObserver(t *testing.T) {
	w, err := logging.New(zap.NewNop(), logging.Options{}).Observe(model)
	if w != nil || err != nil {
		t.Errorf("got an observer: %v, %v", w, err)
	}
}

func TestInvalidOptionsAreRejected(t *testing.T) {
	logger := zap.NewExample()
	for want, d := range map[string]core.Decorator{
		`decorator "logging": the logger is nil; pass zap.NewNop() or slog.New(slog.DiscardHandler) to log nothing`:                                  logging.New(nil, logging.Options{}),
		`decorator "logging": option DebugSampling: -1 is negative; use 0 to write every line`:                                                       logging.New(logger, logging.Options{DebugSampling: -1}),
		`decorator "logging": option Values: "cake.id": the model has no resource "cake"; name a field as resource.field`:                            logging.New(logger, logging.Options{Values: []string{"cake.id"}}),
		`decorator "logging": option Values: "cookie": the resource has no stored field ""; name a field as resource.field`:                          logging.New(logger, logging.Options{Values: []string{"cookie"}}),
		`decorator "logging": option Values: "jar.cookies": the resource has no stored field "cookies"; name a field as resource.field`:              logging.New(logger, logging.Options{Values: []string{"jar.cookies"}}),
		`decorator "logging": option Values: "cookie.type, jar.id": the resource has no stored field "type, jar.id"; name a field as resource.field`: logging.New(logger, logging.Options{Values: []string{"cookie.type, jar.id"}}),
	} {
		if _, err := core.New(t.Context(), model, memory.New(), d); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDescriptionHasTheSettings(t *testing.T) {
	for want, d := range map[string]core.Decorator{
		"slow from 1s": logging.New(zap.NewExample(), logging.Options{}),
		"backend, never slow, with values of 1 fields": logging.New(zap.NewExample().Named("backend"), logging.Options{Slow: -1, Values: []string{"cookie.id"}}),
		"slow from 5ms": logging.New(zap.NewExample(), logging.Options{Slow: 5 * time.Millisecond}),
	} {
		if d.Note != want {
			t.Errorf("got %q, want %q", d.Note, want)
		}
	}
}
