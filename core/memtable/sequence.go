package memtable

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// sequence generates the whole numbers from 1, none of them twice and none that a
// committed transaction gave to a record. It belongs to no transaction: a number that
// it generated is never taken back. A number that a transaction chose moves it only
// when the transaction commits.
type sequence struct {
	resource *core.Resource
	log      Log
	last     atomic.Int64
	limit    atomic.Int64 // as far as the log lets it go
	mu       sync.Mutex   // held while the log moves the limit
	closed   atomic.Bool
}

// setLimit keeps the sequence from going on before the log has said how far; without
// a log nothing holds it.
func (s *sequence) setLimit(log Log) {
	s.limit.Store(math.MaxInt64)
	if log != nil {
		s.limit.Store(s.last.Load())
	}
}

// allocate returns the first of n numbers.
func (s *sequence) allocate(n int) (first int64, err error) {
	for {
		last := s.last.Load()
		if s.closed.Load() {
			return 0, core.ErrClosed
		}
		if int64(n) > math.MaxInt64-last {
			return 0, fmt.Errorf("memtable: %s: fewer than %d keys are left below the largest 64-bit integer", s.resource, n)
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

// advancePast makes the sequence go on behind a key that was chosen elsewhere.
func (s *sequence) advancePast(key core.Value) {
	for {
		last := s.last.Load()
		if key.Int() <= last || s.last.CompareAndSwap(last, key.Int()) {
			return
		}
	}
}

// exceedsReservation reports whether the log is not told of the key unless a record says it.
func (s *sequence) exceedsReservation(key core.Value) bool { return key.Int() > s.limit.Load() }

// explicitKeys are the keys that a transaction gave to records of a resource itself, beyond
// its sequence.
type explicitKeys map[core.Value]struct{}

// noteExplicitKey notes a key that the transaction gives to a record.
func (t *transaction) noteExplicitKey(r *core.Resource, key core.Value) {
	i := r.Index()
	if key.Int() <= t.store.sequences[i].last.Load() {
		return
	}
	if t.explicit == nil {
		t.explicit = make([]explicitKeys, len(t.store.sequences))
	}
	if t.explicit[i] == nil {
		t.explicit[i] = make(explicitKeys)
	}
	t.explicit[i][key] = struct{}{}
}

// explicitKeysOf returns the keys that the transaction chose and the sequence may generate.
func (t *transaction) explicitKeysOf(resource int) explicitKeys {
	if t.explicit == nil {
		return nil
	}
	return t.explicit[resource]
}

// highest returns the highest of the keys, 0 if there are none.
func (c explicitKeys) highest() (top int64) {
	for key := range c {
		top = max(top, key.Int())
	}
	return top
}

// advanceSequences moves the sequences past the keys that the transaction chose. It has
// committed.
func (t *transaction) advanceSequences() {
	for i, keys := range t.explicit {
		t.store.sequences[i].advancePast(core.IntValue(keys.highest()))
	}
}

// nextKeys generates n keys of the resource that the transaction has not chosen.
func (t *transaction) nextKeys(r *core.Resource, n int) ([]core.Value, error) {
	mine := t.explicitKeysOf(r.Index())
	keys, err := t.store.nextKeys(r, n)
	for more := n; err == nil && len(mine) > 0; more *= 2 {
		keys = slices.DeleteFunc(keys, func(key core.Value) bool { _, taken := mine[key]; return taken })
		if len(keys) >= n {
			return keys[:n], nil
		}
		var next []core.Value
		next, err = t.store.nextKeys(r, more)
		keys = append(keys, next...)
	}
	return keys, err
}

// nextKeys generates n keys of the resource.
func (s *Store) nextKeys(r *core.Resource, n int) ([]core.Value, error) {
	if core.DefaultKeySource(r).Assigned {
		return nil, r.NoNextKey()
	}
	next := core.NewUUID
	if r.Key().Type() == core.Int {
		first, err := s.sequences[r.Index()].allocate(n)
		if err != nil {
			return nil, err
		}
		next = func() core.Value {
			first++
			return core.IntValue(first - 1)
		}
	}
	keys := make([]core.Value, n)
	for i := range keys {
		keys[i] = next()
	}
	return keys, nil
}
