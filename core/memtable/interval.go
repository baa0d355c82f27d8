package memtable

import "github.com/larder-go/larder/core"

// bound is a position between the values of a field: directly before or directly after a value, whether or not a record
// holds it. Bounds sort by [core.Compare]: absent first, then the values, then null.
type bound struct {
	value core.Value
	after bool
}

var (
	minBound  = bound{}                              // before all values
	nullBound = bound{value: core.Null}              // before null, after all other values
	maxBound  = bound{value: core.Null, after: true} // after null
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

// interval is the set of values between two bounds.
type interval struct{ from, to bound }

var everyValue = interval{minBound, maxBound}

func point(v core.Value) interval { return interval{bound{v, false}, bound{v, true}} }

// isPoint reports whether the interval contains exactly one value.
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

// intersect returns the values that are in both lists. The intervals of each list ascend and do not overlap.
func intersect(a, b []interval) (common []interval) {
	for len(a) > 0 && len(b) > 0 {
		if s := a[0].intersect(b[0]); !s.empty() {
			common = append(common, s)
		}
		if a[0].to.compare(b[0].to) < 0 {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return common
}

// comparisonInterval returns the values that match a comparison with v. ok is false for filters without an interval.
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

// prefixEnd returns the bound after all strings with the prefix. It is before the next string of the same length or,
// since no byte follows 0xff, of a shorter length.
func prefixEnd(prefix string) bound {
	for last := len(prefix) - 1; last >= 0; last-- {
		if prefix[last] != 0xff {
			return bound{value: core.TextValue(prefix[:last] + string([]byte{prefix[last] + 1}))}
		}
	}
	return nullBound
}
