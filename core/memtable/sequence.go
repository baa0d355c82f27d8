package memtable

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// sequence generates the integer keys of a resource: ascending from 1, each at most once, and none that a committed
// transaction gave to a record. It is not part of a transaction: a rollback does not return generated numbers. A number
// that a transaction gives to a record itself advances the sequence only when the transaction commits.
type sequence struct {
	resource *core.Resource
	log      Log
	last     atomic.Int64
	limit    atomic.Int64 // the largest number that the log has reserved
	mu       sync.Mutex   // held while the log raises the limit
	closed   atomic.Bool
}

// setLimit sets the initial limit: with a log, the sequence must reserve numbers before it generates any; without one,
// it is not limited.
func (s *sequence) setLimit(log Log) {
	s.limit.Store(math.MaxInt64)
	if log != nil {
		s.limit.Store(s.last.Load())
	}
}

// allocate generates n consecutive numbers and returns the first one.
//
// Errors: [core.ErrClosed]; the log's if it cannot reserve the numbers; an internal error if the 64-bit integers are
// exhausted.
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

// reserve raises the limit to at least the given number.
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

// close makes allocate fail and returns the last generated number. An allocation that runs at the same time fails to
// swap the last number, and then sees that the sequence is closed.
func (s *sequence) close() (last int64) {
	s.closed.Store(true)
	return s.last.Swap(math.MaxInt64)
}

// advancePast makes the sequence generate only numbers above the key.
func (s *sequence) advancePast(key core.Value) {
	for {
		last := s.last.Load()
		if key.Int() <= last || s.last.CompareAndSwap(last, key.Int()) {
			return
		}
	}
}

// exceedsReservation reports whether the key is above the numbers that the log has reserved. The log then knows of it
// only from a logged record or position.
func (s *sequence) exceedsReservation(key core.Value) bool { return key.Int() > s.limit.Load() }

// explicitKeys are the keys above the sequence of a resource that a transaction gave to records itself.
type explicitKeys map[core.Value]struct{}

// noteExplicitKey records a key that the transaction gives to a record.
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

// explicitKeysOf returns the explicit keys of a resource; nil if there are none.
func (t *transaction) explicitKeysOf(resource int) explicitKeys {
	if t.explicit == nil {
		return nil
	}
	return t.explicit[resource]
}

// highest returns the largest key, or 0 if there are none.
func (k explicitKeys) highest() (top int64) {
	for key := range k {
		top = max(top, key.Int())
	}
	return top
}

// advanceSequences moves the sequences past the explicit keys of the committed transaction.
func (t *transaction) advanceSequences() {
	for i, keys := range t.explicit {
		t.store.sequences[i].advancePast(core.IntValue(keys.highest()))
	}
}

// nextKeys generates n keys of the resource and skips the explicit keys of the transaction.
func (t *transaction) nextKeys(r *core.Resource, n int) ([]core.Value, error) {
	explicit := t.explicitKeysOf(r.Index())
	keys, err := t.store.nextKeys(r, n)
	for more := n; err == nil && len(explicit) > 0; more *= 2 {
		keys = slices.DeleteFunc(keys, func(key core.Value) bool { _, ok := explicit[key]; return ok })
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
//
// Errors: [core.BadRequest] for a resource whose clients must give the key; errors of allocate.
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
