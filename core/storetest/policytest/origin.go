package policytest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// origin is a context in which an operation is sent: outside a transaction, or in a certain transaction.
type origin struct {
	name     string
	readOnly bool // writes are not possible
	commits  bool // writes are committed
	// run calls fn with the context and the querier of the operation. principal is the actor's.
	run func(t *scenario, principal *core.Principal, fn func(ctx context.Context, s core.Querier) error) error
}

var origins = []origin{
	{name: "outside a transaction", commits: true, run: func(t *scenario, _ *core.Principal, fn func(context.Context, core.Querier) error) error {
		return fn(t.ctx, t.store)
	}},
	{name: "in a transaction", run: func(t *scenario, principal *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(principal, core.TxOptions{}, fn)
	}},
	{name: "in a read-only transaction", readOnly: true, run: func(t *scenario, principal *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(principal, core.TxOptions{ReadOnly: true}, fn)
	}},
	{name: "as the final operation of a transaction", commits: true, run: func(t *scenario, principal *core.Principal, fn func(context.Context, core.Querier) error) error {
		ctx, _ := t.newProbe(t.ctx, principal)
		return t.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { return fn(ctx, tx.Final()) })
	}},
	{name: "in a transaction of the system", run: func(t *scenario, _ *core.Principal, fn func(context.Context, core.Querier) error) error {
		return t.transaction(systemPrincipal, core.TxOptions{}, fn)
	}},
	{name: "in a transaction of another principal", run: func(t *scenario, principal *core.Principal, fn func(context.Context, core.Querier) error) error {
		other := t.Principals[0]
		if other == principal {
			other = t.Principals[len(t.Principals)-1]
		}
		return t.transaction(other, core.TxOptions{}, fn)
	}},
}

// transaction runs fn in a transaction that it rolls back.
func (t *scenario) transaction(principal *core.Principal, opts core.TxOptions, fn func(context.Context, core.Querier) error) error {
	ctx, _ := t.newProbe(t.ctx, principal)
	return t.store.TxWith(ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		return kit.ErrRollback
	})
}

// execute sends an operation for the actor. It returns the result and the ops that arrived innermost. Unless the origin
// commits, the writes are rolled back.
func (t *scenario) execute(at origin, g actor, a operation) (result, []*core.Op) {
	o, p, reached := result{}, &probe{}, false
	err := at.run(t, g.principal, func(ctx context.Context, s core.Querier) error {
		ctx, p = t.newProbe(ctx, g.principal)
		o, reached = a.run(ctx, s), true
		return o.err
	})
	if !reached {
		o.err = err // the stack denied the transaction itself
	}
	return o, p.ops()
}
