package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var lockRules = []rule{
	{
		"transactions with one lock do not conflict",
		"Transactions with a common lock run one after another, and each sees the writes of the one before.",
		lockedDoNotConflict,
	},
	{
		"different locks do not wait for each other",
		"A transaction does not wait for the lock of another name, if the backend runs transactions concurrently.",
		differentLocksOverlap,
	},
	{
		"locks in opposite order do not deadlock",
		"Transactions that name the same locks in different orders all get them.",
		oppositeOrder,
	},
	{
		"the end of a transaction releases its locks",
		"A lock is free after a commit, an error, a panic and the end of the context.",
		endReleasesLocks,
	},
	{
		"waiting for a lock ends with the context",
		"A transaction stops waiting for a lock when its context ends, and gives up its place.",
		lockWaitEnds,
	},
	{
		"a lock after a read does not wait",
		"Lock returns a conflict after another method if the lock is not free.",
		lateLockDoesNotWait,
	},
}

// locked runs fn in a transaction with the locks and one attempt.
func locked(t *kit.Fixture, fn func(tx *kit.Client) error, names ...string) error {
	return t.TryTx(core.TxOptions{Locks: names, Attempts: 1}, fn)
}

// increment adds 1 to the value of an order.
func increment(tx *kit.Client, id int) error {
	rec, err := tx.TryGet("order", id)
	if err != nil {
		return err
	}
	_, err = tx.TryUpdate("order", kit.Fields{"id": id, "value": rec.Get("value").Int() + 1})
	return err
}

func lockedDoNotConflict(t *kit.Fixture) {
	const clients, rounds = 8, 5
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	var inside atomic.Int64
	concurrently(t, clients, func(int) error {
		for range rounds {
			err := locked(t, func(tx *kit.Client) error {
				if n := inside.Add(1); n > 1 {
					return fmt.Errorf("%d transactions hold the lock", n)
				}
				defer inside.Add(-1)
				return increment(tx, 1)
			}, "order 1")
			if err != nil {
				return err
			}
		}
		return nil
	})
	kit.Equal(t.Client, "sum", t.Get("order", 1).Get("value").Int(), int64(clients*rounds))
}

// during runs fn in another goroutine and reports its error, or false if fn still runs after the time.
func during(wait time.Duration, fn func() error) (ended bool, err error) {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-done:
		return true, err
	case <-timer.C:
		return false, nil
	}
}

func differentLocksOverlap(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0}, kit.Fields{"id": 2, "value": 0})
	overlaps := false
	t.Tx(func(tx *kit.Client) {
		tx.Get("order", 1)
		overlaps, _ = during(t.Opts.Patience*20, func() error {
			return t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return increment(tx, 2) })
		})
	})
	if !overlaps {
		return
	}
	err := locked(t, func(tx *kit.Client) error {
		tx.Get("order", 1)
		ended, err := during(t.Opts.Timeout/4, func() error {
			return locked(t, func(tx *kit.Client) error { return increment(tx, 2) }, "b")
		})
		if !ended {
			return errors.New("the transaction waits for the lock of another name")
		}
		return err
	}, "a")
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func oppositeOrder(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	concurrently(t, 6, func(i int) error {
		names := []string{"a", "b", "a"}
		if i%2 == 0 {
			names = []string{"b", "a"}
		}
		for range 4 {
			if err := locked(t, func(tx *kit.Client) error { return increment(tx, 1) }, names...); err != nil {
				return err
			}
		}
		return nil
	})
	kit.Equal(t.Client, "sum", t.Get("order", 1).Get("value").Int(), 24)
}

func endReleasesLocks(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	ctx, cancel := context.WithCancel(t.Ctx)
	ends := map[string]func(tx *kit.Client) error{
		"commit":    func(tx *kit.Client) error { return increment(tx, 1) },
		"error":     func(tx *kit.Client) error { return errors.Join(increment(tx, 1), kit.ErrRollback) },
		"operation": func(tx *kit.Client) error { return tx.TryDelete("order", 9) },
		"panic":     func(*kit.Client) error { panic(kit.ErrRollback) },
		"context":   func(tx *kit.Client) error { cancel(); tx.Ctx = ctx; return increment(tx, 1) },
		"nothing":   func(*kit.Client) error { return kit.ErrRollback },
	}
	for name, end := range ends {
		func() {
			defer func() { _ = recover() }()
			_ = locked(t, end, "a", "b")
		}()
		ended, err := during(t.Opts.Timeout/4, func() error {
			return locked(t, func(tx *kit.Client) error { return increment(tx, 1) }, "b", "a")
		})
		if err != nil || !ended {
			t.Fatalf("after the end by %s: the lock is free: %v; error: %v", name, ended, err)
		}
	}
}

func lockWaitEnds(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	take := func(ctx context.Context) error {
		opts := core.TxOptions{Locks: []string{"a", "b"}, Attempts: 1}
		return t.Store.TxWith(ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
			return increment(&kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx}, 1)
		})
	}
	err := locked(t, func(tx *kit.Client) error {
		for range 12 { // more than the connections of a pool
			ctx, cancel := context.WithTimeout(t.Ctx, t.Opts.Patience)
			ended, err := during(t.Opts.Timeout/4, func() error { return take(ctx) })
			cancel()
			if !ended || !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("the wait ended: %v; error: %w, want that of the context", ended, err)
			}
		}
		return increment(tx, 1)
	}, "b")
	if err != nil {
		t.Fatalf("%v", err)
	}
	if ended, err := during(t.Opts.Timeout/4, func() error { return take(t.Ctx) }); err != nil || !ended {
		t.Fatalf("afterwards: the lock is free: %v; error: %v", ended, err)
	}
	kit.Equal(t.Client, "sum", t.Get("order", 1).Get("value").Int(), 2)
}

func lateLockDoesNotWait(t *kit.Fixture) {
	begin := func(ctx context.Context) (core.BackendTx, error) {
		return t.Backend.Begin(ctx, core.BackendTxOptions{})
	}
	first, err := begin(t.Ctx)
	if err == nil {
		err = first.Lock(t.Ctx, []string{"a"})
	}
	if err != nil {
		t.Fatalf("first transaction: %v", err)
	}
	defer func() { _ = first.Rollback(t.Ctx) }()
	waiting, cancel := context.WithTimeout(t.Ctx, t.Opts.Patience*20)
	defer cancel()
	second, err := begin(waiting)
	if errors.Is(err, context.DeadlineExceeded) {
		return // the backend runs one transaction at a time
	}
	if err != nil {
		t.Fatalf("second transaction: %v", err)
	}
	defer func() { _ = second.Rollback(t.Ctx) }()
	order := t.Resource("order")
	if _, err := second.Count(t.Ctx, &core.Op{Kind: core.Count, Resource: order}); err != nil {
		t.Fatalf("count: %v", err)
	}
	if err := second.Lock(t.Ctx, []string{"b"}); err != nil {
		t.Fatalf("a free lock after a read: %v", err)
	}
	short, stop := context.WithTimeout(t.Ctx, t.Opts.Timeout/4) // so that a Lock that waits has ended before the rollback
	defer stop()
	ended, err := during(t.Opts.Timeout/2, func() error { return second.Lock(short, []string{"a"}) })
	if !ended || !errors.Is(err, core.ErrConflict) {
		t.Fatalf("a taken lock after a read: ended %v, %v, want a conflict", ended, err)
	}
}
