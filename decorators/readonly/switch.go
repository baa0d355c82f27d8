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
	writers int           // read-write transactions and lone writes on their way
	idle    chan struct{} // closed when there are none; nil if nobody waits
	// sealed holds the open transactions that began while the switch was on, under a decorator that names resources. Such a
	// transaction may write to other resources and is not counted in writers, so it must not write to the named ones even
	// after the switch is off.
	sealed map[*core.TxInfo]bool
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
// After Set(true) and then Wait no read-only resource changes until Set(false); with the switch off,
// new ones may begin meanwhile. Transactions that began while the switch was on are not waited for.
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

// seal keeps the transaction from writing to the named resources until it ends.
func (s *Switch) seal(tx *core.TxInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed == nil {
		s.sealed = make(map[*core.TxInfo]bool)
	}
	s.sealed[tx] = true
}

func (s *Switch) unseal(tx *core.TxInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sealed, tx)
}

func (s *Switch) isSealed(tx *core.TxInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed[tx]
}
