package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// DefaultAttempts is the default number of attempts of a transaction that conflicts. Fewer do not suffice for twenty
// writers that change the same rows of a serializable PostgreSQL.
const DefaultAttempts = 10

// TxOptions are the conditions of a transaction for [Store.TxWith]. The zero value is a read-write transaction with the
// default number of attempts.
type TxOptions struct {
	// ReadOnly rejects writes with the code [ReadOnly]. The transaction sees one snapshot.
	ReadOnly bool
	// Attempts bounds the attempts of a transaction that conflicts with others. 0 or less means [DefaultAttempts],
	// 1 means no retry.
	Attempts int
	// Locks are names that the transaction locks before fn runs, and before it takes its snapshot: transactions with a
	// common name run one after another, also in several processes on one database, and therefore see each other's
	// writes instead of conflicting. Use it for counters and other records that many transactions read and then change:
	//
	//	core.TxOptions{Locks: []string{"stock of warehouse 7"}}
	//
	// The store sorts the names, so that their order does not matter. The wait ends with the context. Every attempt
	// takes the locks again, and every end of the transaction releases them. A read-only transaction takes none.
	Locks []string
}

// Tx runs fn in a transaction. It commits if fn returns nil, and rolls back if fn returns an error or panics. After a
// conflict with other transactions it waits and repeats the whole transaction, fn included, up to [DefaultAttempts]
// attempts. So fn must have no effects outside the transaction, except through [Transaction.AfterCommit].
//
// fn must use the transaction and the context that it gets. The store itself, used with that context, fails with
// [ErrOuterStore], and so does a nested Tx.
//
// Tx returns after fn has returned, even if a decorator such as a timeout gives up earlier. It returns an error of fn
// unchanged. Other errors come from [Store] and from the commit: [NotFound], [AlreadyExists] and
// [StillReferenced] for broken relations and unique values, and [OutcomeUnknown] with [ErrCommitUnknown] for a
// commit that may have happened. If the context ends between two attempts, errors.Is finds both its error and that of
// the last attempt.
func (s *Store) Tx(ctx context.Context, fn func(ctx context.Context, tx *Transaction) error) error {
	return s.TxWith(ctx, TxOptions{}, fn)
}

// TxWith is [Store.Tx] with options, such as a read-only transaction or another number of attempts.
func (s *Store) TxWith(ctx context.Context, opts TxOptions, fn func(ctx context.Context, tx *Transaction) error) error {
	outer := stateOf(ctx)
	if outer.within(s) {
		return &Error{Code: ServerError, Cause: ErrOuterStore}
	}
	if s.closed.Load() {
		return &Error{Code: Unavailable, Cause: ErrClosed}
	}
	attempts := opts.Attempts
	if attempts <= 0 {
		attempts = DefaultAttempts
	}
	inside := &state{principal: outer.principal, inside: s, outer: outer}
	locks := union(nil, opts.Locks)
	for attempt := 1; ; attempt++ {
		begun := time.Now()
		again, missing, err := s.attempt(ctx, inside, &TxInfo{Attempt: attempt, ReadOnly: opts.ReadOnly, Began: now()}, locks, fn)
		if err == nil || !again || attempt >= attempts {
			return err
		}
		locks = union(locks, missing)
		if err := backOff(ctx, attempt, time.Since(begun), err); err != nil {
			return err
		}
	}
}

// functionError marks the error of a transaction's function on its way through the chain. The store recognises it
// even if the error cannot be compared.
type functionError struct {
	error

	failed error // first error of an operation in the backend
}

func (e *functionError) Unwrap() error { return e.error }

// intended reports whether the error is a deliberate rollback by the program: it has no code, it is neither a context
// error nor a conflict, and no operation had failed.
func (e *functionError) intended() bool {
	if _, coded := errors.AsType[*Error](e.error); coded || e.failed != nil {
		return false
	}
	if _, coded := errors.AsType[Code](e.error); coded {
		return false
	}
	return AsError(e.error).Code == ServerError
}

