package memtable

import "github.com/larder-go/larder/core"

// bound is a place between the values of a field: right before or right after
// one, which need not be there. The absent value sorts before all others and
// null after them.
type bound struct {
	value core.Value
	after bool
}

var (
	minBound  = bound{}                              // before everything
	nullBound = bound{value: core.Null}              // before null, after all values
	maxBound  = bound{value: core.Null, after: true} // after everything
)

func (c bound) compare(o bound) int {
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

// interval is the values between two cuts.
type interval struct{ from, to bound }

var everyValue = interval{minBound, maxBound}

func point(v core.Value) interval { return interval{bound{v, false}, bound{v, true}} }

// isPoint reports whether the span holds one value alone.
func (s interval) isPoint() bool { return s.from.value == s.to.value && s.to.after && !s.from.after }

func (s interval) intersect(o interval) interval {
	if s.from.compare(o.from) < 0 {
		s.from = o.from
	}
	if s.to.compare(o.to) > 0 {
		s.to = o.to
	}
	return s
}

func (s interval) empty() bool { return s.from.compare(s.to) >= 0 }

// intersect returns the values that are in both lists of spans, each of them ascending
// and apart from each other.
func intersect(a, b []interval) (both []interval) {
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

// comparisonInterval returns the values that fulfil a comparison with one value.
func comparisonInterval(kind core.FilterKind, v core.Value) (s interval, ok bool) {
	switch kind {
	case core.FilterEq:
		return point(v), true
	case core.FilterLt:
		return interval{minBound, bound{v, false}}, true
	case core.FilterLe:
		return interval{minBound, bound{v, true}}, true
	case core.FilterGt:
		return interval{bound{v, true}, nullBound}, true
	case core.FilterGe:
		return interval{bound{v, false}, nullBound}, true
	case core.FilterPrefix:
		return interval{bound{value: core.TextValue(v.Text())}, prefixEnd(v.Text())}, true
	}
	return interval{}, false
}

// prefixEnd returns the cut behind all texts that begin with prefix: before the
// next text of the same length or, since no byte comes after 0xff, a shorter one.
func prefixEnd(prefix string) bound {
	for last := len(prefix) - 1; last >= 0; last-- {
		if prefix[last] != 0xff {
			return bound{value: core.TextValue(prefix[:last] + string([]byte{prefix[last] + 1}))}
		}
	}
	return nullBound
}
