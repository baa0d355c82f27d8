package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/larder-go/larder/core"
)

// inFlight bounds the bytes that the requests of a handler hold at a time.
//
// A request that holds nothing waits until its bytes fit, or until no other request
// holds any. A request that holds bytes and needs more may hold what others wait for,
// so one such request at a time may exceed the bound: it ends, and others go on.
type byteBudget struct {
	limit int64

	mu        sync.Mutex
	used      int64
	overdrawn *reservation // the one share that may exceed limit; nil if none does
	waiting   []*waiter
}

// share is what one request holds. It belongs to the goroutine of the request.
type reservation struct {
	budget *byteBudget
	held   int64
}

// claim is a share that waits for more bytes.
type waiter struct {
	reservation *reservation
	bytes       int64
	granted     chan struct{}
}

// errInFlight is the cause of a request that gave up.
var errBudgetUsed = errors.New("other requests hold all bytes of Options.MaxInFlight")

// grow adds n bytes to the share, and waits for them until ctx ends.
//
// Errors: [core.Unavailable].
func (s *reservation) acquire(ctx context.Context, n int64) error {
	if n <= 0 {
		return nil
	}
	f := s.budget
	f.mu.Lock()
	c := &waiter{reservation: s, bytes: n, granted: make(chan struct{})}
	if f.grant(c) {
		f.mu.Unlock()
		return nil
	}
	f.waiting = append(f.waiting, c)
	f.mu.Unlock()
	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
		return f.cancel(c, ctx.Err())
	}
}

// growNow is grow for a request that may have a transaction open: it does not wait,
// because those that hold the bytes may wait for that transaction.
//
// Errors: [core.Unavailable].
func (s *reservation) tryAcquire(n int64) error {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	if n <= 0 || s.budget.grant(&waiter{reservation: s, bytes: n}) {
		return nil
	}
	return &core.Error{Code: core.Unavailable, Cause: errBudgetUsed}
}

// giveUp withdraws a claim, unless it was granted meanwhile.
func (f *byteBudget) cancel(c *waiter, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting, c)
	if i < 0 {
		return nil
	}
	f.waiting = slices.Delete(f.waiting, i, i+1)
	return &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("%w: %w", errBudgetUsed, cause)}
}

// grant gives a claim its bytes if it can have them now.
func (f *byteBudget) grant(c *waiter) bool {
	s := c.reservation
	switch {
	case f.used+c.bytes <= f.limit:
	case f.used == s.held, f.overdrawn == s:
	case s.held > 0 && f.overdrawn == nil:
		f.overdrawn = s
	default:
		return false
	}
	f.used += c.bytes
	s.held += c.bytes
	return true
}

// shrink takes n bytes from the share, which others may wait for.
func (s *reservation) release(n int64) {
	if n <= 0 {
		return
	}
	f := s.budget
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= n
	if s.held -= n; s.held == 0 && f.overdrawn == s {
		f.overdrawn = nil
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(c *waiter) bool {
		if !f.grant(c) {
			return false
		}
		close(c.granted)
		return true
	})
}

// release ends the share.
func (s *reservation) releaseAll() { s.release(s.held) }
