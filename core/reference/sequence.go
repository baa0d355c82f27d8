package reference

import (
	"errors"
	"math"

	"github.com/larder-go/larder/core"
)

// Sequence generates the keys of one resource, never the same key twice: integers from 1, or random UUIDs. A rollback does
// not return generated keys. The sequence never generates a key that the open transaction has chosen itself; once that
// transaction commits, it continues after its chosen keys.
//
// The zero Sequence is ready for use, by one transaction and one goroutine at a time.
type Sequence struct {
	last   int64
	chosen map[int64]struct{} // keys after last that the open transaction has chosen
}

// Next returns the next n keys of the resource.
//
// Errors: [core.Resource.NoNextKey] for a resource with assigned keys; an error without a code when the 64-bit integers
// are exhausted.
func (s *Sequence) Next(r *core.Resource, n int) ([]core.Value, error) {
	integers := r.Key().Type() == core.Int
	switch {
	case core.DefaultKeySource(r).Assigned:
		return nil, r.NoNextKey()
	case integers && int64(n+len(s.chosen)) > math.MaxInt64-s.last:
		return nil, errors.New("reference: no integer keys left for resource " + r.Name())
	}
	keys := make([]core.Value, n)
	for i := range keys {
		if integers {
			keys[i] = s.next()
		} else {
			keys[i] = core.NewUUID()
		}
	}
	return keys, nil
}

func (s *Sequence) next() core.Value {
	for {
		s.last++
		if _, chosen := s.chosen[s.last]; !chosen {
			return core.IntValue(s.last)
		}
	}
}

// Choose notes a key that the open transaction has chosen for a record. Keys that the sequence could not generate,
// absent ones included, have no effect.
func (s *Sequence) Choose(key core.Value) {
	if key.Int() <= s.last {
		return
	}
	if s.chosen == nil {
		s.chosen = make(map[int64]struct{})
	}
	s.chosen[key.Int()] = struct{}{}
}

// End ends the open transaction. If it has committed, the sequence continues after the chosen keys; otherwise it may
// generate them.
func (s *Sequence) End(committed bool) {
	if committed {
		for key := range s.chosen {
			s.last = max(s.last, key)
		}
	}
	s.chosen = nil
}
