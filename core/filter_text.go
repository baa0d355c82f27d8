package core

import "strings"

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
	for i, kid := range n.kids {
		if i > 0 || n.kind == FilterNot {
			b.WriteString(filterNames[n.kind])
		}
		b.WriteString(kid.String())
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
