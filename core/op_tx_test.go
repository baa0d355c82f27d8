package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// audited stores a jar, labelled with what was deleted, with every Delete.
func audited(fail func() error) core.Decorator {
	return around("audit", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Delete {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			entry := op.Derive(core.Insert, op.Resource.Model().Resource("jar"))
			label, err := entry.Resource.NewRecord(map[string]any{"label": fmt.Sprint(op.Keys)})
			if err != nil {
				return core.Result{}, err
			}
			entry.Records = []core.Record{label}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			if err := fail(); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		})
	})
}

func TestWhatADecoratorAddsInATransactionHappensWithTheOpOrNotAtAll(t *testing.T) {
	var kinds []string
	outcome := error(nil)
	seen := watch("see", func(op *core.Op) { kinds = append(kinds, fmt.Sprint(op.Kind, " ", op.Principal, " ", op.Tx != nil)) }, ignore)
	s := open(t, audited(func() error { return outcome }), seen)
	r, jar := s.Model().Resource("cookie"), s.Model().Resource("jar")
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")})
	counts := func() (cookies, entries int) {
		t.Helper()
		cookies, err1 := s.Count(ctx, r, core.All())
		entries, err2 := s.Count(ctx, jar, core.All())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return cookies, entries
	}
	for i := range 3 {
		insert(t, s, r, map[string]any{"id": i + 1})
	}
	kinds = nil
	if err := s.Delete(ctx, r, core.IntValue(1)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, ", "); got != "tx alice true, insert alice true, delete alice true" {
		t.Errorf("went down: %s", got)
	}
	if cookies, entries := counts(); cookies != 2 || entries != 1 {
		t.Errorf("%d cookies, %d entries", cookies, entries)
	}
	outcome = errors.New("no")
	if err := s.Delete(ctx, r, core.IntValue(2)); !errors.Is(err, outcome) {
		t.Errorf("got %v", err)
	}
	outcome = nil
	if err := s.Delete(ctx, r, core.IntValue(9)); !errors.Is(err, core.NotFound) {
		t.Errorf("got %v", err)
	}
	if cookies, entries := counts(); cookies != 2 || entries != 1 {
		t.Errorf("after failures: %d cookies, %d entries", cookies, entries)
	}
	kinds = nil
	if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return tx.Final().Delete(ctx, r, core.IntValue(2))
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, ", "); got != "tx alice true, insert alice true, delete alice true" {
		t.Errorf("in a transaction went down: %s", got)
	}
	if cookies, entries := counts(); cookies != 1 || entries != 2 {
		t.Errorf("%d cookies, %d entries", cookies, entries)
	}
}

func TestAConflictRepeatsAllThatADecoratorPutTogether(t *testing.T) {
	tries := 0
	s := open(t, audited(func() error {
		if tries++; tries < 3 {
			return core.ErrConflict
		}
		return nil
	}))
	r := s.Model().Resource("cookie")
	insert(t, s, r, map[string]any{"id": 1})
	if err := s.Delete(t.Context(), r, core.IntValue(1)); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
	if n, err := s.Count(t.Context(), s.Model().Resource("jar"), core.All()); n != 1 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

// together has every operation be a part of a transaction.
func together(fn func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return around("together", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) { return fn(ctx, op, next) })
	})
}

func TestNoFailureInsideInTxIsLost(t *testing.T) {
	no := errors.New("no")
	for name, c := range map[string]struct {
		fn     func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
		commit int // fails so often
		want   error
	}{
		"of the function": {func(context.Context, *core.Op, core.Handler) (core.Result, error) { return core.Result{}, no }, 0, no},
		"of an operation whose error was dropped": {func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			res, err := next(ctx, op)
			missing := op.Derive(core.Delete, op.Resource)
			missing.Keys = []core.Value{core.IntValue(9)}
			_, _ = next(ctx, missing)
			return res, err
		}, 0, core.NotFound},
		"of the commit": {func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) }, 1, no},
	} {
		s := openOn(t, &flaky{Backend: memory.New(), failures: c.commit, with: no}, together(c.fn))
		r := s.Model().Resource("cookie")
		if _, err := s.NextIDs(t.Context(), r, 1); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if c.commit > 0 {
			continue
		}
		var inner error
		outer := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			_, inner = tx.NextIDs(ctx, r, 1)
			return inner
		})
		if !errors.Is(outer, c.want) {
			t.Errorf("%s, in a transaction: got %v and %v", name, inner, outer)
		}
	}
}

func TestWhatOnlyReadsIsAReadOnlyTransactionInInTx(t *testing.T) {
	var begun []string
	s := open(t, together(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) }),
		watch("see", func(op *core.Op) {
			if op.Kind == core.Tx {
				begun = append(begun, fmt.Sprint("read only ", op.Tx.ReadOnly))
			}
		}, ignore))
	rec := insert(t, s, s.Model().Resource("cookie"), nil)
	if got, err := s.Get(t.Context(), rec.Resource(), rec.Key()); err != nil || !got.Equal(rec) {
		t.Errorf("got %v, %v", got, err)
	}
	if got := strings.Join(begun, ", "); got != "read only false, read only true" {
		t.Errorf("began %s", got)
	}
}

func TestInTxKeepsTheStoreFromItself(t *testing.T) {
	var s *core.Store
	var inner, onTx error
	s = open(t, around("odd", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx {
			_, onTx = op.InTx(ctx, next, nil)
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			_, inner = s.Count(ctx, op.Resource, core.All())
			return next(ctx, op)
		})
	}), around("lossy", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind == core.Tx {
			err = nil
		}
		return res, err
	}))
	r := s.Model().Resource("cookie")
	if err := s.Delete(t.Context(), r, core.IntValue(1)); !errors.Is(err, core.NotFound) {
		t.Errorf("an error was lost on the way: %v", err)
	}
	if !errors.Is(inner, core.ErrOuterStore) {
		t.Errorf("the store inside: %v", inner)
	}
	if err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }); err != nil || !errors.Is(onTx, core.ServerError) {
		t.Errorf("%v; a transaction in one: %v", err, onTx)
	}
}
