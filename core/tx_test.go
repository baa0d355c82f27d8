package core_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// flaky is a backend with commits that fail a given number of times.
type flaky struct {
	core.Backend

	failures int
	with     error
	begun    int
	ended    int
	final    int // operations
	locked   [][]string
	lockErr  error
}

type flakyTx struct {
	core.BackendTx

	of *flaky
}

func (f *flaky) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	f.begun++
	tx, err := f.Backend.Begin(ctx, opts)
	return &flakyTx{tx, f}, err
}

func (t *flakyTx) Lock(ctx context.Context, names []string) error {
	t.of.locked = append(t.of.locked, names)
	return errors.Join(t.of.lockErr, t.BackendTx.Lock(ctx, names))
}

func (t *flakyTx) see(op *core.Op) {
	if op.Final {
		t.of.final++
	}
}

func (t *flakyTx) Delete(ctx context.Context, op *core.Op) error {
	t.see(op)
	return t.BackendTx.Delete(ctx, op)
}

func (t *flakyTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	t.see(op)
	return t.BackendTx.NextIDs(ctx, op)
}

func (t *flakyTx) Commit(ctx context.Context) error {
	t.of.ended++
	if t.of.failures > 0 {
		t.of.failures--
		_ = t.BackendTx.Rollback(ctx)
		return fmt.Errorf("commit: %w", t.of.with)
	}
	return t.BackendTx.Commit(ctx)
}

func (t *flakyTx) Rollback(ctx context.Context) error {
	t.of.ended++
	return t.BackendTx.Rollback(ctx)
}

func TestTransactionThatConflictsIsRepeated(t *testing.T) {
	for _, c := range []struct {
		failures, attempts, want int
		fails                    bool
	}{
		{0, 0, 1, false}, {2, 0, 3, false}, {99, 0, core.DefaultAttempts, true}, {1, 1, 1, true}, {15, 16, 16, false}, {79, 80, 80, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &flaky{Backend: memory.New(), failures: c.failures, with: core.ErrConflict}
			s := openOn(t, b)
			var attempts []int
			see := func(ctx context.Context, tx *core.Transaction) error {
				attempts = append(attempts, len(attempts)+1)
				_, err := tx.NextIDs(ctx, s.Model().Resource("cookie"), 1)
				return err
			}
			err := s.TxWith(t.Context(), core.TxOptions{Attempts: c.attempts}, see)
			if len(attempts) != c.want || (err != nil) != c.fails || b.begun != b.ended {
				t.Errorf("%+v: %d attempts, %d begun, %d ended, %v", c, len(attempts), b.begun, b.ended, err)
			}
			if c.fails && (!errors.Is(err, core.ErrConflict) || !errors.Is(err, core.Unavailable)) {
				t.Errorf("%+v: %v is not an unavailable conflict", c, err)
			}
		})
	}
}

func TestEveryAttemptTakesTheLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}
		s := openOn(t, b)
		nothing := func(context.Context, *core.Transaction) error { return nil }
		names := []string{"b", "a", "b"}
		if err := s.TxWith(t.Context(), core.TxOptions{Locks: names}, nothing); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(b.locked); got != "[[a b] [a b] [a b]]" || names[0] != "b" {
			t.Errorf("locked %s, from %v", got, names)
		}
		b.locked = nil
		for _, opts := range []core.TxOptions{{}, {ReadOnly: true, Locks: names}} {
			if err := s.TxWith(t.Context(), opts, nothing); err != nil || b.locked != nil {
				t.Errorf("%+v locked %v, %v", opts, b.locked, err)
			}
		}
	})
}

func TestFailedLockRollsBack(t *testing.T) {
	b := &flaky{Backend: memory.New(), lockErr: errors.New("no lock")}
	s := openOn(t, b)
	err := s.TxWith(t.Context(), core.TxOptions{Locks: []string{"a"}}, func(context.Context, *core.Transaction) error {
		t.Error("the function runs")
		return nil
	})
	if !errors.Is(err, b.lockErr) || b.ended != b.begun {
		t.Errorf("%v, %d of %d ended", err, b.ended, b.begun)
	}
}

func TestSingleOperationThatConflictsIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}
		s := openOn(t, b)
		rec := insert(t, s, s.Model().Resource("cookie"), map[string]any{"type": "muffin"})
		if n, err := s.Count(t.Context(), rec.Resource(), core.All()); n != 1 || err != nil {
			t.Errorf("%d records, %v", n, err)
		}
	})
}

func TestSingleOperationGivesUpAfterAllAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &flaky{Backend: memory.New(), failures: 99, with: core.ErrConflict}
		s := openOn(t, b)
		_, err := s.NextIDs(t.Context(), s.Model().Resource("cookie"), 1)
		if b.begun != core.DefaultAttempts || !errors.Is(err, core.ErrConflict) || !errors.Is(err, core.Unavailable) {
			t.Errorf("begun %d times, %v", b.begun, err)
		}
	})
}

func TestEachAttemptStartsWithTheOriginalOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int
		b := &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}
		s := openOn(t, b, around("more", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			numbers = append(numbers, op.N)
			op.N = 5
			res, err := next(ctx, op)
			res.Keys = res.Keys[:min(len(res.Keys), 1)]
			return res, err
		}))
		if ids, err := s.NextIDs(t.Context(), s.Model().Resource("cookie"), 1); len(ids) != 1 || err != nil {
			t.Errorf("%v, %v", ids, err)
		}
		if !slices.Equal(numbers, []int{1, 1, 1}) {
			t.Errorf("asked for %v", numbers)
		}
	})
}

func TestSingleOperationIsFinalAndItsTransactionEndsOnce(t *testing.T) {
	b := &flaky{Backend: memory.New()}
	s := openOn(t, b)
	r := s.Model().Resource("cookie")
	for name, err := range map[string]error{
		"missing": s.Delete(t.Context(), r, core.IntValue(1)), "done": second(s.NextIDs(t.Context(), r, 1)),
	} {
		if (err != nil) != (name == "missing") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.begun != 2 || b.ended != 2 || b.final != 2 {
		t.Errorf("%d begun, %d ended, %d final", b.begun, b.ended, b.final)
	}
}

func TestDecoratorsSeeTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		b := &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}
		s := openOn(t, b, watch("see", func(op *core.Op) { seen = append(seen, fmt.Sprint(op.Kind, op.Attempt())) }, ignore),
			around("further", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Kind == core.NextID && op.Derive(core.Count, op.Resource).Attempt() != op.Attempt() {
					t.Error("a further op counts by itself")
				}
				return next(ctx, op)
			}))
		r := s.Model().Resource("cookie")
		if _, err := s.NextIDs(t.Context(), r, 1); err != nil {
			t.Fatal(err)
		}
		b.failures = 1
		if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Count(ctx, r, core.All()))
		}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(seen); got != "[next_id 1 next_id 2 next_id 3 tx 1 count 1 tx 2 count 2]" {
			t.Errorf("saw %s", got)
		}
	})
}

func TestCommitOfUnknownOutcomeIsNeverRepeated(t *testing.T) {
	for _, with := range []error{core.ErrCommitUnknown, &core.Error{Code: core.OutcomeUnknown, Cause: core.ErrConflict}} {
		b := &flaky{Backend: memory.New(), failures: 1, with: errors.Join(with, core.ErrConflict)}
		s := openOn(t, b)
		calls := 0
		err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { calls++; return nil })
		if calls != 1 || !errors.Is(err, with) || !errors.Is(err, core.OutcomeUnknown) {
			t.Errorf("%d calls, %v", calls, err)
		}
	}
}

func TestSingleOperationOfUnknownOutcomeIsNeverRepeated(t *testing.T) {
	b := &flaky{Backend: memory.New(), failures: 1, with: errors.Join(core.ErrCommitUnknown, core.ErrConflict)}
	s := openOn(t, b)
	r := s.Model().Resource("cookie")
	_, err := s.NextIDs(t.Context(), r, 1)
	if b.begun != 1 || !errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("begun %d times, %v", b.begun, err)
	}
}

func TestRepeatingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &flaky{Backend: memory.New(), failures: 1 << 30, with: core.ErrConflict}
		s := openOn(t, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.TxWith(ctx, core.TxOptions{Attempts: 1 << 30}, func(context.Context, *core.Transaction) error { return nil })
		if !errors.Is(err, core.ErrConflict) || ctx.Err() == nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestFunctionErrorRollsBackAndIsReturned(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	own := errors.New("changed my mind")
	err := s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		insert(t, tx, r, map[string]any{"type": "muffin"})
		return own
	})
	if err != own { //nolint:errorlint // as it is
		t.Errorf("got %v", err)
	}
	if n, err := s.Count(t.Context(), r, core.All()); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestPanicRollsBackAndPropagates(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not go on")
			}
		}()
		_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
			insert(t, tx, r, map[string]any{"type": "muffin"})
			panic("boom")
		})
	}()
	insert(t, s, r, map[string]any{"type": "shortbread"}) // another writer can begin
	if n, err := s.Count(t.Context(), r, core.All()); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestStoreInsideItsTransactionFails(t *testing.T) {
	s, other := open(t), open(t)
	r := s.Model().Resource("cookie")
	err := s.Tx(t.Context(), func(ctx context.Context, _ *core.Transaction) error {
		for name, err := range map[string]error{
			"read":  second(s.Count(ctx, r, core.All())),
			"write": second(s.NextIDs(core.System(ctx), r, 1)),
			"tx":    s.Tx(ctx, func(context.Context, *core.Transaction) error { return nil }),
		} {
			if !errors.Is(err, core.ErrOuterStore) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := other.Count(ctx, other.Model().Resource("cookie"), core.All()); err != nil {
			t.Errorf("another store: %v", err)
		}
		return other.Tx(ctx, func(ctx context.Context, _ *core.Transaction) error {
			if _, err := s.Count(ctx, r, core.All()); !errors.Is(err, core.ErrOuterStore) {
				t.Errorf("two levels down: got %v", err)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTransactionCannotBeUsedAfterItEnded(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	var kept *core.Transaction
	if err := s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Count(t.Context(), r, core.All()); !errors.Is(err, core.ErrTxDone) {
		t.Errorf("got %v", err)
	}
}

func TestNoOperationAfterFinal(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		insert(t, tx.Final(), r, map[string]any{"type": "muffin"})
		if _, err := tx.Count(ctx, r, core.All()); !errors.Is(err, core.ErrTxDone) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if n, err2 := s.Count(t.Context(), r, core.All()); n != 1 || err != nil || err2 != nil {
		t.Errorf("%d records, %v, %v", n, err, err2)
	}
}

func TestTransactionWithAFailedOperationCannotCommit(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		insert(t, tx, r, map[string]any{"id": 1})
		if err := tx.Delete(ctx, r, core.IntValue(2)); !errors.Is(err, core.NotFound) {
			t.Errorf("delete: %v", err)
		}
		if _, err := tx.Count(ctx, r, core.All()); !errors.Is(err, core.ErrTxFailed) || !errors.Is(err, core.NotFound) {
			t.Errorf("next operation: %v", err)
		}
		return nil
	})
	if !errors.Is(err, core.NotFound) {
		t.Errorf("commit: %v", err)
	}
	if n, err := s.Count(t.Context(), r, core.All()); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestRejectedWriteLetsOthersBeChecked(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Int, Max: 5},
	}})
	s, err := core.New(t.Context(), m, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := m.Resource("cookie")
	record := func(price int64) core.Record { return r.RecordOf([]core.Value{{}, core.IntValue(price)}) }
	err = s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		insert(t, tx, r, map[string]any{"id": 1})
		for _, step := range []struct {
			name string
			do   func() error
			want error
		}{
			{"invalid insert", func() error { _, err := tx.Insert(ctx, r, record(6)); return err }, core.ValidationFailed},
			{"read", func() error { _, err := tx.Get(ctx, r, core.IntValue(1)); return err }, nil},
			{"another invalid insert", func() error { _, err := tx.Insert(ctx, r, record(7)); return err }, core.ValidationFailed},
			{"invalid update of an absent record", func() error {
				_, err := tx.Update(ctx, r, record(7).Set(r.Key(), core.IntValue(2)))
				return err
			}, core.NotFound},
			{"valid insert", func() error { _, err := tx.Insert(ctx, r, record(1)); return err }, core.ErrTxFailed},
			{"delete", func() error { return tx.Delete(ctx, r, core.IntValue(1)) }, core.ErrTxFailed},
		} {
			if err := step.do(); !errors.Is(err, step.want) {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		return nil
	})
	if !errors.Is(err, core.ValidationFailed) {
		t.Errorf("commit: %v", err)
	}
	if n, err := s.Count(t.Context(), r, core.All()); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestPanicInBackendFailsTheTransaction(t *testing.T) {
	s := openOn(t, unreachable{})
	r := s.Model().Resource("cookie")
	var after error
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		func() {
			defer func() { _ = recover() }()
			_, _ = tx.Count(ctx, r, core.All())
		}()
		_, after = tx.Count(ctx, r, core.All())
		return nil
	})
	if !errors.Is(err, core.ServerError) || !errors.Is(after, core.ErrTxFailed) {
		t.Errorf("%v, and afterwards %v", err, after)
	}
}

func TestFinalOperationCommitsOnceOrLeavesNothing(t *testing.T) {
	b := &flaky{Backend: memory.New()}
	s := openOn(t, b)
	r := s.Model().Resource("cookie")
	for _, c := range []struct {
		key  int64
		want error
		left int
	}{{9, core.NotFound, 0}, {1, nil, 1}} {
		b.begun, b.ended = 0, 0
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			insert(t, tx, r, map[string]any{"id": 1})
			insert(t, tx, r, map[string]any{"id": 2})
			return tx.Final().Delete(ctx, r, core.IntValue(c.key))
		})
		if !errors.Is(err, c.want) || b.begun != 1 || b.ended != 1 {
			t.Errorf("%d: %d begun, %d ended, %v", c.key, b.begun, b.ended, err)
		}
		if n, err := s.Count(t.Context(), r, core.All()); n != c.left || err != nil {
			t.Errorf("%d: %d records, %v", c.key, n, err)
		}
	}
}

func TestConflictReturnedByFunctionIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := open(t, around("busy", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Count && op.Attempt() < 3 {
				return core.Result{}, core.ErrConflict
			}
			return next(ctx, op)
		}))
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			tries++
			_, err := tx.Count(ctx, s.Model().Resource("cookie"), core.All())
			return err
		})
		if err != nil || tries != 3 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}

func TestReadOnlyTransactionRejectsWrites(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	err := s.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Count(ctx, r, core.All()); err != nil {
			t.Error(err)
		}
		_, err := tx.NextIDs(ctx, r, 1)
		return err
	})
	if !errors.Is(err, core.ReadOnly) {
		t.Errorf("got %v", err)
	}
}

func TestAfterCommitRunsOnceAndOnlyAfterACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran []string
		hook := func(name string) func(context.Context) {
			return func(context.Context) { ran = append(ran, name) }
		}
		decorator := watch("hook", func(op *core.Op) {
			if op.Kind == core.Tx {
				op.Tx.AfterCommit(hook(fmt.Sprint("decorator ", op.Tx.Attempt)))
			}
		}, ignore)
		b := &flaky{Backend: memory.New(), failures: 1, with: core.ErrConflict}
		s := openOn(t, b, decorator)
		for _, fail := range []error{nil, errors.New("no")} {
			_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				tx.AfterCommit(hook("function"))
				if len(ran) > 0 && fail == nil {
					t.Error("ran before the commit")
				}
				return fail
			})
		}
		if got := fmt.Sprint(ran); got != "[decorator 2 function]" {
			t.Errorf("ran %s", got)
		}
	})
}

func TestHooksMayUseTheStore(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	var n int
	err := s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		insert(t, tx, r, map[string]any{"type": "muffin"})
		tx.AfterCommit(func(ctx context.Context) {
			var err error
			if n, err = s.Count(ctx, r, core.All()); err != nil {
				t.Error(err)
			}
		})
		return nil
	})
	if n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestWaitingWriterGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		r := s.Model().Resource("cookie")
		inside, leave := make(chan bool), make(chan bool)
		go func() {
			_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				insert(t, tx, r, map[string]any{"type": "muffin"})
				close(inside)
				<-leave
				return nil
			})
		}()
		<-inside
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.Insert(ctx, r, cookie(t, s.Model(), nil)); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, core.Unavailable) {
			t.Errorf("got %v", err)
		}
		if n, err := s.Count(t.Context(), r, core.All()); n != 0 || err != nil {
			t.Errorf("a reader saw %d records, %v", n, err)
		}
		close(leave)
	})
}

// mistakes is an error that cannot be compared with ==, like those of validation libraries.
type mistakes []string

func (m mistakes) Error() string { return strings.Join(m, ", ") }

