package kit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// trial is one case on its way: a store on a fresh backend, and a client of it
// whose operations end the case when they fail.
type Fixture struct {
	*Client

	open    Factory
	Opts    Options
	Backend core.Backend
	Store   *core.Store
}

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
		if err := t.Store.Close(); err != nil && !errors.Is(err, core.ErrClosed) { // by the case
			tb.Errorf("close: %v", err)
		}
	})
	return t
}

// bind makes the store of the trial's backend.
func (t *Fixture) bind() {
	t.Helper()
	store, err := newStore(t.Ctx, t.TB, t.Model, t.Backend, t.Opts)
	if err != nil {
		t.Fatalf("the backend cannot hold the kit's model: %v", err)
	}
	t.Store, t.Querier = store, store
}

// newStore puts the kit's decorator and those of the options around a backend.
func newStore(ctx context.Context, tb testing.TB, m *core.Model, b core.Backend, opts Options) (*core.Store, error) {
	stack := []core.Decorator{conditionsDecorator(tb)}
	if opts.Decorators != nil {
		stack = append(stack, opts.Decorators(tb)...)
	}
	return core.New(ctx, m, b, stack...)
}

// reopen closes the backend and goes on with what a restart would find.
func (t *Fixture) Reopen() {
	t.Helper()
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	t.Backend = t.Opts.Reopen(t.TB, t.Backend)
	t.bind()
}

// tx runs fn in a transaction, which must commit.
func (t *Fixture) Tx(fn func(tx *Client)) {
	t.Helper()
	if err := t.TryTx(core.TxOptions{}, func(tx *Client) error { fn(tx); return nil }); err != nil {
		t.Fatalf("transaction: %v", err)
	}
}

// tryTx runs fn in a transaction.
func (t *Fixture) TryTx(opts core.TxOptions, fn func(tx *Client) error) error {
	return t.Store.TxWith(t.Ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		return fn(&Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx})
	})
}

// with returns the trial's client with another context.
func (t *Fixture) With(ctx context.Context) *Client {
	c := *t.Client
	c.Ctx = ctx
	return &c
}

// each is [trial.tryTx] with attempts enough.
func (t *Fixture) RetryTx(fn func(tx *Client) error) error {
	return t.TryTx(core.TxOptions{Attempts: ManyAttempts}, fn)
}

// manyAttempts is for transactions that are meant to meet each other.
const ManyAttempts = 200

// again returns a trial of the same kind on a backend of its own.
func (t *Fixture) OnNewBackend() *Fixture {
	own := *t
	c := *t.Client
	own.Client = &c
	own.Ctx = t.TB.Context()
	own.Backend = t.open(t.TB, t.Model)
	own.bind()
	return &own
}

var ErrRollback = errors.New("rolled back on purpose")

// trialOptions are the settings of a trial. They convert to and from Options.
type Options struct {
	Checks     int
	Patience   time.Duration
	Timeout    time.Duration
	Reopen     func(tb testing.TB, closed core.Backend) core.Backend
	Decorators func(tb testing.TB) []core.Decorator
}

// opener returns a fresh, empty backend that can hold the model.
type Factory = func(tb testing.TB, m *core.Model) core.Backend
