package observertest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/observertest"
)

// alteringDecorators change operations or results.
var alteringDecorators = []struct {
	name   string
	says   string // text in the log of the kit
	meddle kittest.Handle
}{
	{"swallows an error", "the stack returned <nil>", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if errors.Is(err, core.NotFound) {
			return core.Result{}, nil
		}
		return res, err
	}},
	{"wraps an error", "the stack returned", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if err != nil {
			err = fmt.Errorf("%v: %w", op.Kind, err)
		}
		return res, err
	}},
	{"copies an error", "the stack returned", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if e, ok := errors.AsType[*core.Error](err); ok {
			same := *e
			err = &same
		}
		return res, err
	}},
	{"adds a limit", "the stack changed", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Select && op.Limit == 0 {
			op.Limit = 1000
		}
		return next(ctx, op)
	}},
	{"stamps changes", "the stack changed IfChanged", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Update {
			op.IfChanged = op.Resource.Columns()[1:2]
		}
		return next(ctx, op)
	}},
	{"makes a replacement an update", "the stack changed Reset", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Reset = nil
		return next(ctx, op)
	}},
	{"drops the records that the caller passed", "the stack changed Requested", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Requested = nil
		return next(ctx, op)
	}},
	{"removes the principal", "the stack changed", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Principal = nil
		return next(ctx, op)
	}},
	{"makes transactions read-only", "the stack changed that", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx && op.Tx.Attempt > 1 {
			op.Tx.ReadOnly = true
		}
		return next(ctx, op)
	}},
	{"repeats an operation", "arrives 2 times", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if errors.Is(err, core.Unavailable) {
			return next(ctx, op)
		}
		return res, err
	}},
	{"answers an operation", "arrives 0 times", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Count && op.Where.Kind() == core.FilterAll {
			return core.Result{}, nil
		}
		return next(ctx, op)
	}},
	{"recovers from a panic", "the backend returned: false", func(ctx context.Context, op *core.Op, next core.Handler) (res core.Result, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return next(ctx, op)
	}},
	{"truncates the result", "the stack returned", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind == core.Insert && len(res.Records) > 2 {
			res.Records = res.Records[:2]
		}
		return res, err
	}},
	{"changes a record of the result", "the stack returned", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		for i, rec := range res.Records {
			if op.Kind == core.Load {
				res.Records[i] = rec.With(1, core.Null)
			}
		}
		return res, err
	}},
	{"loses the context", "without the context", func(_ context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		return next(context.Background(), op)
	}},
}

func TestTransparentCatchesAlteringDecorators(t *testing.T) {
	for _, m := range alteringDecorators {
		t.Run(m.name, func(t *testing.T) {
			tr := watched(kittest.Decorator("meddler", core.KindPolicy, m.meddle))
			kittest.MustFail(t, kittest.Record(t, func(tb testing.TB) { observertest.TransparentEffects(tb, kittest.OpenNaive, tr) }), m.says)
		})
	}
}

// inexactJournals lack lines or have too many.
var inexactJournals = []struct {
	name  string
	write func(j *kittest.Journal) kittest.Handle
}{
	{"writes twice", func(j *kittest.Journal) kittest.Handle {
		return func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Delete {
				j.Line("delete", 0, nil)
			}
			return next(ctx, op)
		}
	}},
	{"omits transactions", func(j *kittest.Journal) kittest.Handle {
		return dropping(j, func(op *core.Op, _ error) bool { return op.Kind == core.Tx })
	}},
	{"omits failures", func(j *kittest.Journal) kittest.Handle {
		return dropping(j, func(_ *core.Op, err error) bool { return err != nil })
	}},
	{"omits operations in transactions", func(j *kittest.Journal) kittest.Handle {
		return dropping(j, func(op *core.Op, _ error) bool { return op.Kind != core.Tx && op.Tx != nil })
	}},
	{"omits the second attempt", func(j *kittest.Journal) kittest.Handle {
		return dropping(j, func(op *core.Op, _ error) bool { return op.Tx != nil && op.Tx.Attempt == 2 })
	}},
}

// dropping removes the last line after some ops.
func dropping(j *kittest.Journal, drops func(op *core.Op, err error) bool) kittest.Handle {
	return func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if drops(op, err) {
			j.Drop()
		}
		return res, err
	}
}

func TestTransparentCatchesInexactJournals(t *testing.T) {
	for _, c := range inexactJournals {
		t.Run(c.name, func(t *testing.T) {
			tr := observertest.Transparency{Stack: func(testing.TB) observertest.ObservedStack {
				j := new(kittest.Journal)
				return observertest.ObservedStack{
					Decorators: []core.Decorator{kittest.Decorator("chronicler", core.KindPolicy, c.write(j)), j.Decorator()},
					Check:      checks(j),
				}
			}}
			kittest.MustFail(t, kittest.Record(t, func(tb testing.TB) { observertest.TransparentEffects(tb, kittest.OpenNaive, tr) }), "the journal says")
		})
	}
}

func TestBackendKitRunsWithMonitor(t *testing.T) {
	tr := watched(kittest.Decorator("meddler", core.KindPolicy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Order = nil // nil means ascending keys, as before
		return next(ctx, op)
	}))
	all := storetest.Cases()
	c := all[slices.IndexFunc(all, func(c storetest.Case) bool { return c.Name == "select without filter returns all by key" })]
	kittest.MustFail(t, kittest.Record(t, func(tb testing.TB) { c.Check(tb, kittest.OpenNaive, tr.Around()) }), "the stack changed")
}

func TestTransparentNeedsAStack(t *testing.T) {
	r := kittest.Record(t, func(tb testing.TB) {
		observertest.TransparentEffects(tb, kittest.OpenNaive, observertest.Transparency{})
	})
	kittest.MustFail(t, r, "needs a Stack")
}

// TestMain sets rapid up for stacks that are meant to fail: failures are neither shrunk nor kept in files.
func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// forgetful is an observer whose context lacks the values of the one that it got.
type forgetful struct{}

func (forgetful) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return context.Background(), true
}
func (forgetful) End(context.Context, *core.Event) {}

func TestTransparentCatchesAnObserverThatLosesTheContext(t *testing.T) {
	tr := watched(core.Decorator{Name: "forgetful", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return forgetful{}, nil }})
	kittest.MustFail(t, kittest.Record(t, func(tb testing.TB) { observertest.TransparentEffects(tb, kittest.OpenNaive, tr) }), "without the context")
}
