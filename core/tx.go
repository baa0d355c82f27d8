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
		again, err := s.attempt(ctx, inside, &TxInfo{Attempt: attempt, ReadOnly: opts.ReadOnly}, fn)
		if err == nil || !again || attempt >= attempts || !backOff(ctx, attempt) {
			return err
		}
	}
}

// attempt sends one try of the transaction through the chain, and reports
// whether a failure is one that another try may not have.
func (s *Store) attempt(
	ctx context.Context, inside *state, info *TxInfo, fn func(context.Context, *Transaction) error,
) (again bool, _ error) {
	var own error // of fn
	op := newOp()
	defer op.release()
	op.Kind, op.Tx, op.origin, op.Principal = Tx, info, s, inside.principal
	op.attempt = func(ctx context.Context, t *transaction) error {
		tx := &Transaction{Session{store: s, tx: t}}
		own = fn(context.WithValue(ctx, stateKey{}, inside), tx)
		failed := t.end()
		again = errors.Is(own, ErrConflict) || errors.Is(failed, ErrConflict)
		if own != nil {
			return own
		}
		return failed
	}
	_, err := s.handler(ctx, op)
	switch {
	case err == nil:
		return false, nil
	case own != nil && errors.Is(err, own):
		return again, own
	}
	return again && !errors.Is(err, ErrCommitUnknown) || repeatable(err), wrap(err)
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
	if err := op.attempt(ctx, t); err != nil {
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
