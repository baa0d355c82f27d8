package memtable

import (
	"math/bits"
	"slices"
)

// sparse is an immutable array of up to 64 places, of which those in use alone
// take memory. The nil pointer is the one without any.
type sparse[V any] struct {
	used   uint64 // one bit per place
	values []V    // of the used places, in their order
}

const everyPlace = ^uint64(0)

// rank returns how many places before i are in use.
func (s *sparse[V]) rank(i uint) int { return bits.OnesCount64(s.used & (1<<i - 1)) }

func (s *sparse[V]) get(i uint) (v V, ok bool) {
	if s == nil || s.used>>i&1 == 0 {
		return v, false
	}
	return s.values[s.rank(i)], true
}

// with returns the array with v at place i.
func (s *sparse[V]) with(i uint, v V) *sparse[V] {
	if s == nil {
		return &sparse[V]{1 << i, []V{v}}
	}
	r := s.rank(i)
	if s.used>>i&1 != 0 {
		values := slices.Clone(s.values)
		values[r] = v
		return &sparse[V]{s.used, values}
	}
	values := make([]V, len(s.values)+1)
	copy(values, s.values[:r])
	values[r] = v
	copy(values[r+1:], s.values[r:])
	return &sparse[V]{s.used | 1<<i, values}
}

// without returns the array with place i, which is in use, free again.
func (s *sparse[V]) without(i uint) *sparse[V] {
	if len(s.values) == 1 {
		return nil
	}
	r := s.rank(i)
	return &sparse[V]{s.used &^ (1 << i), slices.Concat(s.values[:r], s.values[r+1:])}
}

// scan visits the used places that the mask has a bit for, the last one first if
// desc, until visit returns false, which it then returns too.
func (s *sparse[V]) scan(mask uint64, desc bool, visit func(i uint, v V) bool) bool {
	for rest := s.used & mask; rest != 0; {
		i := uint(bits.TrailingZeros64(rest))
		if desc {
			i = uint(bits.Len64(rest) - 1)
		}
		if !visit(i, s.values[s.rank(i)]) {
			return false
		}
		rest &^= 1 << i
	}
	return true
}

// beyond returns the mask of place i and those that a scan visits after it.
func beyond(i uint, desc bool) uint64 {
	if desc {
		return everyPlace >> (63 - i)
	}
	return everyPlace << i
}
