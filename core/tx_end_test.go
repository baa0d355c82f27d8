package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// mistakes is an error that cannot be compared with ==, as those of validation
// libraries.
type mistakes []string

func (m mistakes) Error() string { return strings.Join(m, ", ") }

func TestErrorOfTheFunctionComesBackAsItIsEvenIfItCannotBeCompared(t *testing.T) {
	s := open(t)
	err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return mistakes{"a", "b"} })
	if got, ok := err.(mistakes); !ok || len(got) != 2 { //nolint:errorlint // as it is
		t.Errorf("got %T: %v", err, err)
	}
}

func TestDecoratorsSeeTheErrorOfTheFunction(t *testing.T) {
	own := errors.New("changed my mind")
	var seen error
	s := open(t, watch("see", func(*core.Op) {}, func(_ *core.Op, err error) { seen = err }))
	_ = s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return own })
	if !errors.Is(seen, own) || seen.Error() != own.Error() {
		t.Errorf("got %v", seen)
	}
}

func TestErrorOfTheFunctionIsNotLostInADecorator(t *testing.T) {
	s := open(t, core.Decorator{Name: "calm", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, _ := next(ctx, op)
			return res, nil
		}, nil
	}})
	own := errors.New("changed my mind")
	if err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return own }); !errors.Is(err, own) {
		t.Errorf("rolled back, and got %v", err)
	}
}

func TestADecoratorMayAnswerATransactionWithAnErrorOfItsOwn(t *testing.T) {
	s := open(t, around("strict", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if res, err := next(ctx, op); err == nil {
			return res, nil
		}
		return core.Result{}, core.Forbidden
	}))
	err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return errors.New("changed my mind") })
	if !errors.Is(err, core.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestNothingUndoesATransactionAfterItsFinalOperation(t *testing.T) {
	own := errors.New("too late")
	for name, end := range map[string]func() error{
		"error":    func() error { return own },
		"conflict": func() error { return errors.Join(own, core.ErrConflict) }, // of another store, say
		"panic":    func() error { panic(own) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			r := s.Model().Resource("cookie")
			hooks := 0
			defer func() {
				if got := recover(); (got != nil) != (name == "panic") {
					t.Errorf("recovered %v", got)
				}
				if n, err := s.Count(t.Context(), r, core.All()); n != 1 || err != nil || hooks != 1 {
					t.Errorf("%d records, %d hooks, %v", n, hooks, err)
				}
			}()
			err := s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				tx.AfterCommit(func(context.Context) { hooks++ })
				insert(t, tx.Final(), r, map[string]any{"type": "muffin"})
				return end()
			})
			if !errors.Is(err, own) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFinalOperationFailsWithWhatTheCommitFailsWith(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	var final error
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		_, final = tx.Final().Insert(ctx, r, cookie(t, s.Model(), map[string]any{"jar": 9}))
		return nil
	})
	if !errors.Is(final, core.NotFound) || !errors.Is(err, core.NotFound) {
		t.Errorf("operation: %v, transaction: %v", final, err)
	}
}

func TestTransactionOfUnknownOutcomeIsNotRepeatedWhateverTheFunctionReturns(t *testing.T) {
	for name, result := range map[string]func(error) error{
		"both":     func(err error) error { return errors.Join(err, core.ErrConflict) },
		"nothing":  func(error) error { return nil },
		"conflict": func(error) error { return core.ErrConflict },
	} {
		b := &flaky{Backend: memory.New(), failures: 1, with: core.ErrCommitUnknown}
		s := openOn(t, b)
		r := s.Model().Resource("cookie")
		calls := 0
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			calls++
			return result(second(tx.Final().NextIDs(ctx, r, 1)))
		})
		if calls != 1 || b.begun != b.ended || err == nil || name != "conflict" && !errors.Is(err, core.ErrCommitUnknown) {
			t.Errorf("%s: %d calls, %d begun, %d ended, %v", name, calls, b.begun, b.ended, err)
		}
	}
}

func TestHookThatPanicsDoesNotKeepTheOthersFromRunning(t *testing.T) {
	s := open(t)
	var ran []string
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not go on")
			}
		}()
		_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
			tx.AfterCommit(func(context.Context) {
				ran = append(ran, "first")
				tx.AfterCommit(func(context.Context) { ran = append(ran, "of a hook") })
			})
			tx.AfterCommit(func(context.Context) { panic("boom") })
			tx.AfterCommit(func(context.Context) { ran = append(ran, "last") })
			return nil
		})
	}()
	if got := fmt.Sprint(ran); got != "[first last of a hook]" {
		t.Errorf("ran %s", got)
	}
}

func TestTransactionThatADecoratorRepeatsStartsWithoutHooks(t *testing.T) {
	s := open(t, core.Decorator{Name: "stubborn", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if _, err := next(ctx, op); err == nil {
				return core.Result{}, nil
			}
			return next(ctx, op)
		}, nil
	}})
	var ran []int
	try := 0
	err := s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		try++
		n := try
		tx.AfterCommit(func(context.Context) { ran = append(ran, n) })
		if n == 1 {
			return errors.New("once more")
		}
		return nil
	})
	if got := fmt.Sprint(ran); got != "[2]" || err != nil {
		t.Errorf("ran %s, %v", got, err)
	}
}

func TestRepeatingThatEndsWithTheContextSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &flaky{Backend: memory.New(), failures: 1 << 30, with: core.ErrConflict}
		s := openOn(t, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		tx := s.TxWith(ctx, core.TxOptions{Attempts: 1 << 30}, func(context.Context, *core.Transaction) error {
			time.Sleep(time.Second) // of the synctest bubble
			return nil
		})
		ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		_, single := s.NextIDs(ctx, s.Model().Resource("cookie"), 1)
		for name, err := range map[string]error{"transaction": tx, "single operation": single} {
			if !errors.Is(err, core.ErrConflict) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, core.Unavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}
