package memtable

import "github.com/larder-go/larder/core"

// cut is a place between the values of a field: right before or right after
// one, which need not be there. The absent value sorts before all others and
// null after them.
type cut struct {
	value core.Value
	after bool
}

var (
	start = cut{}                              // before everything
	nulls = cut{value: core.Null}              // before null, after all values
	end   = cut{value: core.Null, after: true} // after everything
)

func (c cut) compare(o cut) int {
	switch d := core.Compare(c.value, o.value); {
	case d != 0:
		return d
	case c.after == o.after:
		return 0
	case c.after:
		return 1
	}
	return -1
}

// span is the values between two cuts.
type span struct{ from, to cut }

var everything = span{start, end}

func point(v core.Value) span { return span{cut{v, false}, cut{v, true}} }

// isPoint reports whether the span holds one value alone.
func (s span) isPoint() bool { return s.from.value == s.to.value && s.to.after && !s.from.after }

func (s span) intersect(o span) span {
	if s.from.compare(o.from) < 0 {
		s.from = o.from
	}
	if s.to.compare(o.to) > 0 {
		s.to = o.to
	}
	return s
}

func (s span) empty() bool { return s.from.compare(s.to) >= 0 }

// intersect returns the values that are in both lists of spans, each of them ascending
// and apart from each other.
func intersect(a, b []span) (both []span) {
	for len(a) > 0 && len(b) > 0 {
		if s := a[0].intersect(b[0]); !s.empty() {
			both = append(both, s)
		}
		if a[0].to.compare(b[0].to) < 0 {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}

// spanOf returns the values that fulfil a comparison with one value.
func spanOf(kind core.FilterKind, v core.Value) (s span, ok bool) {
	switch kind {
	case core.FilterEq:
		return point(v), true
	case core.FilterLt:
		return span{start, cut{v, false}}, true
	case core.FilterLe:
		return span{start, cut{v, true}}, true
	case core.FilterGt:
		return span{cut{v, true}, nulls}, true
	case core.FilterGe:
		return span{cut{v, false}, nulls}, true
	case core.FilterPrefix:
		return span{cut{value: core.TextValue(v.Text())}, afterPrefix(v.Text())}, true
	}
	return span{}, false
}

// afterPrefix returns the cut behind all texts that begin with prefix: before the
// next text of the same length or, since no byte comes after 0xff, a shorter one.
func afterPrefix(prefix string) cut {
	for last := len(prefix) - 1; last >= 0; last-- {
		if prefix[last] != 0xff {
			return cut{value: core.TextValue(prefix[:last] + string([]byte{prefix[last] + 1}))}
		}
	}
	return nulls
}
