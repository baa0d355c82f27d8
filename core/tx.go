package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Tx runs fn in a transaction: it commits if fn returns nil and rolls back if fn
// returns an error or panics. When the transaction conflicts with others, all of
// it is repeated after a pause, fn included, up to opts.Attempts times; so fn must
// have no effects outside the transaction but through [Transaction.AfterCommit].
// fn uses the transaction and the context that it is given: the store itself,
// used with that context, fails at once with [ErrOuterStore], and so does a Tx
// inside a Tx.
//
// Tx returns the error of fn as it is. Its own errors are those of [Session] and
// of the commit, which may tell of broken relations and unique values, and
// [Unavailable] with [ErrCommitUnknown] when nobody knows whether the commit
// happened.
func (s *Store) Tx(ctx context.Context, opts TxOptions, fn func(ctx context.Context, tx *Transaction) error) error {
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
		t := &try{store: s, inside: inside, fn: fn, info: TxInfo{Attempt: attempt, ReadOnly: opts.ReadOnly}}
		again, err := t.send(ctx)
		if err == nil || !again || attempt >= attempts || !backOff(ctx, attempt) {
			return err
		}
	}
}

// try is one attempt at a transaction.
type try struct {
	store  *Store
	inside *state
	fn     func(ctx context.Context, tx *Transaction) error
	info   TxInfo
	own    error // of fn
	again  bool  // an operation failed for a reason that another try may not have
}

// send sends the try through the chain, and reports whether a failure is one
// that another try may not have.
func (t *try) send(ctx context.Context) (again bool, _ error) {
	op := newOp()
	defer op.release()
	op.Kind, op.Tx, op.origin, op.Principal, op.try = Tx, &t.info, t.store, t.inside.principal, t
	_, err := t.store.handler(ctx, op)
	switch {
	case err == nil:
		return false, nil
	case t.own != nil && errors.Is(err, t.own):
		return t.again, t.own
	}
	return t.again && !errors.Is(err, ErrCommitUnknown) || repeatable(err), wrap(err)
}

// run calls fn with the open transaction.
func (t *try) run(ctx context.Context, open *transaction) error {
	open.handle.Session = Session{store: t.store, tx: open}
	t.own = t.fn(context.WithValue(ctx, stateKey{}, t.inside), &open.handle)
	failed := open.end()
	t.again = errors.Is(t.own, ErrConflict) || errors.Is(failed, ErrConflict)
	if t.own != nil {
		return t.own
	}
	return failed
}

// transact begins, runs and commits one try, innermost in the chain.
func (s *Store) transact(ctx context.Context, op *Op) error {
	info := op.Tx
	tx, err := s.backend.Begin(ctx, TxOptions{ReadOnly: info.ReadOnly})
	if err != nil {
		return err
	}
	t := &transaction{info: info, backend: tx}
	committing := false
	defer func() {
		if !committing { // an error, a panic or a Goexit
			_ = t.end()
			rollback(ctx, tx)
		}
	}()
	if err := op.try.run(ctx, t); err != nil {
		return err
	}
	committing = true
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	info.committed(ctx)
	return nil
}

// The pause before another try doubles each time and is drawn evenly from that
// range, so that those who conflicted do not meet again.
const (
	firstPause = 4 * time.Millisecond
	longPause  = 500 * time.Millisecond
)

// backOff waits before the next try; false if the context ended meanwhile.
func backOff(ctx context.Context, attempt int) bool {
	pause := longPause
	if attempt < 8 {
		pause = min(longPause, firstPause<<(attempt-1))
	}
	timer := time.NewTimer(rand.N(pause))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
