// Package kit has the parts that the kits of storetest share: a fixture with a store and a client, the model of the backend
// kit, comparison of records and errors, and random drawing.
package kit

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// Fixture is the set-up of one case: a store on a fresh backend, and a client of the store. The test ends when an
// operation of the client fails.
type Fixture struct {
	*Client

	open Factory
	// Opts are the options of the kit, with defaults filled in.
	Opts Options
	// Backend is the backend of Store, without decorators.
	Backend core.Backend
	// Store is the store, with the decorators of the kit and of the options.
	Store *core.Store
}

// New returns a fixture on a backend that open returns. It closes the store at the end of the test; a case may close it
// earlier.
func New(tb testing.TB, open Factory, opts Options) *Fixture {
	if opts.Patience <= 0 {
		opts.Patience = 5 * time.Millisecond
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(tb.Context(), opts.Timeout)
	tb.Cleanup(cancel)
	t := &Fixture{open: open, Opts: opts}
	m := Model()
	t.Backend = open(tb, m)
	t.Client = &Client{TB: tb, Ctx: ctx, Model: m}
	t.bind()
	tb.Cleanup(func() {
		if err := t.Store.Close(); err != nil && !errors.Is(err, core.ErrClosed) { // ErrClosed: the case has closed it
			tb.Errorf("close: %v", err)
		}
	})
	return t
}

// bind creates the store of the backend.
func (t *Fixture) bind() {
	t.Helper()
	store, err := newStore(t.Ctx, t.TB, t.Model, t.Backend, t.Opts)
	if err != nil {
		t.Fatalf("core.New with the kit's model: %v", err)
	}
	t.Store, t.Querier = store, store
}

// newStore returns a store with the kit's decorator outermost, then the decorators of the options, then the backend.
func newStore(ctx context.Context, tb testing.TB, m *core.Model, b core.Backend, opts Options) (*core.Store, error) {
	stack := []core.Decorator{conditionsDecorator(tb)}
	if opts.Decorators != nil {
		stack = append(stack, opts.Decorators(tb)...)
	}
	return core.New(ctx, m, b, stack...)
}

// Reopen closes the backend and continues on the backend that Options.Reopen returns, as after a restart of the program.
func (t *Fixture) Reopen() {
	t.Helper()
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	t.Backend = t.Opts.Reopen(t.TB, t.Backend)
	t.bind()
}

// Tx runs fn in a transaction and ends the test unless it commits.
func (t *Fixture) Tx(fn func(tx *Client)) {
	t.Helper()
	if err := t.TryTx(core.TxOptions{}, func(tx *Client) error { fn(tx); return nil }); err != nil {
		t.Fatalf("transaction: %v", err)
	}
}

// TryTx runs fn in a transaction with the options.
func (t *Fixture) TryTx(opts core.TxOptions, fn func(tx *Client) error) error {
	return t.Store.TxWith(t.Ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		return fn(&Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx})
	})
}

// With returns the client of the fixture with another context.
func (t *Fixture) With(ctx context.Context) *Client {
	c := *t.Client
	c.Ctx = ctx
	return &c
}

// RetryTx runs fn in a transaction that is repeated up to [ManyAttempts] times.
func (t *Fixture) RetryTx(fn func(tx *Client) error) error {
	return t.TryTx(core.TxOptions{Attempts: ManyAttempts}, fn)
}

// ManyAttempts is the number of attempts of transactions that are expected to conflict.
const ManyAttempts = 200

// OnNewBackend returns a fixture with the same options on a new backend. The caller closes its store.
func (t *Fixture) OnNewBackend() *Fixture {
	own := *t
	c := *t.Client
	own.Client = &c
	own.Ctx = t.TB.Context()
	own.Backend = t.open(t.TB, t.Model)
	own.bind()
	return &own
}

// OnModel returns a fixture with the same options on a new backend with another model. The test closes its store.
func (t *Fixture) OnModel(m *core.Model) *Fixture {
	own := *t
	own.Client = &Client{TB: t.TB, Ctx: t.Ctx, Model: m}
	own.Backend = t.open(t.TB, m)
	own.bind()
	t.Cleanup(func() { _ = own.Store.Close() })
	return &own
}

// Decorated returns a fixture whose further stores have the decorators outside those of the options.
func (t *Fixture) Decorated(decorators ...core.Decorator) *Fixture {
	own, outer := *t, t.Opts.Decorators
	own.Opts.Decorators = func(tb testing.TB) []core.Decorator {
		all := slices.Clone(decorators)
		if outer != nil {
			all = append(all, outer(tb)...)
		}
		return all
	}
	return &own
}

// WithModel closes the backend and continues on the backend that Options.Reopen returns, with another model.
func (t *Fixture) WithModel(m *core.Model) {
	t.Helper()
	t.Model = m
	t.Reopen()
}

// ErrRollback is returned by transaction functions of the kit to roll back.
var ErrRollback = errors.New("rolled back on purpose")

// Options are storetest.Options, which convert to this type. storetest documents the fields.
type Options struct {
	Checks     int
	Patience   time.Duration
	Timeout    time.Duration
	Reopen     func(tb testing.TB, closed core.Backend) core.Backend
	Decorators func(tb testing.TB) []core.Decorator
}

// Factory returns a fresh, empty backend that can hold the model.
type Factory = func(tb testing.TB, m *core.Model) core.Backend
