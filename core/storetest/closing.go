package storetest

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var closingRules = []rule{
	{
		"a closed store rejects operations",
		"After Close, every operation and a second Close fail with core.ErrClosed, which is UNAVAILABLE.",
		closedDoesNothing,
	},
	{
		"a closed backend begins no transaction",
		"Begin after Close fails with core.ErrClosed: the store may call it just after it was closed.",
		closedBeginsNothing,
	},
	{
		"ping reports whether the backend is usable",
		"Ping returns nil while the backend is open, the error of the context if that has ended, and core.ErrClosed after Close.",
		pingReports,
	},
	{
		"close does not wait for transactions",
		"Close returns while transactions are open. They then commit, or fail as UNAVAILABLE.",
		closingDoesNotWait,
	},
}

func closedDoesNothing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	closed := func(label string, err error) {
		t.Helper()
		t.FailsAs(label, err, core.Unavailable)
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("%s: got %v, want %v", label, err, core.ErrClosed)
		}
	}
	for i, try := range endedOperations() {
		closed(operationNames[i], try(t.Client))
	}
	closed("transaction", t.TryTx(core.TxOptions{}, func(*kit.Client) error { return nil }))
	closed("close", t.Store.Close())
}

func closedBeginsNothing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1})
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for _, opts := range []core.BackendTxOptions{{}, {ReadOnly: true}, {Single: true}, {ReadOnly: true, Single: true}} {
		tx, err := t.Backend.Begin(t.Ctx, opts)
		if err == nil {
			_ = tx.Rollback(t.Ctx)
		}
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("begin with %+v: got %v, want %v", opts, err, core.ErrClosed)
		}
	}
}

func pingReports(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1})
	if err := t.Store.Ping(t.Ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	ended, cancel := context.WithCancel(t.Ctx)
	cancel()
	if err := t.Store.Ping(ended); !errors.Is(err, context.Canceled) || !errors.Is(err, core.Unavailable) {
		t.Fatalf("ping with a context that ended: got %v, want %v", err, context.Canceled)
	}
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for label, err := range map[string]error{"store": t.Store.Ping(t.Ctx), "backend": t.Backend.Ping(t.Ctx)} {
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("ping of a closed %s: got %v, want %v", label, err, core.ErrClosed)
		}
	}
}

func closingDoesNotWait(t *kit.Fixture) {
	closed := make(chan error, 1)
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		if _, err := tx.TryInsert("cookie", kit.Fields{"id": 1}); err != nil {
			return err
		}
		go func() { closed <- t.Store.Close() }()
		select {
		case err := <-closed:
			return err
		case <-tx.Ctx.Done():
			return context.Cause(tx.Ctx)
		}
	})
	switch {
	case t.Ctx.Err() != nil:
		t.Fatalf("close waits for the transaction")
	case err != nil:
		t.FailsAs("transaction", err, core.Unavailable)
	}
}
