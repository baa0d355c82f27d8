package core

import (
	"slices"
	"strings"
)

// Filter is a condition on the stored fields of a record. The zero Filter
// matches every record. Filters are immutable and can be shared.
//
// A condition is either true or false, never unknown: null equals null, differs
// from every value, and is neither less nor greater than anything. So Not turns
// every answer round, which PostgreSQL calls IS DISTINCT FROM (manual, section
// 9.2) and plain SQL comparison does not do.
//
// Filters that a program writes name their fields; the store binds them to the
// model before the chain sees them. Decorators and backends meet only bound
// filters, whose [Filter.Field] and [Filter.Values] are typed.
type Filter struct{ n *node }

type node struct {
	kind   FilterKind
	name   string  // unbound: the field
	raw    []any   // unbound: what it is compared with
	field  *Field  // bound
	values []Value // bound
	parts  []Filter
	bound  bool // the whole tree
	depth  int  // of what is below
}

// FilterKind says what a [Filter] does.
type FilterKind uint8

// The kinds of filters. A backend that meets one that it does not know must
// fail.
const (
	FilterAll    FilterKind = iota // matches every record
	FilterNone                     // matches no record
	FilterAnd                      // matches if all of Filters do
	FilterOr                       // matches if any of Filters does
	FilterNot                      // matches if the one of Filters does not
	FilterEq                       // Field equals the one of Values
	FilterNe                       // Field differs from the one of Values
	FilterLt                       // Field is less than the one of Values
	FilterLe                       // Field is less than or equals the one of Values
	FilterGt                       // Field is greater than the one of Values
	FilterGe                       // Field is greater than or equals the one of Values
	FilterIn                       // Field equals any of Values
	FilterPrefix                   // Field, a text, begins with the one of Values
)

// All matches every record; it is the zero Filter.
func All() Filter { return Filter{} }

// None matches no record.
func None() Filter { return Filter{&node{kind: FilterNone, bound: true}} }

// Eq matches records whose field equals value; nil matches null.
func Eq(field string, value any) Filter { return comparison(FilterEq, field, value) }

// Ne matches records whose field differs from value, null included.
func Ne(field string, value any) Filter { return comparison(FilterNe, field, value) }

// Lt matches records whose field is less than value.
func Lt(field string, value any) Filter { return comparison(FilterLt, field, value) }

// Le matches records whose field is less than or equal to value.
func Le(field string, value any) Filter { return comparison(FilterLe, field, value) }

// Gt matches records whose field is greater than value.
func Gt(field string, value any) Filter { return comparison(FilterGt, field, value) }

// Ge matches records whose field is greater than or equal to value.
func Ge(field string, value any) Filter { return comparison(FilterGe, field, value) }

// In matches records whose field equals any of values; without values, none.
func In(field string, values ...any) Filter { return comparison(FilterIn, field, values...) }

// Prefix matches records whose text begins with prefix, byte by byte.
func Prefix(field, prefix string) Filter { return comparison(FilterPrefix, field, prefix) }

func comparison(kind FilterKind, field string, raw ...any) Filter {
	return Filter{&node{kind: kind, name: field, raw: raw}}
}

// Compare returns a bound filter of the kinds [FilterEq] to [FilterPrefix] on
// the field, for decorators and engines that have typed values at hand: one
// value, or any number for [FilterIn], where a single one makes a [FilterEq]. It is
// [None] for what [Resource.Bind] refuses: a comparison that the field's type does not have, a value of another
// type, less or greater than null. A policy that forbids rather than allows takes
// care: Not of None matches every record. The values belong to the filter from
// now on.
func (f *Field) Compare(kind FilterKind, values ...Value) Filter {
	ok := kind >= FilterEq && kind <= FilterPrefix && (len(values) == 1 || kind == FilterIn)
	for _, v := range values {
		ok = ok && (v.IsNull() && kind.takesNull() || v.typ == f.typ)
	}
	if !ok || checkComparison(kind, f) != nil {
		return None()
	}
	n := &node{field: f, bound: true}
	n.kind, n.values = normalise(kind, values)
	return Filter{n}
}

// Equals returns the bound condition that the field equals v, for policies that compare a field with a value from the
// principal. It fails closed: for a value that is null, absent or of another type than the field it is [None].
func (f *Field) Equals(v Value) Filter {
	if !v.IsSet() {
		return None()
	}
	return f.Compare(FilterEq, v)
}

// simplest returns a comparison with the values in order. One of a single value is an
// equality, which databases plan better.
func normalise(kind FilterKind, values []Value) (FilterKind, []Value) {
	if values = sortedUnique(values); kind == FilterIn && len(values) == 1 {
		kind = FilterEq
	}
	return kind, values
}

// takesNull reports whether a field can be compared with null like this.
func (k FilterKind) takesNull() bool { return k == FilterEq || k == FilterNe || k == FilterIn }

