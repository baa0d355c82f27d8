package memtable

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// queryPlan is the way to execute a Select or Count: a scan of the key or of an index over some intervals, and the
// conditions that remain to be checked.
type queryPlan struct {
	field     *core.Field  // the key, or an indexed field
	tuple     *core.Index  // index of [core.Resource.Indexes], in place of field; nil for none
	intervals []interval   // of the field's values; they ascend and do not overlap
	desc      bool         // values descend
	keyDesc   bool         // keys of equal values in an index descend
	resume    []core.Value // value and key after which a scan of an index starts; nil for the beginning
	ordered   bool         // the scan yields records in the order of the op
	merged    bool         // the scan orders the records of all intervals, each of one value, by their keys

	fixed      int  // fields of the index with given values
	restricted bool // the next field of the index has a range

	where, using core.Filter // remaining conditions of the op
}

// plan chooses how to execute a Select or Count. Every record that matches the op's conditions is in the intervals of
// the plan; other records may be too.
func plan(op *core.Op) *queryPlan {
	p, rank := fieldPlan(op)
	if rank <= byUniqueValues || len(op.Resource.Indexes()) == 0 {
		return p
	}
	if t := planTuple(op); t != nil && t.betterThan(p, op) {
		return t
	}
	return p
}

// fieldPlan returns the best plan on the key or on the index of one field, and the rank of its condition.
func fieldPlan(op *core.Op) (*queryPlan, int) {
	p := &queryPlan{field: op.Resource.Key(), where: op.Where, using: op.Using}
	best, rank := chooseCondition(op)
	switch {
	case rank == matchesNone:
		return p, rank
	case rank == fullScan && sortsByIndex(op.Order):
		p.field, p.intervals = op.Order[0].Field, []interval{everyValue}
	case rank == fullScan:
		p.intervals = []interval{everyValue}
	default:
		p.field, p.intervals = best.Field(), planIntervals(op, best)
		p.dropExactCondition(best, rank)
		p.restricted = rank > byValues
		if !p.restricted {
			p.fixed = 1
		}
	}
	p.setOrder(op)
	return p, rank
}

// Kinds of conditions by selectivity, the most selective first.
const (
	matchesNone    = iota // no record matches
	byKeys                // names keys
	byUniqueValues        // names values of a unique field
	byOneValue            // names one value of an indexed field
	byValues              // names several values of an indexed field
	byKeyRange            // a range of keys
	byRange               // a range of an indexed field, or null among its values
	fullScan              // does not restrict an indexed field
)

// chooseCondition returns the condition that determines the scan, from the policy or from the client. The policy's
// condition takes precedence if it names values: otherwise the time of the answer would reveal the number of hidden
// records that match the client's condition. Keys and unique values in the client's condition are the exception, because
// each of them leads to at most one record.
func chooseCondition(op *core.Op) (best core.Filter, rank int) {
	policy, policyRank := mostSelective(op.Using)
	client, clientRank := mostSelective(op.Where)
	few := clientRank <= byUniqueValues && policyRank != matchesNone
	if clientRank < policyRank && (few || policyRank > byValues) || clientRank == matchesNone {
		return client, clientRank
	}
	return policy, policyRank
}

// mostSelective returns the most selective conjunct of a condition.
func mostSelective(f core.Filter) (best core.Filter, rank int) {
	rank = fullScan
	eachConjunct(f, func(part core.Filter) {
		if r := selectivityOf(part); r < rank {
			best, rank = part, r
		}
	})
	return best, rank
}

// eachConjunct calls fn with each part of a condition that must hold.
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

// planIntervals returns the values of the chosen condition's field that match it and all other conditions on the field.
func planIntervals(op *core.Op, best core.Filter) []interval {
	intervals := conditionIntervals(best)
	narrow := func(f core.Filter) {
		if f.Field() == best.Field() && f != best {
			intervals = intersect(intervals, conditionIntervals(f))
		}
	}
	eachConjunct(op.Where, narrow)
	eachConjunct(op.Using, narrow)
	return intervals
}

// conditionIntervals returns intervals that contain every value matching a condition on a field.
func conditionIntervals(f core.Filter) []interval {
	if f.Kind() == core.FilterIn {
		values := core.SortKeys(slices.Clone(f.Values()))
		intervals := make([]interval, len(values))
		for i, v := range values {
			intervals[i] = point(v)
		}
		return intervals
	}
	if len(f.Values()) == 1 {
		if s, ok := comparisonInterval(f.Kind(), f.Values()[0]); ok {
			return []interval{s}
		}
	}
	return []interval{everyValue}
}

// byKey reports whether the plan scans the key.
func (p *queryPlan) byKey() bool { return p.tuple == nil && p.field.Key() }

// dropExactCondition removes the chosen condition from the filters that the scan checks, if the intervals answer it
// exactly. Checking it again would load the values of every visited record.
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

// matches reports whether a visited record matches the op's remaining conditions. The client's condition is evaluated on
// records that the policy allows only.
//
// Errors: those of the reader.
func (p *queryPlan) matches(rec core.Record, read core.RelatedReader) (bool, error) {
	is, err := true, error(nil)
	if p.using.Kind() != core.FilterAll {
		is, err = p.using.Match(rec, read)
	}
	if is && p.where.Kind() != core.FilterAll {
		is, err = p.where.Match(rec, read)
	}
	return is, err
}

// setOrder sets the direction and the start of the scan, if the scan can yield the records in the order of the op.
func (p *queryPlan) setOrder(op *core.Op) {
	switch {
	case len(op.Order) == 0 || op.OrderCrosses(): // a Count has no order
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
	case op.Limit > 0 && op.Order[0].Field.Key() && p.hasValuesOnly():
		p.ordered, p.merged, p.keyDesc = true, true, op.Order[0].Desc
		if op.After != nil {
			p.resume = []core.Value{core.Null, op.After[0]}
		}
	}
}

// hasValuesOnly reports whether each interval contains exactly one value.
func (p *queryPlan) hasValuesOnly() bool {
	return !slices.ContainsFunc(p.intervals, func(s interval) bool { return !s.isPoint() })
}

// resumeKeys restricts a scan of keys to the part after the page position.
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
	return len(order) == 2 && order[0].Path == nil && order[0].Field.Indexed() && order[1].Field.Key()
}
