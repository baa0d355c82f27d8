package core_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// keeper is a decorator with a goroutine of its own, such as a time-out: the
// goroutine looks at the ops of one principal when the decorator has returned and
// others have used the store.
type keeper struct {
	of   string
	look chan struct{}
	seen chan core.Op
}

func newKeeper(of string) *keeper {
	return &keeper{of, make(chan struct{}), make(chan core.Op, 1)}
}

func (k *keeper) decorator() core.Decorator {
	return around("keeper", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind != core.Tx && op.Principal.String() == k.of {
			go func() {
				<-k.look
				k.seen <- *op
			}()
		}
		return res, err
	})
}

// as returns a context of the principal with that id.
func as(ctx context.Context, id string) context.Context {
	return core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue(id)})
}

func TestADecoratorMayKeepAnOpPastItsReturn(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	records := func(id int) []core.Record {
		return []core.Record{cookie(t, m, map[string]any{"id": id, "type": "muffin"})}
	}
	for kind, send := range map[core.Kind]func(ctx context.Context, s core.Querier, id int, records []core.Record) error{
		core.Load: func(ctx context.Context, s core.Querier, id int, _ []core.Record) error {
			return second(s.Get(ctx, r, core.IntValue(int64(id))))
		},
		core.Insert: func(ctx context.Context, s core.Querier, _ int, records []core.Record) error {
			return second(s.Insert(ctx, r, records...))
		},
		core.Update: func(ctx context.Context, s core.Querier, _ int, records []core.Record) error {
			return second(s.Update(ctx, r, records...))
		},
		core.Delete: func(ctx context.Context, s core.Querier, id int, _ []core.Record) error {
			return s.Delete(ctx, r, core.IntValue(int64(id)))
		},
	} {
		for _, where := range []string{"alone", "in a transaction"} {
			t.Run(kind.String()+" "+where, func(t *testing.T) {
				k := newKeeper("alice")
				s, err := core.New(t.Context(), m, memory.New(), k.decorator())
				if err != nil {
					t.Fatal(err)
				}
				if kind != core.Insert {
					if _, err := s.Insert(t.Context(), r, slices.Concat(records(1), records(2))...); err != nil {
						t.Fatal(err)
					}
				}
				run := func(who string, id int) {
					named, ctx := records(id), as(t.Context(), who)
					do := func(ctx context.Context, tx *core.Transaction) error { return send(ctx, tx, id, named) }
					if where == "alone" {
						do = func(ctx context.Context, _ *core.Transaction) error { return send(ctx, s, id, named) }
						if err := do(ctx, nil); err != nil {
							t.Fatal(err)
						}
					} else if err := s.Tx(ctx, do); err != nil {
						t.Fatal(err)
					}
					clear(named) // the caller's slice is the caller's again
				}
				run("alice", 1)
				run("bob", 2)
				close(k.look)
				op := <-k.seen
				id := slices.Concat(op.Keys, keysOf(op.Records))
				if op.Kind != kind || op.Principal.String() != "alice" || len(id) == 0 || id[0] != core.IntValue(1) || op.Attempt() != 1 {
					t.Errorf("the op has become %+v", op)
				}
			})
		}
	}
}

func keysOf(records []core.Record) []core.Value {
	keys := make([]core.Value, len(records))
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	return keys
}

func TestEveryTryHasAnOpOfItsOwn(t *testing.T) {
	var tries []*core.Op
	s := openOn(t, &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}, around("keeper",
		func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			tries = append(tries, op)
			return next(ctx, op)
		}))
	if _, err := s.NextIDs(t.Context(), s.Model().Resource("cookie"), 1); err != nil {
		t.Fatal(err)
	}
	for i, op := range tries {
		if op.Attempt() != i+1 || op.N != 1 {
			t.Errorf("try %d has become %+v of attempt %d", i+1, op, op.Attempt())
		}
	}
	if len(tries) != 3 {
		t.Errorf("%d tries", len(tries))
	}
}

func TestAnObserverMayKeepWhatItSaw(t *testing.T) {
	var kept []*core.Event
	s := open(t, core.Decorator{Name: "keeper", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) {
		return endFunc(func(event *core.Event) { kept = append(kept, event) }), nil
	}})
	r := s.Model().Resource("cookie")
	for id, who := range []string{"alice", "bob", "carol"} {
		if _, err := s.Load(as(t.Context(), who), r, []core.Value{core.IntValue(int64(id))}); err != nil {
			t.Fatal(err)
		}
	}
	for id, who := range []string{"alice", "bob", "carol"} {
		if event := kept[id]; event.Kind != core.Load || event.Principal.String() != who || event.Keys[0] != core.IntValue(int64(id)) {
			t.Errorf("what was seen of %s has become %+v", who, event)
		}
	}
}

// endFunc is an observer of ends.
type endFunc func(event *core.Event)

func (endFunc) Begin(core.Kind, *core.Resource)            {}
func (f endFunc) End(_ context.Context, event *core.Event) { f(event) }

func TestATransactionThatADecoratorLeavesHasEndedWhenTxReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, ended := make(chan struct{}), false
		s := open(t, around("impatient", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Tx {
				return next(ctx, op)
			}
			go func() { _, _ = next(ctx, op) }()
			<-left
			return core.Result{}, core.Unavailable
		}))
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			close(left)
			time.Sleep(time.Second) // of the synctest bubble: the decorator returns first
			ended = true
			return second(tx.NextIDs(ctx, s.Model().Resource("cookie"), 1))
		})
		if !ended || !errors.Is(err, core.Unavailable) {
			t.Errorf("ended: %v, %v", ended, err)
		}
	})
}

func TestATransactionThatBeginsAfterTxReturnedDoesNothing(t *testing.T) {
	later, done := make(chan struct{}), make(chan error)
	s := open(t, around("late", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		go func() {
			<-later
			done <- second(next(ctx, op))
		}()
		return core.Result{}, core.Unavailable
	}))
	err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error {
		t.Error("the function runs after Tx has returned")
		return nil
	})
	close(later)
	if late := <-done; !errors.Is(err, core.Unavailable) || !errors.Is(late, core.ErrTxDone) {
		t.Errorf("Tx returned %v, and the late attempt %v", err, late)
	}
}
