package policytest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// place is where an operation is sent from.
type origin struct {
	name     string
	readOnly bool // writes cannot be sent from here
	commits  bool // what is written from here stays
	// run calls fn with what operations for the principal are sent with.
	run func(t *scenario, who *core.Principal, fn func(ctx context.Context, s core.Querier) error) error
}

var origins = []origin{
	{name: "alone", commits: true, run: func(t *scenario, _ *core.Principal, fn func(context.Context, core.Querier) error) error {
		return fn(t.ctx, t.store)
	}},
	{name: "in a transaction", run: func(t *scenario, who *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(who, core.TxOptions{}, fn)
	}},
	{name: "in a transaction that reads", readOnly: true, run: func(t *scenario, who *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(who, core.TxOptions{ReadOnly: true}, fn)
	}},
	{name: "as the last of a transaction", commits: true, run: func(t *scenario, who *core.Principal, fn func(context.Context, core.Querier) error) error {
		ctx, _ := t.newProbe(t.ctx, who)
		return t.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { return fn(ctx, tx.Final()) })
	}},
	{name: "in a transaction of the program's", run: func(t *scenario, _ *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(systemPrincipal, core.TxOptions{}, fn)
	}},
	{name: "in a transaction of another principal's", run: func(t *scenario, who *core.Principal, fn func(context.Context, core.Querier) error) error {
		other := t.Principals[0]
		if other == who {
			other = t.Principals[len(t.Principals)-1]
		}
		return t.transaction(other, core.TxOptions{}, fn)
	}},
}

// transaction runs fn in one that rolls back.
func (t *scenario) transaction(who *core.Principal, opts core.TxOptions, fn func(context.Context, core.Querier) error) error {
	ctx, _ := t.newProbe(t.ctx, who)
	return t.store.TxWith(ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		return kit.ErrRollback
	})
}

// try sends an attempt for the guest, and returns what came of it and what
// arrived. What it wrote is undone.
func (t *scenario) execute(at origin, g actor, a operation) (result, []*core.Op) {
	o, p, reached := result{}, &probe{}, false
	err := at.run(t, g.principal, func(ctx context.Context, s core.Querier) error {
		ctx, p = t.newProbe(ctx, g.principal)
		o, reached = a.run(ctx, s), true
		return o.err
	})
	if !reached {
		o.err = err // of the transaction, which may be refused as a whole
	}
	return o, p.ops()
}