// inOrder returns the values ascending without duplicates, in a slice of their
// own if they are not.
func sortedUnique(values []Value) []Value {
	for i := 1; i < len(values); i++ {
		if Compare(values[i-1], values[i]) >= 0 {
			return SortKeys(slices.Clone(values))
		}
	}
	return values
}

// And matches records that all filters match; without filters, every record.
func And(filters ...Filter) Filter {
	if len(filters) == 2 { // what policies do with each operation, for nothing
		if filters[0].n == nil {
			return filters[1]
		}
		if filters[1].n == nil || filters[0].same(filters[1]) { // two policies agree
			return filters[0]
		}
	}
	kept := make([]Filter, 0, len(filters))
	for _, f := range filters {
		switch f.Kind() {
		case FilterAll:
		case FilterNone:
			return None()
		case FilterAnd:
			kept = append(kept, f.n.parts...)
		default:
			kept = append(kept, f)
		}
	}
	return combine(FilterAnd, All(), kept)
}

// same reports whether both filters are one, or equal bound comparisons with a single value.
func (f Filter) same(g Filter) bool {
	return f.n == g.n || f.n.field != nil && f.n.field == g.n.field && f.n.kind == g.n.kind &&
		len(f.n.values) == 1 && len(g.n.values) == 1 && f.n.values[0] == g.n.values[0]
}

// Or matches records that any filter matches; without filters, none.
func Or(filters ...Filter) Filter {
	kept := make([]Filter, 0, len(filters))
	for _, f := range filters {
		switch f.Kind() {
		case FilterNone:
		case FilterAll:
			return All()
		case FilterOr:
			kept = append(kept, f.n.parts...)
		default:
			kept = append(kept, f)
		}
	}
	return combine(FilterOr, None(), kept)
}

// Not matches the records that f does not match.
func Not(f Filter) Filter {
	switch f.Kind() {
	case FilterAll:
		return None()
	case FilterNone:
		return All()
	case FilterNot:
		return f.n.parts[0]
	}
	return Filter{&node{kind: FilterNot, parts: []Filter{f}, bound: f.Bound(), depth: f.n.depth + 1}}
}

func combine(kind FilterKind, empty Filter, parts []Filter) Filter {
	switch len(parts) {
	case 0:
		return empty
	case 1:
		return parts[0]
	}
	n := &node{kind: kind, parts: parts, bound: true}
	for _, part := range parts { // none of which is All
		n.bound = n.bound && part.n.bound
		n.depth = max(n.depth, part.n.depth+1)
	}
	return Filter{n}
}

// Kind says what the filter does.
func (f Filter) Kind() FilterKind {
	if f.n == nil {
		return FilterAll
	}
	return f.n.kind
}

// Bound reports whether the filter's fields are resolved against a model.
func (f Filter) Bound() bool { return f.n == nil || f.n.bound }

// Field returns the field that a bound comparison is about, nil for other
// filters.
func (f Filter) Field() *Field {
	if f.n == nil {
		return nil
	}
	return f.n.field
}

// Values returns what the field of a bound comparison is compared with, each
// null or of the field's type, ascending without duplicates. The slice is shared
// and must not be modified.
func (f Filter) Values() []Value {
	if f.n == nil {
		return nil
	}
	return f.n.values
}

// Filters returns the parts of an And, Or or Not. The slice is shared and must
// not be modified.
func (f Filter) Filters() []Filter {
	if f.n == nil {
		return nil
	}
	return f.n.parts
}

var filterNames = [...]string{
	FilterAll: "all", FilterNone: "none", FilterAnd: " and ", FilterOr: " or ", FilterNot: "not ",
	FilterEq: " = ", FilterNe: " <> ", FilterLt: " < ", FilterLe: " <= ", FilterGt: " > ", FilterGe: " >= ",
	FilterIn: " in ", FilterPrefix: " prefix ",
}

// String returns the filter in words, values included; it has no place in a log
// that must not show values.
func (f Filter) String() string {
	if f.n == nil {
		return filterNames[FilterAll]
	}
	var b strings.Builder
	f.n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case FilterAll, FilterNone:
		b.WriteString(filterNames[n.kind])
	case FilterAnd, FilterOr, FilterNot:
		n.writeParts(b)
	default:
		n.writeComparison(b)
	}
}

func (n *node) writeParts(b *strings.Builder) {
	b.WriteByte('(')
	for i, part := range n.parts {
		if i > 0 || n.kind == FilterNot {
			b.WriteString(filterNames[n.kind])
		}
		b.WriteString(part.String())
	}
	b.WriteByte(')')
}

func (n *node) writeComparison(b *strings.Builder) {
	if !n.bound {
		b.WriteString(n.name + filterNames[n.kind] + "?")
		return
	}
	b.WriteString(n.field.name + filterNames[n.kind])
	b.WriteString(ListOf(n.values...).str)
}
