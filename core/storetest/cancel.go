package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/core"
)

var cancelRules = []row{
	{
		"an ended context fails every operation",
		"An operation whose context has ended before it fails with the context's error and does nothing.",
		endedContextFails,
	},
	{
		"an ended context fails operations of a transaction",
		"An operation inside a transaction fails if its context has ended, and the transaction is undone.",
		endedContextInside,
	},
	{
		"a deadline is told from a cancellation",
		"The error of an expired context is context.DeadlineExceeded.",
		deadlineExceeded,
	},
	{
		"nothing commits after its context ended",
		"A transaction whose context ended before its commit fails with the context's error and has done nothing.",
		noCommitAfterEnd,
	},
	{
		"a rollback outlives its context",
		"A transaction whose context ended is rolled back all the same, and holds nothing up.",
		rollbackOutlives,
	},
	{
		"a wait ends with its context",
		"A transaction that waits for another one stops to wait when its context ends.",
		waitEnds,
	},
}

// endedOperations are all kinds of operations, on something and on nothing.
func endedOperations() []func(c *client) error {
	return []func(c *client) error{
		func(c *client) error { _, err := c.tryGet("cookie", 1); return err },
		func(c *client) error { _, err := c.querier.Select(c.ctx, c.res("cookie"), core.Query{}); return err },
		func(c *client) error { _, err := c.querier.Count(c.ctx, c.res("cookie"), core.All()); return err },
		func(c *client) error { _, err := c.tryInsert("cookie", fields{"id": 2}); return err },
		func(c *client) error { _, err := c.tryUpdate("cookie", fields{"id": 1, "kind": "b"}); return err },
		func(c *client) error { return c.tryDelete("cookie", 1) },
		func(c *client) error { _, err := c.querier.NextIDs(c.ctx, c.res("cookie"), 1); return err },
		func(c *client) error { _, err := c.querier.Load(c.ctx, c.res("cookie"), nil); return err },
		func(c *client) error { _, err := c.querier.Insert(c.ctx, c.res("cookie")); return err },
		func(c *client) error { _, err := c.querier.Update(c.ctx, c.res("cookie")); return err },
		func(c *client) error { return c.querier.Delete(c.ctx, c.res("cookie")) },
		func(c *client) error { _, err := c.querier.NextIDs(c.ctx, c.res("cookie"), 0); return err },
	}
}

var operationNames = [...]string{
	"get", "select", "count", "insert", "update", "delete", "next id",
	"load of nothing", "insert of nothing", "update of nothing", "delete of nothing", "no next id",
}

func endedContextFails(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"})
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	for i, try := range endedOperations() {
		if err := try(t.with(ctx)); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want %v", operationNames[i], err, context.Canceled)
		}
		t.same("after "+operationNames[i], t.all("cookie"), before...)
	}
}

func endedContextInside(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"})
	for i, try := range endedOperations() {
		err := t.tryTx(core.TxOptions{}, func(tx *client) error {
			tx.update("cookie", fields{"id": 1, "kind": "c"})
			ctx, cancel := context.WithCancel(tx.ctx)
			cancel()
			tx.ctx = ctx
			return try(tx)
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want %v", operationNames[i], err, context.Canceled)
		}
		t.same("after "+operationNames[i], t.all("cookie"), before...)
	}
}

func deadlineExceeded(t *trial) {
	ctx, cancel := context.WithDeadline(t.ctx, time.Unix(0, 0))
	defer cancel()
	_, err := t.with(ctx).tryInsert("cookie", fields{"id": 2})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("insert: got %v, want %v", err, context.DeadlineExceeded)
	}
	t.failsAs("insert", err, core.Unavailable)
	t.sameKeys("after", t.all("cookie"))
}

func noCommitAfterEnd(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	ctx, cancel := context.WithCancel(t.ctx)
	err := t.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		writeEverywhere(&client{TB: t.TB, ctx: ctx, model: t.model, querier: tx})
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("transaction: got %v, want %v", err, context.Canceled)
	}
	t.same("after", t.all("cookie"), before...)
}

func rollbackOutlives(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	for range 20 { // more than a pool has connections
		ctx, cancel := context.WithCancel(t.ctx)
		err := t.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			writeEverywhere(&client{TB: t.TB, ctx: ctx, model: t.model, querier: tx})
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("transaction: got %v, want %v", err, context.Canceled)
		}
	}
	t.same("after", t.all("cookie"), before...)
	t.tx(writeEverywhere)
}

// watched is a context that ends when somebody starts to watch it.
type watched struct {
	context.Context

	end func()
}

func (w watched) Done() <-chan struct{} {
	w.end()
	return w.Context.Done()
}

func waitEnds(t *trial) {
	t.insert("order", fields{"id": 1, "value": 0})
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	var once sync.Once
	ended := make(chan struct{})
	end := func() { once.Do(func() { cancel(); close(ended) }) }
	over := make(chan error, core.DefaultAttempts)
	t.tx(func(tx *client) {
		tx.update("order", fields{"id": 1, "value": 1})
		go func() { // waits for the open transaction, or conflicts with it
			_, err := t.with(watched{ctx, end}).tryUpdate("order", fields{"id": 1, "value": 2})
			over <- err
		}()
		select {
		case <-ended: // it waits
		case err := <-over: // it does not
			over <- err
		case <-time.After(t.opts.patience()): // it waits in a way of its own
			end()
		}
		hung := time.NewTimer(t.opts.timeout() / 4)
		defer hung.Stop()
		select {
		case err := <-over:
			over <- err
		case <-hung.C:
			tx.Fatalf("an update whose context has ended still waits for another transaction")
		}
	})
	if err := <-over; err == nil {
		t.Logf("the update did not have to wait, and was faster than its context")
	}
	if value := t.get("order", 1).Get("value").Int(); value == 0 {
		t.Fatalf("the transaction that was waited for is lost")
	}
}