// attempt sends one attempt of the transaction through the chain. It reports whether another attempt may succeed, and
// which locks that one should take besides.
func (s *Store) attempt(
	ctx context.Context, inside *state, info *TxInfo, locks []string, fn func(context.Context, *Transaction) error,
) (again bool, missing []string, _ error) {
	var own *functionError
	var last *transaction
	var failures error // errors of the function and of its operations
	var runs calls
	op := &Op{Kind: Tx, Tx: info, origin: s, Principal: inside.principal, locks: locks}
	op.attempt = func(ctx context.Context, t *transaction) error {
		if !runs.begin() {
			return &Error{Code: ServerError, Cause: ErrTxDone}
		}
		defer runs.end()
		own, last = nil, t
		err := fn(context.WithValue(ctx, stateKey{}, inside), &Transaction{session{store: s, tx: t}})
		failed := t.end()
		failures = errors.Join(err, failed)
		if err != nil {
			own = &functionError{err, failed}
			return own
		}
		return failed
	}
	_, err := s.handler(ctx, op)
	runs.close()
	all := errors.Join(failures, err)
	again, missing = repeatable(all) && !last.hasCommitted(), last.countedLocks()
	if own != nil && (err == nil || errors.Is(err, own)) {
		return again, missing, own.error
	}
	return again, missing, wrap(err)
}

// transact begins, runs and commits one attempt. It is the innermost handler of a Tx.
func (s *Store) transact(ctx context.Context, op *Op) error {
	info := op.Tx
	tx, err := s.backend.Begin(ctx, BackendTxOptions{ReadOnly: info.ReadOnly})
	if err != nil {
		return err
	}
	t := &transaction{info: info, backend: tx}
	outside := info.hookCount()
	defer func() { // after an error, a panic or a Goexit, too
		if t.close(ctx) {
			info.runHooks(ctx)
		} else {
			info.discardHooks(outside)
		}
	}()
	if len(op.locks) > 0 && !info.ReadOnly {
		if err := tx.Lock(ctx, op.locks); err != nil {
			return err
		}
	}
	if err := op.attempt(ctx, t); err != nil {
		return err
	}
	return t.commit(ctx)
}

// union returns the names of both lists, sorted and without duplicates.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// The pause before another attempt is random, so that conflicting transactions do not meet again. Its upper bound is
// the duration of the attempt, within these limits, doubled for each further attempt.
const (
	minPause = 500 * time.Microsecond
	maxPause = 500 * time.Millisecond
	// singlePause stands for the duration of an operation outside a transaction, which is not measured.
	singlePause = 4 * time.Millisecond
)

// backOff waits before the next attempt. If the context ends, it returns the error of the last attempt joined with
// that of the context.
func backOff(ctx context.Context, attempt int, took time.Duration, last error) error {
	pause := maxPause
	if attempt < 10 {
		pause = min(maxPause, max(minPause, min(took, maxPause))<<(attempt-1))
	}
	timer := time.NewTimer(rand.N(pause))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return &Error{Code: Unavailable, Cause: errors.Join(last, ctx.Err())}
	case <-timer.C:
		return nil
	}
}

// calls tracks the runs of a transaction's function. A decorator that calls the next handler in a goroutine may
// return earlier than the function: close waits for the function and prevents later runs.
type calls struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// begin reports whether the function may run. If so, end must follow.
func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Add(1)
	}
	return !c.closed
}

func (c *calls) end() { c.running.Done() }

// close waits for a run that has begun, and prevents others.
func (c *calls) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
}

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
// transaction as an op of kind [Tx]. An error of fn rolls it back, or prevents the commit of the op's transaction, and is
// returned unchanged. After a conflict the store repeats the whole op. An op of kind Tx fails with [ServerError].
func (op *Op) InTx(ctx context.Context, next Handler, fn func(ctx context.Context, op *Op) (Result, error)) (Result, error) {
	switch {
	case op.Kind == Tx:
		return Result{}, &Error{Code: ServerError, Cause: errTxInTx}
	case op.handle != nil:
		res, err := fn(ctx, op)
		if err != nil {
			op.handle.fail(err)
		}
		return res, err
	}
	outer := stateOf(ctx)
	inside := &state{principal: outer.principal, inside: op.origin, outer: outer}
	var res Result
	var failed error
	var last *transaction
	var runs calls
	info := &TxInfo{Attempt: op.Attempt(), ReadOnly: !op.Kind.Writes(), Began: op.Now()}
	begin := &Op{Kind: Tx, Principal: op.Principal, Tx: info, origin: op.origin, locks: op.locks}
	begin.attempt = func(ctx context.Context, t *transaction) error {
		if !runs.begin() {
			return &Error{Code: ServerError, Cause: ErrTxDone}
		}
		defer runs.end()
		part := *op
		part.handle, part.Tx, last = t, t.info, t
		if res, failed = fn(context.WithValue(ctx, stateKey{}, inside), &part); failed == nil {
			failed = t.end()
		}
		return failed
	}
	_, err := next(ctx, begin)
	runs.close()
	switch {
	case failed != nil: // also if a decorator has dropped it
		return Result{}, withLocks(failed, last.countedLocks())
	case err != nil:
		return Result{}, withLocks(err, last.countedLocks())
	}
	return res, nil
}
