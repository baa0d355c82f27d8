package core

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Transaction is an open transaction, handed to the function of [Store.Tx]. Its
// operations are the methods of [Session]. They may be called by several
// goroutines and run one at a time. After an operation failed in the backend,
// the transaction can only be rolled back: further operations fail with
// [ErrTxFailed].
type Transaction struct {
	Session
}

// AfterCommit has fn called once the transaction has committed, in the order in
// which functions were given; never if it rolls back. A transaction that is
// repeated starts with none.
func (t *Transaction) AfterCommit(fn func(ctx context.Context)) { t.tx.info.AfterCommit(fn) }

// Final returns a session for the last operation of the transaction: the backend
// may commit along with it, so nothing can follow, and an error that the
// function returns afterwards no longer undoes it.
func (t *Transaction) Final() Session {
	return Session{store: t.store, tx: t.tx, final: true}
}

// TxInfo is what ops know of the transaction that they belong to.
type TxInfo struct {
	// Attempt counts the tries of the transaction, from 1.
	Attempt int
	// ReadOnly: writes are refused. A decorator may set it on an op of kind [Tx],
	// before it passes the op on, and must not clear it.
	ReadOnly bool

	mu    sync.Mutex
	hooks []func(ctx context.Context)
}

// AfterCommit is [Transaction.AfterCommit] for decorators.
func (i *TxInfo) AfterCommit(fn func(ctx context.Context)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hooks = append(i.hooks, fn)
}

func (i *TxInfo) committed(ctx context.Context) {
	i.mu.Lock()
	hooks := i.hooks
	i.hooks = nil
	i.mu.Unlock()
	for _, fn := range hooks {
		fn(ctx)
	}
}

// transaction is the state of an open transaction.
type transaction struct {
	info   *TxInfo
	handle Transaction // what the function gets

	mu      sync.Mutex // serializes the operations
	backend BackendTx
	failed  error // the first error of the backend
	done    bool
}

// run runs one operation on the open transaction.
func (t *transaction) run(ctx context.Context, op *Op) (Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.done:
		return Result{}, &Error{Code: ServerError, Cause: ErrTxDone}
	case t.failed != nil:
		return Result{}, &Error{Code: AsError(t.failed).Code, Cause: errors.Join(ErrTxFailed, t.failed)}
	case t.info.ReadOnly && op.Kind.Writes():
		return Result{}, &Error{Code: ReadOnly, Resource: op.Resource.external}
	}
	t.failed = errInterrupted // stays if the backend panics
	res, err := dispatch(ctx, t.backend, op)
	t.failed = err
	t.done = op.Final && err == nil
	return res, err
}

var errInterrupted = errors.New("operation was interrupted by a panic")

// end closes the transaction for further operations and returns the first
// failure.
func (t *transaction) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	return t.failed
}

// rollbackTime is how long the rollback may take after its context ended.
const rollbackTime = 5 * time.Second

// rollback undoes the transaction even if ctx has ended. Its error is of no use
// to anybody: the transaction did not happen either way.
func rollback(ctx context.Context, tx BackendTx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer cancel()
	_ = tx.Rollback(ctx)
}
