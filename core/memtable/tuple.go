package memtable

import (
	"encoding/binary"
	"slices"

	"github.com/larder-go/larder/core"
)

// An index of [core.Resource.Indexes] holds one string for each of its records: the values of its fields, encoded so that
// the strings sort as the fields do in their directions. Records with equal strings sort by key.

// tupleOrder returns the fields of an index without the key, which entries of an index have anyway.
func tupleOrder(x *core.Index) []core.Order {
	order := x.Order()
	if last := len(order) - 1; order[last].Field.Key() {
		return order[:last]
	}
	return order
}

// tupleOf returns the string of a record; false if the record is not in the index.
func tupleOf(x *core.Index, rec core.Record) (core.Value, bool) {
	if in, err := x.Where.Match(rec, nil); !in || err != nil { // the condition crosses no relation, so it is decided
		return core.Value{}, false
	}
	var text []byte
	for _, o := range tupleOrder(x) {
		text = appendTuple(text, o, rec.At(o.Field.Column()))
	}
	return core.TextValue(string(text)), true
}

const (
	classValue = 1    // first byte of a value
	classNull  = 2    // the byte for null, which follows all values
	tupleEnd   = 0xff // follows every first byte, in both directions
)

// appendTuple appends the encoding of one value. Descending order inverts all bytes.
func appendTuple(b []byte, o core.Order, v core.Value) []byte {
	start := len(b)
	switch {
	case !v.IsSet():
		b = append(b, classNull)
	case isNumber(v.Type()):
		b = binary.BigEndian.AppendUint64(append(b, classValue), uint64(number(v))^1<<63) //nolint:gosec // the bits are kept; the sign is inverted
	case v.Type() == core.Decimal:
		b = appendTerminated(append(b, classValue), decimalOrdinal(v))
	default:
		b = appendTerminated(append(b, classValue), v.Text())
	}
	if o.Desc {
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}

// appendTerminated appends a string and an end that sorts before any longer string. A zero byte becomes 0, 255; the end is 0, 1.
func appendTerminated(b []byte, text string) []byte {
	for i := range len(text) {
		if b = append(b, text[i]); text[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, 0, 1)
}

// tupleBound returns the position of a bound of the field after a prefix.
func tupleBound(prefix []byte, o core.Order, c bound) bound {
	text := slices.Clone(prefix)
	if !c.value.IsAbsent() {
		text = appendTuple(text, o, c.value)
	}
	if c.after != o.Desc {
		text = append(text, tupleEnd)
	}
	return bound{value: core.TextValue(string(text))}
}

// planTuple returns the best plan on an index of [core.Resource.Indexes]; nil if none serves the operation.
func planTuple(op *core.Op) (best *queryPlan) {
	equal, possible := equalities(op)
	if !possible {
		return nil
	}
	policy, policyRank := mostSelective(op.Using)
	for _, x := range op.Resource.Indexes() {
		if !impliesAll(op, x.Where) {
			continue
		}
		order, n := tupleOrder(x), 0
		allowed := policyRank > byValues // otherwise the plan must not visit records that the policy hides
		single := x.Unique               // at most one record has the values
		for n < len(order) && !equal[order[n].Field].IsAbsent() {
			f := order[n].Field
			allowed = allowed || f == policy.Field() && matchesValue(policy, equal[f])
			single = single && equal[f].IsSet()
			n++
		}
		if !allowed && !(single && n == len(order)) {
			continue
		}
		if p := tuplePlan(op, x, equal, n); best == nil || p.betterThan(best, op) {
			best = p
		}
	}
	return best
}

// equalities returns the values that the conditions require of fields; false if they require two values of one field.
func equalities(op *core.Op) (equal map[*core.Field]core.Value, possible bool) {
	equal, possible = make(map[*core.Field]core.Value), true
	for _, condition := range []core.Filter{op.Where, op.Using} {
		eachConjunct(condition, func(f core.Filter) {
			if f.Kind() != core.FilterEq {
				return
			}
			if v, known := equal[f.Field()]; known && v != f.Values()[0] {
				possible = false
			}
			equal[f.Field()] = f.Values()[0]
		})
	}
	return equal, possible
}

// impliesAll reports whether the conditions of the operation imply the condition of an index.
func impliesAll(op *core.Op, where core.Filter) bool {
	all := true
	eachConjunct(where, func(part core.Filter) {
		implied := part.Kind() == core.FilterAll
		for _, condition := range []core.Filter{op.Where, op.Using} {
			eachConjunct(condition, func(f core.Filter) { implied = implied || implies(f, part) })
		}
		all = all && implied
	})
	return all
}

// implies reports whether one comparison implies another.
func implies(f, other core.Filter) bool {
	switch {
	case f.Field() == nil || f.Field() != other.Field():
		return false
	case f.Kind() == core.FilterEq || f.Kind() == core.FilterIn:
		return !slices.ContainsFunc(f.Values(), func(v core.Value) bool { return !matchesValue(other, v) })
	}
	return other.Kind() == core.FilterNe && (f.Kind() != core.FilterNe || f.Values()[0] == other.Values()[0]) // null, by the rules of an index
}

// matchesValue reports whether a comparison matches a value of its field.
func matchesValue(f core.Filter, v core.Value) bool {
	values := make([]core.Value, len(f.Field().Resource().Columns()))
	values[f.Field().Column()] = v
	is, err := f.Match(f.Field().Resource().RecordOf(values), nil)
	return is && err == nil
}

// tuplePlan returns the plan on an index of which the first n fields have the given values.
func tuplePlan(op *core.Op, x *core.Index, equal map[*core.Field]core.Value, n int) *queryPlan {
	p := &queryPlan{tuple: x, fixed: n, where: op.Where, using: op.Using}
	order := tupleOrder(x)
	var prefix []byte
	for _, o := range order[:n] {
		prefix = appendTuple(prefix, o, equal[o.Field])
	}
	p.setTupleInterval(op, prefix, order[n:])
	p.setTupleOrder(op, prefix, order[:n], order[n:], equal)
	return p
}

// setTupleInterval restricts the scan to the prefix, and to the range of the next field that the conditions require.
func (p *queryPlan) setTupleInterval(op *core.Op, prefix []byte, rest []core.Order) {
	if len(rest) == 0 {
		p.intervals = []interval{{tupleBound(prefix, core.Order{}, minBound), tupleBound(prefix, core.Order{Desc: true}, minBound)}}
		return
	}
	o := rest[0]
	values := []interval{everyValue}
	for _, condition := range []core.Filter{op.Where, op.Using} {
		eachConjunct(condition, func(f core.Filter) {
			if f.Field() == o.Field {
				values = intersect(values, conditionIntervals(f))
			}
		})
	}
	if len(values) == 0 {
		return
	}
	whole := interval{values[0].from, values[len(values)-1].to}
	p.restricted = whole != everyValue
	s := interval{tupleBound(prefix, o, whole.from), tupleBound(prefix, o, whole.to)}
	if o.Desc {
		s.from, s.to = s.to, s.from
	}
	p.intervals = []interval{s}
}

// setTupleOrder sets the direction and the start of the scan, if the scan can yield the records in the order of the
// operation. Fields with one value do not matter for the order.
func (p *queryPlan) setTupleOrder(op *core.Op, prefix []byte, fixed, rest []core.Order, equal map[*core.Field]core.Value) {
	if len(op.Order) == 0 || op.OrderCrosses() {
		return
	}
	start, resumes, i := slices.Clone(prefix), op.After != nil, 0
	for at, o := range op.Order[:len(op.Order)-1] {
		if slices.ContainsFunc(fixed, func(f core.Order) bool { return f.Field == o.Field }) {
			resumes = resumes && op.After[at] == equal[o.Field]
			continue
		}
		reverse := i < len(rest) && o.Desc != rest[i].Desc
		if i == len(rest) || o.Field != rest[i].Field || i > 0 && reverse != p.desc {
			return
		}
		p.desc = reverse
		if resumes {
			start = appendTuple(start, rest[i], op.After[at])
		}
		i++
	}
	last := len(op.Order) - 1
	if i < len(rest) || !op.Order[last].Field.Key() {
		return
	}
	p.ordered, p.keyDesc = true, op.Order[last].Desc
	if i == 0 {
		p.desc = p.keyDesc
	}
	if resumes {
		p.resume = []core.Value{core.TextValue(string(start)), op.After[last]}
	}
}

// betterThan reports whether the plan visits fewer records than another one, as far as the conditions tell: values of
// fields first, then a range; then an order that stops at the limit; then more fields; then fewer records in the index.
func (p *queryPlan) betterThan(q *queryPlan, op *core.Op) bool {
	a, b := p.merits(op), q.merits(op)
	return slices.Compare(a[:], b[:]) > 0
}

func (p *queryPlan) merits(op *core.Op) (m [4]int) {
	switch {
	case p.fixed > 0:
		m[0] = 2
	case p.restricted:
		m[0] = 1
	}
	if p.ordered && op.Limit > 0 {
		m[1] = 1
	}
	m[2] = p.fixed
	if p.tuple != nil && p.tuple.Where.Kind() != core.FilterAll {
		m[3] = 1
	}
	return m
}
