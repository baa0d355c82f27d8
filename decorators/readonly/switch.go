package readonly

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// Switch makes a store, or the resources of [Options], read-only while it is on: for maintenance, by any goroutine, while
// the program runs. The zero Switch is off. It must not be copied after first use. Several decorators and stores may share
// a switch.
type Switch struct {
	on      atomic.Bool
	mu      sync.Mutex
	writers int           // running read-write transactions, and running writes outside transactions
	idle    chan struct{} // closed when writers is 0; nil unless a Wait needs it
	// restricted holds the open transactions that began while the switch was on, under a decorator that names resources.
	// Such a transaction may write to other resources and is not counted in writers, so it must not write to the named ones
	// even after the switch is off.
	restricted map[*core.TxInfo]bool
}

// Set turns the switch on or off. After Set(true) has returned, the decorator rejects every new write, also in a transaction
// that has begun before. Set neither stops nor awaits earlier writes: a write that has passed the decorator may still reach
// the backend, and a transaction may still commit its writes. [Switch.Wait] waits for both.
func (s *Switch) Set(on bool) {
	s.mu.Lock() // enter reads the switch and counts the writer under the same lock
	defer s.mu.Unlock()
	s.on.Store(on)
}

// On reports whether the switch is on.
func (s *Switch) On() bool { return s.on.Load() }

// Wait waits until all writes and read-write transactions that have passed the decorator have ended. After Set(true) and then
// Wait, no read-only resource changes until Set(false). While the switch is off, new writes may begin meanwhile. Wait does not
// wait for transactions that began while the switch was on.
//
// A call inside a read-write transaction that began with the switch off waits for itself until ctx ends.
//
// Errors: the error of ctx, if ctx ends first.
func (s *Switch) Wait(ctx context.Context) error {
	idle := s.untilIdle()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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

// untilIdle returns a channel that is closed when no writer runs.
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

// restrict rejects writes of the transaction to the named resources until it ends.
func (s *Switch) restrict(tx *core.TxInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.restricted == nil {
		s.restricted = make(map[*core.TxInfo]bool)
	}
	s.restricted[tx] = true
}

func (s *Switch) unrestrict(tx *core.TxInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.restricted, tx)
}

func (s *Switch) isRestricted(tx *core.TxInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restricted[tx]
}
