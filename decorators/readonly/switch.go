package readonly

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// Switch makes a store read-only while it is on, for maintenance: flipped while
// the program runs, by any goroutine. The zero Switch is off. It must not be copied
// once it is used, and may stand in several stores, which it closes at once.
type Switch struct {
	on      atomic.Bool
	mu      sync.Mutex
	writers int           // read-write transactions and lone writes on their way
	idle    chan struct{} // closed when there are none; nil if nobody waits
}

// Set turns the switch on or off. A write that comes to the decorator after Set(true)
// has returned is refused, be it a lone one or a further one of a transaction that is on
// its way. Set stops nothing that came before and waits for nothing: a write that the
// decorator has let past may still reach the backend, and a transaction may still commit
// what it wrote. [Switch.Wait] waits for both.
func (s *Switch) Set(on bool) {
	s.mu.Lock() // no writer is between its look at the switch and being counted
	defer s.mu.Unlock()
	s.on.Store(on)
}

// On reports whether the switch is on.
func (s *Switch) On() bool { return s.on.Load() }

// Wait waits until none of the lone writes and read-write transactions that the
// decorator has let past is on its way any more, whether or not the transactions write.
// After Set(true) and then Wait nothing changes until Set(false); with the switch off,
// new ones may begin meanwhile.
//
// Errors: that of ctx, when it ends before. Who calls it in a transaction waits for
// itself.
func (s *Switch) Wait(ctx context.Context) error {
	idle := s.untilIdle()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Decorator returns the decorator that refuses writes while the switch is on.
// Transactions that begin meanwhile reach the backend as read-only ones.
func (s *Switch) Decorator() core.Decorator {
	on := func(*core.Resource) bool { return s.On() }
	return decorator(on, "while its switch is on", func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch {
			case !op.Writes():
			case op.Kind != core.Tx && op.Tx != nil: // its transaction is counted: no lock
				if s.On() {
					return core.Result{}, refusal(op)
				}
			case s.enter():
				defer s.leave()
			case op.Kind == core.Tx:
				op.Tx.ReadOnly = true
			default:
				return core.Result{}, refusal(op)
			}
			return next(ctx, op)
		}, nil
	})
}

// enter counts a writer, unless the switch is on.
func (s *Switch) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on.Load() {
		return false
	}
	s.writers++
	return true
}

func (s *Switch) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers--; s.writers == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// untilIdle returns a channel that is closed when there is no writer.
func (s *Switch) untilIdle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}