func TestTxReturnsIncomparableErrorUnchanged(t *testing.T) {
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

func TestFunctionErrorSurvivesDecorators(t *testing.T) {
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

func TestDecoratorMayFailATransaction(t *testing.T) {
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

func TestErrorAfterFinalOperationKeepsTheCommit(t *testing.T) {
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

func TestFinalOperationReturnsTheCommitError(t *testing.T) {
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

func TestUnknownOutcomeIsNotRepeatedAfterFunctionError(t *testing.T) {
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

func TestAllHooksRunAfterAPanic(t *testing.T) {
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

func TestTransactionRepeatedByDecoratorHasNoHooks(t *testing.T) {
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

func TestContextEndDuringBackOffIsReported(t *testing.T) {
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

func numberedIssues(t *testing.T, decorators ...core.Decorator) (*core.Store, *core.Resource, *flaky) {
	t.Helper()
	m := core.MustModel("m", core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "year", Type: core.Int, Indexed: true}, {Name: "number", Type: core.Int, NumberedBy: "year"},
	}})
	b := &flaky{Backend: memory.New()}
	s, err := core.New(t.Context(), m, b, decorators...)
	if err != nil {
		t.Fatal(err)
	}
	return s, m.Resource("issue"), b
}

func TestRepeatedInsertTakesCounterLocksFirst(t *testing.T) {
	inTx := core.Decorator{Name: "in a transaction", Kind: core.KindEffect, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Tx {
				return next(ctx, op)
			}
			return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) { return next(ctx, op) })
		}, nil
	}}
	for name, decorators := range map[string][]core.Decorator{"": nil, "InTx": {inTx}} {
		for _, outside := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s, r, b := numberedIssues(t, decorators...)
				b.failures, b.with = 1, core.ErrConflict
				insert := func(ctx context.Context, q core.Querier) error {
					_, err := q.Insert(ctx, r, r.RecordOf([]core.Value{{}, core.IntValue(7), {}}), r.RecordOf([]core.Value{{}, {}, {}}))
					return err
				}
				run := func() error { return insert(t.Context(), s) }
				if !outside {
					run = func() error {
						return s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx) })
					}
				}
				const locks = "[issue.number 7 issue.number null]"
				if err := run(); err != nil || fmt.Sprint(b.locked) != "["+locks+" "+locks+" "+locks+"]" {
					t.Errorf("%q, outside %v: locked %v, %v", name, outside, b.locked, err)
				}
			})
		}
	}
}

func TestExhaustedNumbersAreServerErrors(t *testing.T) {
	s, r, _ := numberedIssues(t)
	last := r.RecordOf([]core.Value{{}, core.IntValue(7), core.IntValue(math.MaxInt64)})
	if _, err := s.Insert(t.Context(), r, last); err != nil {
		t.Fatal(err)
	}
	_, err := s.Insert(t.Context(), r, r.RecordOf([]core.Value{{}, core.IntValue(7), {}}))
	if !errors.Is(err, core.ServerError) || !strings.Contains(err.Error(), "issue.number 7: no numbers are left") {
		t.Errorf("got %v", err)
	}
}

func TestInsertCheckedByRelationsRemembersCounterLocks(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "parent", ToOne: "issue"}, {Name: "number", Type: core.Int, NumberedBy: "parent"},
	}})
	r, b := m.Resource("issue"), &flaky{Backend: memory.New()}
	s, err := core.New(t.Context(), m, b, core.Decorator{
		Name: "orphans", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Insert {
					op.Check = core.Not(core.Related("parent", core.All()))
				}
				return next(ctx, op)
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.failures, b.with = 1, core.ErrConflict
	recs, err := s.Insert(t.Context(), r, r.RecordOf([]core.Value{{}, {}, {}}))
	if err != nil || recs[0].At(2) != core.IntValue(1) || len(b.locked) != 3 {
		t.Errorf("%v, locked %v, %v", recs, b.locked, err)
	}
}

// All ops of one attempt have one time: those of the transaction, those that decorators derive, and those of a transaction
// that a decorator begins. The next attempt has its own.
func TestOpsOfATransactionHaveOneTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []time.Time
		look := core.Decorator{Name: "look", Kind: core.KindEffect, Repeatable: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				seen = append(seen, op.Now())
				time.Sleep(time.Second)
				return next(ctx, op)
			}, nil
		}}
		deriving := core.Decorator{Name: "deriving", Kind: core.KindEffect, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Insert {
					return next(ctx, op)
				}
				if _, err := next(ctx, op.Derive(core.Select, op.Resource)); err != nil {
					return core.Result{}, err
				}
				return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) { return next(ctx, op) })
			}, nil
		}}
		s, r, b := numberedIssues(t, look, deriving, look)
		record := r.RecordOf([]core.Value{{}, core.IntValue(7), {}})
		distinct := func() []time.Time { return slices.Compact(slices.Clone(seen)) }

		if _, err := s.Insert(t.Context(), r, record); err != nil || len(seen) != 4 || len(distinct()) != 1 {
			t.Errorf("outside a transaction: %v, %v", seen, err)
		}
		seen, b.failures, b.with = nil, 1, core.ErrConflict
		var last time.Time
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			last = tx.Now()
			for range 2 {
				if _, err := tx.Insert(ctx, r, record); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(seen) < 10 || len(distinct()) != 2 || seen[len(seen)-1] != last {
			t.Errorf("in two attempts: %v, the last at %v, %v", seen, last, err)
		}
		if last.Location() != time.UTC || last.Truncate(time.Microsecond) != last {
			t.Errorf("%v", last)
		}
	})
}
