package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
)

// trial is one case on its way: a store on a fresh backend, and a client of it
// whose operations end the case when they fail.
type trial struct {
	*client

	open    Factory
	opts    Options
	backend core.Backend
	store   *core.Store
}

func newTrial(tb testing.TB, open Factory, opts Options) *trial {
	ctx, cancel := context.WithTimeout(tb.Context(), opts.timeout())
	tb.Cleanup(cancel)
	t := &trial{open: open, opts: opts}
	m := kitModel()
	t.backend = open(tb, m)
	t.client = &client{TB: tb, ctx: ctx, model: m}
	t.bind()
	tb.Cleanup(func() {
		if err := t.store.Close(); err != nil && !errors.Is(err, core.ErrClosed) { // by the case
			tb.Errorf("close: %v", err)
		}
	})
	return t
}

// bind makes the store of the trial's backend.
func (t *trial) bind() {
	t.Helper()
	store, err := newStore(t.ctx, t.TB, t.model, t.backend, t.opts)
	if err != nil {
		t.Fatalf("the backend cannot hold the kit's model: %v", err)
	}
	t.store, t.querier = store, store
}

// newStore puts the kit's decorator and those of the options around a backend.
func newStore(ctx context.Context, tb testing.TB, m *core.Model, b core.Backend, opts Options) (*core.Store, error) {
	stack := []core.Decorator{policy(tb)}
	if opts.Decorators != nil {
		stack = append(stack, opts.Decorators(tb)...)
	}
	return core.New(ctx, m, b, stack...)
}

// reopen closes the backend and goes on with what a restart would find.
func (t *trial) reopen() {
	t.Helper()
	if err := t.store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	t.backend = t.opts.Reopen(t.TB, t.backend)
	t.bind()
}

// tx runs fn in a transaction, which must commit.
func (t *trial) tx(fn func(tx *client)) {
	t.Helper()
	if err := t.tryTx(core.TxOptions{}, func(tx *client) error { fn(tx); return nil }); err != nil {
		t.Fatalf("transaction: %v", err)
	}
}

// tryTx runs fn in a transaction.
func (t *trial) tryTx(opts core.TxOptions, fn func(tx *client) error) error {
	return t.store.TxWith(t.ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		return fn(&client{TB: t.TB, ctx: ctx, model: t.model, querier: tx})
	})
}

// with returns the trial's client with another context.
func (t *trial) with(ctx context.Context) *client {
	c := *t.client
	c.ctx = ctx
	return &c
}
