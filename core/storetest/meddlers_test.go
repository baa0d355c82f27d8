package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// meddlers are decorators that should change nothing, and do.
var meddlers = []struct {
	name   string
	says   string // what the kit says
	meddle handle
}{
	{"swallows an error", "comes out as <nil>", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if errors.Is(err, core.NotFound) {
			return core.Result{}, nil
		}
		return res, err
	}},
	{"wraps an error", "comes out as", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if err != nil {
			err = fmt.Errorf("%v: %w", op.Kind, err)
		}
		return res, err
	}},
	{"makes an equal error anew", "comes out as", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if e, ok := errors.AsType[*core.Error](err); ok {
			same := *e
			err = &same
		}
		return res, err
	}},
	{"limits what is read", "is changed on its way", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Select && op.Limit == 0 {
			op.Limit = 1000
		}
		return next(ctx, op)
	}},
	{"forgets the principal", "is changed on its way", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Principal = nil
		return next(ctx, op)
	}},
	{"has every transaction read only", "arrives in another", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx && op.Tx.Attempt > 1 {
			op.Tx.ReadOnly = true
		}
		return next(ctx, op)
	}},
	{"tries again", "arrives 2 times", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if errors.Is(err, core.Unavailable) {
			return next(ctx, op)
		}
		return res, err
	}},
	{"answers itself", "arrives 0 times", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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
	{"cuts the result", "comes out as", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind == core.Insert && len(res.Records) > 2 {
			res.Records = res.Records[:2]
		}
		return res, err
	}},
	{"changes a record of the result", "comes out as", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
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

func TestTransparentCatchesWhoMeddles(t *testing.T) {
	for _, m := range meddlers {
		t.Run(m.name, func(t *testing.T) {
			tr := watched(layered("meddler", core.KindPolicy, m.meddle))
			mustSay(t, record(t, func(tb testing.TB) { storetest.TransparentEffects(tb, naively, tr) }), m.says)
		})
	}
}

// chroniclers keep a journal that is not exact.
var chroniclers = []struct {
	name  string
	write func(j *journal) handle
}{
	{"writes twice", func(j *journal) handle {
		return func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Delete {
				j.line("delete", 0, nil)
			}
			return next(ctx, op)
		}
	}},
	{"forgets transactions", func(j *journal) handle {
		return j.dropping(func(op *core.Op, _ error) bool { return op.Kind == core.Tx })
	}},
	{"forgets failures", func(j *journal) handle { return j.dropping(func(_ *core.Op, err error) bool { return err != nil }) }},
	{"forgets operations in transactions", func(j *journal) handle {
		return j.dropping(func(op *core.Op, _ error) bool { return op.Kind != core.Tx && op.Tx != nil })
	}},
	{"forgets the second attempt", func(j *journal) handle {
		return j.dropping(func(op *core.Op, _ error) bool { return op.Tx != nil && op.Tx.Attempt == 2 })
	}},
}

// dropping forgets the last line of some ops.
func (j *journal) dropping(drops func(op *core.Op, err error) bool) handle {
	return func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if drops(op, err) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.lines = j.lines[:len(j.lines)-1]
		}
		return res, err
	}
}

func TestTransparentHandsOverWhatSideEffectsHaveToBe(t *testing.T) {
	for _, c := range chroniclers {
		t.Run(c.name, func(t *testing.T) {
			tr := storetest.Transparency{Stack: func(testing.TB) storetest.ObservedStack {
				j := new(journal)
				return storetest.ObservedStack{
					Decorators: []core.Decorator{layered("chronicler", core.KindPolicy, c.write(j)), j.observing()},
					Check:      j.check,
				}
			}}
			mustSay(t, record(t, func(tb testing.TB) { storetest.TransparentEffects(tb, naively, tr) }), "the journal says")
		})
	}
}

func mustSay(t *testing.T, r *recorder, what string) {
	t.Helper()
	if log := r.log.String(); !r.failed || !strings.Contains(log, what) {
		t.Errorf("failed %v, and does not say %q:\n%s", r.failed, what, log)
	}
}

func TestTheWholeKitForBackendsIsWatched(t *testing.T) {
	tr := watched(layered("meddler", core.KindPolicy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.Order = nil // which is ascending keys, as it was
		return next(ctx, op)
	}))
	c := caseNamed(t, "select without condition returns all by key")
	mustSay(t, record(t, func(tb testing.TB) { c.Check(tb, naively, tr.Around()) }), "is changed on its way")
}
