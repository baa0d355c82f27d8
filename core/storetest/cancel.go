package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var cancelRules = []rule{
	{
		"an ended context fails each operation",
		"An operation whose context has ended fails with the error of the context and changes nothing.",
		endedContextFails,
	},
	{
		"an ended context fails an operation in a transaction",
		"An operation in a transaction fails if its context has ended, and the transaction is rolled back.",
		endedContextInside,
	},
	{
		"a deadline is distinct from a cancellation",
		"The error of an expired context is context.DeadlineExceeded.",
		deadlineExceeded,
	},
	{
		"no commit after the context ended",
		"A transaction whose context ended before its commit fails with the error of the context and changes nothing.",
		noCommitAfterEnd,
	},
	{
		"a rollback works after the context ended",
		"A transaction whose context ended is rolled back and releases its locks.",
		rollbackOutlives,
	},
	{
		"waiting ends with the context",
		"A transaction that waits for another one stops waiting when its context ends.",
		waitEnds,
	},
}

// endedOperations returns an operation of each kind, with and without records.
func endedOperations() []func(c *kit.Client) error {
	return []func(c *kit.Client) error{
		func(c *kit.Client) error { _, err := c.TryGet("cookie", 1); return err },
		func(c *kit.Client) error {
			_, err := c.Querier.Select(c.Ctx, c.Resource("cookie"), core.Query{})
			return err
		},
		func(c *kit.Client) error {
			_, err := c.Querier.Count(c.Ctx, c.Resource("cookie"), core.All())
			return err
		},
		func(c *kit.Client) error { _, err := c.TryInsert("cookie", kit.Fields{"id": 2}); return err },
		func(c *kit.Client) error {
			_, err := c.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"})
			return err
		},
		func(c *kit.Client) error { return c.TryDelete("cookie", 1) },
		func(c *kit.Client) error { _, err := c.Querier.NextIDs(c.Ctx, c.Resource("cookie"), 1); return err },
		func(c *kit.Client) error { _, err := c.Querier.Load(c.Ctx, c.Resource("cookie"), nil); return err },
		func(c *kit.Client) error { _, err := c.Querier.Insert(c.Ctx, c.Resource("cookie")); return err },
		func(c *kit.Client) error { _, err := c.Querier.Update(c.Ctx, c.Resource("cookie")); return err },
		func(c *kit.Client) error { return c.Querier.Delete(c.Ctx, c.Resource("cookie")) },
		func(c *kit.Client) error { _, err := c.Querier.NextIDs(c.Ctx, c.Resource("cookie"), 0); return err },
	}
}

var operationNames = [...]string{
	"get", "select", "count", "insert", "update", "delete", "next id",
	"load of no keys", "insert of no records", "update of no records", "delete of no keys", "next id, n = 0",
}

func endedContextFails(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	ctx, cancel := context.WithCancel(t.Ctx)
	cancel()
	for i, try := range endedOperations() {
		if err := try(t.With(ctx)); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want %v", operationNames[i], err, context.Canceled)
		}
		t.Same("after "+operationNames[i], t.All("cookie"), before...)
	}
}

func endedContextInside(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	for i, try := range endedOperations() {
		err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			tx.Update("cookie", kit.Fields{"id": 1, "kind": "c"})
			ctx, cancel := context.WithCancel(tx.Ctx)
			cancel()
			tx.Ctx = ctx
			return try(tx)
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want %v", operationNames[i], err, context.Canceled)
		}
		t.Same("after "+operationNames[i], t.All("cookie"), before...)
	}
}

func deadlineExceeded(t *kit.Fixture) {
	ctx, cancel := context.WithDeadline(t.Ctx, time.Unix(0, 0))
	defer cancel()
	_, err := t.With(ctx).TryInsert("cookie", kit.Fields{"id": 2})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("insert: got %v, want %v", err, context.DeadlineExceeded)
	}
	t.FailsAs("insert", err, core.Unavailable)
	t.SameKeys("after", t.All("cookie"))
}

func noCommitAfterEnd(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	ctx, cancel := context.WithCancel(t.Ctx)
	err := t.Store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		writeAllKinds(&kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx})
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("transaction: got %v, want %v", err, context.Canceled)
	}
	t.Same("after", t.All("cookie"), before...)
}

func rollbackOutlives(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	for range 20 { // more than the connections of a pool
		ctx, cancel := context.WithCancel(t.Ctx)
		err := t.Store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			writeAllKinds(&kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx})
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("transaction: got %v, want %v", err, context.Canceled)
		}
	}
	t.Same("after", t.All("cookie"), before...)
	t.Tx(writeAllKinds)
}

// notifyingContext is a context that calls onDone when its Done channel is first used.
type notifyingContext struct {
	context.Context

	onDone func()
}

func (w notifyingContext) Done() <-chan struct{} {
	w.onDone()
	return w.Context.Done()
}

func waitEnds(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	ctx, cancel := context.WithCancel(t.Ctx)
	defer cancel()
	var once sync.Once
	ended := make(chan struct{})
	end := func() { once.Do(func() { cancel(); close(ended) }) }
	over := make(chan error, core.DefaultAttempts)
	t.Tx(func(tx *kit.Client) {
		tx.Update("order", kit.Fields{"id": 1, "value": 1})
		go func() { // waits for the open transaction, or conflicts with it
			_, err := t.With(notifyingContext{ctx, end}).TryUpdate("order", kit.Fields{"id": 1, "value": 2})
			over <- err
		}()
		select {
		case <-ended: // the update waits
		case err := <-over: // the update does not wait
			over <- err
		case <-time.After(t.Opts.Patience): // the update waits without use of Done
			end()
		}
		hanging := time.NewTimer(t.Opts.Timeout / 4)
		defer hanging.Stop()
		select {
		case err := <-over:
			over <- err
		case <-hanging.C:
			tx.Fatalf("the update still waits for the other transaction after its context has ended")
		}
	})
	if err := <-over; err == nil {
		t.Logf("the update finished before its context ended")
	}
	if value := t.Get("order", 1).Get("value").Int(); value == 0 {
		t.Fatalf("the write of the other transaction is lost")
	}
}
