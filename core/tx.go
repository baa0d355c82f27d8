package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// DefaultAttempts is how often a transaction that conflicts is tried by default:
// once and nine retries. Two, as the original had, are too few for a score of writers
// that all change the same rows of a serializable PostgreSQL.
const DefaultAttempts = 10

// TxOptions are the conditions of a transaction for [Store.TxWith]. The zero value is a read-write transaction with the
// default number of attempts.
type TxOptions struct {
	// ReadOnly rejects writes. The transaction sees one snapshot.
	ReadOnly bool
	// Attempts is how often the transaction is tried at most when it conflicts with others; 0 means [DefaultAttempts], 1
	// means no retry.
	Attempts int
}

// Tx runs fn in a transaction: it commits if fn returns nil and rolls back if fn
// returns an error or panics. When the transaction conflicts with others, all of
// it is repeated after a pause, fn included, up to [DefaultAttempts] times; so fn must
// have no effects outside the transaction but through [Transaction.AfterCommit].
// fn uses the transaction and the context that it is given: the store itself,
// used with that context, fails at once with [ErrOuterStore], and so does a Tx
// inside a Tx.
//
// Tx returns when fn has: also where a decorator, such as a time-out, gives up before.
// It returns the error of fn as it is. Its own errors are those of [Store] and
// of the commit, which may tell of broken relations and unique values, and
// [OutcomeUnknown] with [ErrCommitUnknown] when nobody knows whether the commit
// happened. If the context ends in the pause before another try, errors.Is finds
// both its error and the one of the last try.
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
	for attempt := 1; ; attempt++ {
		begun := time.Now()
		again, err := s.attempt(ctx, inside, &TxInfo{Attempt: attempt, ReadOnly: opts.ReadOnly}, fn)
		if err == nil || !again || attempt >= attempts {
			return err
		}
		if err := backOff(ctx, attempt, time.Since(begun), err); err != nil {
			return err
		}
	}
}

// functionError marks the error of the function of a transaction on its way
// through the chain, so that it is known again even if it cannot be compared.
type functionError struct {
	error

	failed error // of an operation, in the backend
}

func (e *functionError) Unwrap() error { return e.error }

// intended reports whether the error is the program's own way to roll back: it has no
// code and is none of a context or a conflict, and no operation had failed.
func (e *functionError) intended() bool {
	if _, coded := errors.AsType[*Error](e.error); coded || e.failed != nil {
		return false
	}
	if _, coded := errors.AsType[Code](e.error); coded {
		return false
	}
	return AsError(e.error).Code == ServerError
}

// attempt sends one try of the transaction through the chain, and reports
// whether a failure is one that another try may not have.
func (s *Store) attempt(
	ctx context.Context, inside *state, info *TxInfo, fn func(context.Context, *Transaction) error,
) (again bool, _ error) {
	var own *functionError
	var last *transaction
	var failures error // of the function and of its operations
	var runs calls
	op := &Op{Kind: Tx, Tx: info, origin: s, Principal: inside.principal}
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
	again = repeatable(errors.Join(failures, err)) && !last.hasCommitted()
	if own != nil && (err == nil || errors.Is(err, own)) {
		return again, own.error
	}
	return again, wrap(err)
}

// transact begins, runs and commits one try, innermost in the chain.
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
	if err := op.attempt(ctx, t); err != nil {
		return err
	}
	return t.commit(ctx)
}

// The pause before another try is drawn evenly from a range, so that those who
// conflicted do not meet again. The range is what the try took, within these bounds,
// and doubles each time: a shorter one would not part transactions of that length, a
// longer one only waits.
const (
	minPause = 500 * time.Microsecond
	maxPause = 500 * time.Millisecond
	// lonePause stands for what an operation outside a transaction took, which is not
	// timed.
	singlePause = 4 * time.Millisecond
)

// backOff waits before the next try. If the context ends meanwhile, it returns
// the error of the last try together with the context's.
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

// calls are the runs of a transaction's function. A decorator that calls the next
// handler in a goroutine may return before the function has: the caller of the
// transaction waits for it in close, and no later run begins.
type calls struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// begin reports whether the function may run; end follows it.
func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Add(1)
	}
	return !c.closed
}

func (c *calls) end() { c.running.Done() }

// close waits for the run that has begun and lets none begin.
func (c *calls) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
}
