package core

import (
	"hash/maphash"
	"sync/atomic"
)

// Equals returns the condition that the field holds the value, for policies that
// compare one field with one value in each operation. It fails closed: it is [None]
// for a value that is null, absent, or of another type than the field.
//
// Conditions are values that never change, and so the ones that were made last are
// handed out again when they are asked for again: for a value that comes in operation
// after operation, it takes no memory.
func (f *Field) Equals(v Value) Filter {
	if v.typ != f.typ || checkComparison(FilterEq, f) != nil {
		return None()
	}
	slot := f.equals.slot(v)
	if e := slot.Load(); e != nil && e.value[0] == v {
		return Filter{&e.node}
	}
	e := &equality{value: [1]Value{v}}
	e.node = node{kind: FilterEq, field: f, values: e.value[:], bound: true}
	slot.Store(e)
	return Filter{&e.node}
}

// equality is a comparison with the one value that belongs to it.
type equality struct {
	node  node
	value [1]Value
}

// equalities are some of the comparisons of a field that were made. A slot that two
// values want belongs to the one that came last.
type equalities struct {
	table atomic.Pointer[[512]atomic.Pointer[equality]]
}

var equalitySeed = maphash.MakeSeed()

func (e *equalities) slot(v Value) *atomic.Pointer[equality] {
	table := e.table.Load()
	if table == nil { // most fields never need one
		e.table.CompareAndSwap(nil, new([512]atomic.Pointer[equality]))
		table = e.table.Load()
	}
	hash := uint64(v.num) * 0x9e3779b97f4a7c15 >> 32 //nolint:gosec // Fibonacci hashing; any bits will do
	if v.str != "" {
		hash ^= maphash.String(equalitySeed, v.str)
	}
	return &table[hash%uint64(len(table))]
}
