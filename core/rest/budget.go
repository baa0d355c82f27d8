package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/larder-go/larder/core"
)

// byteBudget bounds the bytes that the requests of a handler hold together ([Options.MaxInFlight]).
//
// A request that holds no bytes waits until its bytes fit, or until no other request holds any. A request that already
// holds bytes and needs more could wait for requests that wait for it. To prevent that deadlock, one such request at a
// time may exceed the limit; it finishes, and the others continue.
type byteBudget struct {
	limit int64

	mu        sync.Mutex
	used      int64
	overdrawn *reservation // the reservation that may exceed limit; nil if there is none
	waiting   []*waiter
}

// reservation is the bytes that one request holds. Only the goroutine of the request uses it.
type reservation struct {
	budget *byteBudget
	held   int64
}

// waiter is a reservation that waits for more bytes.
type waiter struct {
	reservation *reservation
	bytes       int64
	granted     chan struct{} // closed once the reservation has the bytes
}

// errBudgetUsed is the cause of the error of a request that got no bytes.
var errBudgetUsed = errors.New("other requests hold all bytes of Options.MaxInFlight")

// acquire adds n bytes to the reservation. It waits for them until ctx ends.
//
// Errors: [core.Unavailable].
func (r *reservation) acquire(ctx context.Context, n int64) error {
	if n <= 0 {
		return nil
	}
	b := r.budget
	b.mu.Lock()
	w := &waiter{reservation: r, bytes: n, granted: make(chan struct{})}
	if b.grant(w) {
		b.mu.Unlock()
		return nil
	}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		return b.cancel(w, ctx.Err())
	}
}

// tryAcquire adds n bytes to the reservation without waiting. A request with an open transaction must use it, because
// the requests that hold the bytes may wait for that transaction.
//
// Errors: [core.Unavailable].
func (r *reservation) tryAcquire(n int64) error {
	r.budget.mu.Lock()
	defer r.budget.mu.Unlock()
	if n <= 0 || r.budget.grant(&waiter{reservation: r, bytes: n}) {
		return nil
	}
	return &core.Error{Code: core.Unavailable, Cause: errBudgetUsed}
}

// cancel ends the wait of w. It returns nil if w has got its bytes meanwhile.
func (b *byteBudget) cancel(w *waiter, cause error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting, w)
	if i < 0 {
		return nil
	}
	b.waiting = slices.Delete(b.waiting, i, i+1)
	return &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("%w: %w", errBudgetUsed, cause)}
}

// grant adds the bytes of w to its reservation and reports true, if the reservation may have them now. The caller holds
// b.mu.
func (b *byteBudget) grant(w *waiter) bool {
	r := w.reservation
	switch {
	case b.used+w.bytes <= b.limit:
	case b.used == r.held, b.overdrawn == r:
	case r.held > 0 && b.overdrawn == nil:
		b.overdrawn = r
	default:
		return false
	}
	b.used += w.bytes
	r.held += w.bytes
	return true
}

// release returns n bytes of the reservation to the budget, and grants waiters the bytes that fit now.
func (r *reservation) release(n int64) {
	if n <= 0 {
		return
	}
	b := r.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if r.held -= n; r.held == 0 && b.overdrawn == r {
		b.overdrawn = nil
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(w *waiter) bool {
		if !b.grant(w) {
			return false
		}
		close(w.granted)
		return true
	})
}

// releaseAll returns all bytes of the reservation to the budget.
func (r *reservation) releaseAll() { r.release(r.held) }
