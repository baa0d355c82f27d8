package core

import (
	"context"
	"errors"
)

var errTxInTx = errors.New("a transaction cannot run inside another one")

// InTx runs fn with the op inside a transaction: that of the op, or a new one that commits when fn returns no error.
// A decorator uses it to store what it adds, such as an audit entry, together with the op or not at all:
//
//	return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
//		entry := op.Derive(core.Insert, audit)
//		entry.Records = ...
//		if _, err := next(ctx, entry); err != nil {
//			return core.Result{}, err
//		}
//		return next(ctx, op)
//	})
//
// fn must use the context and the op that it gets. The decorators between this one and the backend see the new
// transaction as an op of kind [Tx]. An error of fn rolls it back and is returned unchanged. After a conflict the
// store repeats the whole op. An op of kind Tx fails with [ServerError].
func (op *Op) InTx(ctx context.Context, next Handler, fn func(ctx context.Context, op *Op) (Result, error)) (Result, error) {
	switch {
	case op.Kind == Tx:
		return Result{}, &Error{Code: ServerError, Cause: errTxInTx}
	case op.handle != nil:
		return fn(ctx, op)
	}
	outer := stateOf(ctx)
	ctx = context.WithValue(ctx, stateKey{}, &state{principal: outer.principal, inside: op.origin, outer: outer})
	var res Result
	var failed error
	var runs calls
	begin := &Op{Kind: Tx, Principal: op.Principal, Tx: &TxInfo{Attempt: op.Attempt(), ReadOnly: !op.Kind.Writes()}, origin: op.origin}
	begin.attempt = func(ctx context.Context, t *transaction) error {
		if !runs.begin() {
			return &Error{Code: ServerError, Cause: ErrTxDone}
		}
		defer runs.end()
		part := *op
		part.handle, part.Tx = t, t.info
		if res, failed = fn(ctx, &part); failed == nil {
			failed = t.end()
		}
		return failed
	}
	_, err := next(ctx, begin)
	runs.close()
	switch {
	case failed != nil: // also if a decorator has dropped it
		return Result{}, failed
	case err != nil:
		return Result{}, err
	}
	return res, nil
}
