package core

import (
	"errors"
	"slices"
	"strings"
)

var (
	errNullOrder     = errors.New("null has no order and no prefix; use Eq or Ne")
	errForeignFilter = errors.New("filter is bound to another resource")
)

// Match reports whether the filter matches the record, which must be of the resource that the filter is bound to. It
// defines the results of every backend. An unbound filter matches no record, not even inside a Not.
func (f Filter) Match(rec Record) bool {
	if f.n == nil {
		return true
	}
	return f.n.bound && f.n.match(rec)
}

func (n *node) match(rec Record) bool {
	switch n.kind {
	case FilterAnd:
		for _, part := range n.parts {
			if !part.n.match(rec) {
				return false
			}
		}
		return true
	case FilterOr:
		for _, part := range n.parts {
			if part.n.match(rec) {
				return true
			}
		}
		return false
	case FilterNot:
		return !n.parts[0].n.match(rec)
	case FilterNone:
		return false
	}
	return n.compare(rec.values[n.field.column])
}

func (n *node) compare(v Value) bool {
	switch n.kind {
	case FilterEq:
		return v == n.values[0]
	case FilterNe:
		return v != n.values[0]
	case FilterIn:
		return contains(n.values, v)
	}
	if !v.IsSet() {
		return false
	}
	if n.kind == FilterPrefix {
		return strings.HasPrefix(v.str, n.values[0].str)
	}
	return satisfies(n.kind, Compare(v, n.values[0]))
}

// fewValues is the number of values up to which a linear search is faster than a binary one.
const fewValues = 16

// contains reports whether v is among the values, which ascend.
func contains(values []Value, v Value) bool {
	if len(values) <= fewValues {
		return slices.Contains(values, v)
	}
	_, found := slices.BinarySearchFunc(values, v, Compare)
	return found
}

func satisfies(kind FilterKind, sign int) bool {
	switch kind {
	case FilterLt:
		return sign < 0
	case FilterLe:
		return sign <= 0
	case FilterGt:
		return sign > 0
	case FilterGe:
		return sign >= 0
	}
	return false
}
