package memtable

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// sequence hands out the whole numbers from 1 that it neither handed out nor saw
// before. It belongs to no transaction, so nothing that it did is undone.
type sequence struct {
	resource *core.Resource
	log      Log
	last     atomic.Int64
	limit    atomic.Int64 // as far as the log lets it go
	mu       sync.Mutex   // held while the log moves the limit
	closed   atomic.Bool
}

// limitTo keeps the sequence from going on before the log has said how far; without
// a log nothing holds it.
func (s *sequence) limitTo(log Log) {
	s.limit.Store(math.MaxInt64)
	if log != nil {
		s.limit.Store(s.last.Load())
	}
}

// take returns the first of n numbers.
func (s *sequence) take(n int) (first int64, err error) {
	for {
		last := s.last.Load()
		if s.closed.Load() {
			return 0, core.ErrClosed
		}
		if int64(n) > math.MaxInt64-last {
			return 0, fmt.Errorf("memtable: %s: no %d keys are left up to the largest number", s.resource, n)
		}
		next := last + int64(n)
		if next > s.limit.Load() {
			if err := s.reserve(next); err != nil {
				return 0, err
			}
			continue
		}
		if s.last.CompareAndSwap(last, next) {
			return last + 1, nil
		}
	}
}

// reserve moves the limit to a number or beyond.
func (s *sequence) reserve(atLeast int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if atLeast <= s.limit.Load() {
		return nil
	}
	upTo, err := s.log.Reserve(s.resource, atLeast)
	if err == nil {
		s.limit.Store(upTo)
	}
	return err
}

// close makes take fail and returns the last number. Who is in the middle of take
// finds another last number than it started from.
func (s *sequence) close() (last int64) {
	s.closed.Store(true)
	return s.last.Swap(math.MaxInt64)
}

// follow makes the sequence go on behind a key that was chosen elsewhere.
func (s *sequence) follow(key core.Value) {
	for {
		last := s.last.Load()
		if key.Int() <= last || s.last.CompareAndSwap(last, key.Int()) {
			return
		}
	}
}

// unknown reports whether the log is not told of the key unless a record says it.
func (s *sequence) unknown(key core.Value) bool { return key.Int() > s.limit.Load() }

// nextKeys hands out n keys of the resource.
func (s *Store) nextKeys(r *core.Resource, n int) ([]core.Value, error) {
	next := core.NewUUID
	switch r.Key().Type() {
	case core.Int:
		first, err := s.sequences[r.Index()].take(n)
		if err != nil {
			return nil, err
		}
		next = func() core.Value {
			first++
			return core.IntValue(first - 1)
		}
	case core.Text:
		return nil, &core.Error{Code: core.BadRequest, Message: "the keys of " + r.External() + " are texts, of which none is next"}
	}
	keys := make([]core.Value, n)
	for i := range keys {
		keys[i] = next()
	}
	return keys, nil
}
