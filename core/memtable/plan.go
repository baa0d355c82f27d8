package memtable

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// plan chooses the path of a Select or Count. Whatever it chooses holds all
// records that fulfil the op's conditions, and perhaps others.
func plan(op *core.Op) *queryPlan {
	p := &queryPlan{field: op.Resource.Key(), where: op.Where, using: op.Using}
	best, rank := chooseCondition(op)
	switch {
	case rank == matchesNone:
		return p
	case rank == fullScan && sortsByIndex(op.Order):
		p.field, p.intervals = op.Order[0].Field, []interval{everyValue}
	case rank == fullScan:
		p.intervals = []interval{everyValue}
	default:
		p.field, p.intervals = best.Field(), planIntervals(op, best)
		p.dropExactCondition(best, rank)
	}
	p.setOrder(op)
	return p
}

// The ranks of conditions, the most selective first.
const (
	matchesNone    = iota // no record fulfils it
	byKeys                // names keys
	byUniqueValues        // names values of a unique field
	byOneValue            // names one value of an indexed field
	byValues              // names several
	byKeyRange            // a range of keys
	byRange               // a range of an indexed field, or null among its values
	fullScan              // says nothing about indexed fields
)

// chooseCondition returns the condition of the guard or of the client that leads to the
// records. The guard's takes precedence if it names values, lest the time that an
// answer takes tell how many hidden records fulfil the client's condition. Keys and
// values of a unique field that the client names are an exception: they lead to no
// more records than are named.
func chooseCondition(op *core.Op) (best core.Filter, rank int) {
	guard, guardRank := mostSelective(op.Using)
	own, ownRank := mostSelective(op.Where)
	few := ownRank <= byUniqueValues && guardRank != matchesNone
	if ownRank < guardRank && (few || guardRank > byValues) || ownRank == matchesNone {
		return own, ownRank
	}
	return guard, guardRank
}

// mostSelective returns the part of a condition with the best rank.
func mostSelective(f core.Filter) (best core.Filter, rank int) {
	rank = fullScan
	eachConjunct(f, func(part core.Filter) {
		if r := selectivityOf(part); r < rank {
			best, rank = part, r
		}
	})
	return best, rank
}

// eachConjunct calls fn with the parts of a condition that must all hold.
func eachConjunct(f core.Filter, fn func(core.Filter)) {
	if f.Kind() != core.FilterAnd {
		fn(f)
		return
	}
	for _, part := range f.Filters() {
		fn(part)
	}
}

func selectivityOf(f core.Filter) int {
	field := f.Field()
	if f.Kind() == core.FilterNone {
		return matchesNone
	}
	if field == nil || !field.Key() && !field.Indexed() {
		return fullScan
	}
	switch f.Kind() {
	case core.FilterEq, core.FilterIn:
		return selectivityOfValues(field, f.Values())
	case core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterPrefix:
		if field.Key() {
			return byKeyRange
		}
		return byRange
	}
	return fullScan
}

func selectivityOfValues(field *core.Field, values []core.Value) int {
	switch {
	case len(values) == 0:
		return matchesNone
	case slices.Contains(values, core.Null):
		return byRange
	case field.Key():
		return byKeys
	case field.Unique():
		return byUniqueValues
	case len(values) == 1:
		return byOneValue
	}
	return byValues
}

// planIntervals returns the values of the chosen condition's field that fulfil it and the
// other conditions on the field.
func planIntervals(op *core.Op, best core.Filter) []interval {
	spans := conditionIntervals(best)
	narrow := func(f core.Filter) {
		if f.Field() == best.Field() && f != best {
			spans = intersect(spans, conditionIntervals(f))
		}
	}
	eachConjunct(op.Where, narrow)
	eachConjunct(op.Using, narrow)
	return spans
}

// conditionIntervals returns the values that fulfil a condition on a field, or more.
func conditionIntervals(f core.Filter) []interval {
	if f.Kind() == core.FilterIn {
		values := core.SortKeys(slices.Clone(f.Values()))
		spans := make([]interval, len(values))
		for i, v := range values {
			spans[i] = point(v)
		}
		return spans
	}
	if len(f.Values()) == 1 {
		if s, ok := comparisonInterval(f.Kind(), f.Values()[0]); ok {
			return []interval{s}
		}
	}
	return []interval{everyValue}
}

// dropExactCondition leaves out the condition if it is all that the op asks and names
// values, which the path then answers exactly. To check it nevertheless would
// mean to touch the values of records that nobody may ever look at.
func (p *queryPlan) dropExactCondition(best core.Filter, rank int) {
	if rank > byValues {
		return
	}
	if p.where == best {
		p.where = core.All()
	}
	if p.using == best {
		p.using = core.All()
	}
}

// matches reports whether a record on the path fulfils the op's conditions.
func (p *queryPlan) matches(op *core.Op, rec core.Record) bool {
	return p.using.Match(rec) && p.where.Match(rec) && (op.After == nil || core.After(op.Order, op.After, rec))
}

// setOrder sets the direction of the path and where it starts, if it can yield the
// records in the order of the op.
func (p *queryPlan) setOrder(op *core.Op) {
	switch {
	case len(op.Order) == 0: // of a Count
	case p.field.Key() && op.Order[0].Field == p.field:
		p.ordered, p.desc = true, op.Order[0].Desc
		p.resumeKeys(op.After)
	case p.field.Key():
	case sortsByIndex(op.Order) && op.Order[0].Field == p.field:
		p.ordered, p.desc, p.keyDesc, p.resume = true, op.Order[0].Desc, op.Order[1].Desc, op.After
	case len(p.intervals) == 1 && p.intervals[0].isPoint() && op.Order[0].Field.Key():
		p.ordered, p.desc, p.keyDesc = true, op.Order[0].Desc, op.Order[0].Desc
		if op.After != nil {
			p.resume = []core.Value{p.intervals[0].from.value, op.After[0]}
		}
	}
}

// resumeKeys narrows a path along the key to what comes after the position.
func (p *queryPlan) resumeKeys(after []core.Value) {
	if after == nil {
		return
	}
	rest := interval{bound{after[0], true}, maxBound}
	if p.desc {
		rest = interval{minBound, bound{after[0], false}}
	}
	for i, s := range p.intervals {
		p.intervals[i] = s.intersect(rest)
	}
}

// sortsByIndex reports whether an index yields records in this order.
func sortsByIndex(order []core.Order) bool {
	return len(order) == 2 && order[0].Field.Indexed() && order[1].Field.Key()
}
