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
type inFlight struct {
	limit int64

	mu      sync.Mutex
	used    int64
	exceeds *share // the one share that may exceed limit; nil if none does
	waiting []*claim
}

// share is what one request holds. It belongs to the goroutine of the request.
type share struct {
	of   *inFlight
	held int64
}

// claim is a share that waits for more bytes.
type claim struct {
	share   *share
	bytes   int64
	granted chan struct{}
}

// errInFlight is the cause of a request that gave up.
var errInFlight = errors.New("other requests hold all bytes of Options.MaxInFlight")

// grow adds n bytes to the share, and waits for them until ctx ends.
//
// Errors: [core.Unavailable].
func (s *share) grow(ctx context.Context, n int64) error {
	if n <= 0 {
		return nil
	}
	f := s.of
	f.mu.Lock()
	c := &claim{share: s, bytes: n, granted: make(chan struct{})}
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
		return f.giveUp(c, ctx.Err())
	}
}

// growNow is grow for a request that may have a transaction open: it does not wait,
// because those that hold the bytes may wait for that transaction.
//
// Errors: [core.Unavailable].
func (s *share) growNow(n int64) error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if n <= 0 || s.of.grant(&claim{share: s, bytes: n}) {
		return nil
	}
	return &core.Error{Code: core.Unavailable, Cause: errInFlight}
}

// giveUp withdraws a claim, unless it was granted meanwhile.
func (f *inFlight) giveUp(c *claim, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting, c)
	if i < 0 {
		return nil
	}
	f.waiting = slices.Delete(f.waiting, i, i+1)
	return &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("%w: %w", errInFlight, cause)}
}

// grant gives a claim its bytes if it can have them now.
func (f *inFlight) grant(c *claim) bool {
	s := c.share
	switch {
	case f.used+c.bytes <= f.limit:
	case f.used == s.held, f.exceeds == s:
	case s.held > 0 && f.exceeds == nil:
		f.exceeds = s
	default:
		return false
	}
	f.used += c.bytes
	s.held += c.bytes
	return true
}

// shrink takes n bytes from the share, which others may wait for.
func (s *share) shrink(n int64) {
	if n <= 0 {
		return
	}
	f := s.of
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= n
	if s.held -= n; s.held == 0 && f.exceeds == s {
		f.exceeds = nil
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(c *claim) bool {
		if !f.grant(c) {
			return false
		}
		close(c.granted)
		return true
	})
}

// release ends the share.
func (s *share) release() { s.shrink(s.held) }
