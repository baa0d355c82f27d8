package storetest

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

var closingRules = []row{
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
		pingTells,
	},
	{
		"closing waits for no transaction",
		"Close returns while transactions are open; those then commit, or fail as UNAVAILABLE.",
		closingDoesNotWait,
	},
}

func closedDoesNothing(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"})
	if err := t.store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	closed := func(what string, err error) {
		t.Helper()
		t.failsAs(what, err, core.Unavailable)
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("%s: got %v, want %v", what, err, core.ErrClosed)
		}
	}
	for i, try := range endedOperations() {
		closed(operationNames[i], try(t.client))
	}
	closed("transaction", t.tryTx(core.TxOptions{}, func(*client) error { return nil }))
	closed("close", t.store.Close())
}

func closedBeginsNothing(t *trial) {
	t.insert("cookie", fields{"id": 1})
	if err := t.store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for _, opts := range []core.BackendTxOptions{{}, {ReadOnly: true}, {Single: true}, {ReadOnly: true, Single: true}} {
		tx, err := t.backend.Begin(t.ctx, opts)
		if err == nil {
			_ = tx.Rollback(t.ctx)
		}
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("begin with %+v: got %v, want %v", opts, err, core.ErrClosed)
		}
	}
}

func pingTells(t *trial) {
	t.insert("cookie", fields{"id": 1})
	if err := t.store.Ping(t.ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	ended, cancel := context.WithCancel(t.ctx)
	cancel()
	if err := t.store.Ping(ended); !errors.Is(err, context.Canceled) || !errors.Is(err, core.Unavailable) {
		t.Fatalf("ping with a context that ended: got %v, want %v", err, context.Canceled)
	}
	if err := t.store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for what, err := range map[string]error{"store": t.store.Ping(t.ctx), "backend": t.backend.Ping(t.ctx)} {
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("ping of a closed %s: got %v, want %v", what, err, core.ErrClosed)
		}
	}
}

func closingDoesNotWait(t *trial) {
	closed := make(chan error, 1)
	err := t.tryTx(core.TxOptions{}, func(tx *client) error {
		if _, err := tx.tryInsert("cookie", fields{"id": 1}); err != nil {
			return err
		}
		go func() { closed <- t.store.Close() }()
		select {
		case err := <-closed:
			return err
		case <-tx.ctx.Done():
			return context.Cause(tx.ctx)
		}
	})
	switch {
	case t.ctx.Err() != nil:
		t.Fatalf("close waits for the transaction")
	case err != nil:
		t.failsAs("transaction", err, core.Unavailable)
	}
}
