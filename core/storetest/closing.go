package storetest

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var closingRules = []rule{
	{
		"a closed store does nothing",
		"After Close every operation fails with core.ErrClosed, which is UNAVAILABLE, and so does another Close.",
		closedDoesNothing,
	},
	{
		"a closed backend begins nothing",
		"Begin after Close fails with core.ErrClosed: the store may have been asked just before it was closed.",
		closedBeginsNothing,
	},
	{
		"a ping tells whether the backend can be used",
		"Ping returns nil while the backend is open, the context's error if that has ended, and core.ErrClosed after Close.",
		pingReports,
	},
	{
		"closing waits for no transaction",
		"Close returns while transactions are open; those then commit, or fail as UNAVAILABLE.",
		closingDoesNotWait,
	},
}

func closedDoesNothing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	closed := func(what string, err error) {
		t.Helper()
		t.FailsAs(what, err, core.Unavailable)
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("%s: got %v, want %v", what, err, core.ErrClosed)
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
	for what, err := range map[string]error{"store": t.Store.Ping(t.Ctx), "backend": t.Backend.Ping(t.Ctx)} {
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("ping of a closed %s: got %v, want %v", what, err, core.ErrClosed)
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
