package memtable

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// plan chooses the path of a Select or Count. Whatever it chooses holds all
// records that fulfil the op's conditions, and perhaps others.
func plan(op *core.Op) *path {
	p := &path{field: op.Resource.Key(), where: op.Where, using: op.Using}
	best, rank := choose(op)
	switch {
	case rank == rankNothing:
		return p
	case rank == rankScan && sortsByIndex(op.Order):
		p.field, p.spans = op.Order[0].Field, []span{everything}
	case rank == rankScan:
		p.spans = []span{everything}
	default:
		p.field, p.spans = best.Field(), spansOf(op, best)
		p.leaveOut(best, rank)
	}
	p.order(op)
	return p
}

// The ranks of conditions, the most selective first.
const (
	rankNothing  = iota // no record fulfils it
	rankKey             // names keys
	rankUnique          // names values of a unique field
	rankValue           // names one value of an indexed field
	rankValues          // names several
	rankKeyRange        // a range of keys
	rankRange           // a range of an indexed field, or null among its values
	rankScan            // says nothing about indexed fields
)

// choose returns the condition of the guard or of the client that leads to the
// records. The guard's takes precedence if it names values, lest the time that an
// answer takes tell how many hidden records fulfil the client's condition. Keys and
// values of a unique field that the client names are an exception: they lead to no
// more records than are named.
func choose(op *core.Op) (best core.Filter, rank int) {
	guard, guardRank := mostSelective(op.Using)
	own, ownRank := mostSelective(op.Where)
	few := ownRank <= rankUnique && guardRank != rankNothing
	if ownRank < guardRank && (few || guardRank > rankValues) || ownRank == rankNothing {
		return own, ownRank
	}
	return guard, guardRank
}

// mostSelective returns the part of a condition with the best rank.
func mostSelective(f core.Filter) (best core.Filter, rank int) {
	rank = rankScan
	eachPart(f, func(part core.Filter) {
		if r := rankOf(part); r < rank {
			best, rank = part, r
		}
	})
	return best, rank
}

// eachPart calls fn with the parts of a condition that must all hold.
func eachPart(f core.Filter, fn func(core.Filter)) {
	if f.Kind() != core.FilterAnd {
		fn(f)
		return
	}
	for _, part := range f.Filters() {
		fn(part)
	}
}

func rankOf(f core.Filter) int {
	field := f.Field()
	if f.Kind() == core.FilterNone {
		return rankNothing
	}
	if field == nil || !field.Key() && !field.Indexed() {
		return rankScan
	}
	switch f.Kind() {
	case core.FilterEq, core.FilterIn:
		return rankOfValues(field, f.Values())
	case core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterPrefix:
		if field.Key() {
			return rankKeyRange
		}
		return rankRange
	}
	return rankScan
}

func rankOfValues(field *core.Field, values []core.Value) int {
	switch {
	case len(values) == 0:
		return rankNothing
	case slices.Contains(values, core.Null):
		return rankRange
	case field.Key():
		return rankKey
	case field.Unique():
		return rankUnique
	case len(values) == 1:
		return rankValue
	}
	return rankValues
}

// spansOf returns the values of the chosen condition's field that fulfil it and the
// other conditions on the field.
func spansOf(op *core.Op, best core.Filter) []span {
	spans := valuesOf(best)
	narrow := func(f core.Filter) {
		if f.Field() == best.Field() && f != best {
			spans = intersect(spans, valuesOf(f))
		}
	}
	eachPart(op.Where, narrow)
	eachPart(op.Using, narrow)
	return spans
}

// valuesOf returns the values that fulfil a condition on a field, or more.
func valuesOf(f core.Filter) []span {
	if f.Kind() == core.FilterIn {
		values := core.SortKeys(slices.Clone(f.Values()))
		spans := make([]span, len(values))
		for i, v := range values {
			spans[i] = point(v)
		}
		return spans
	}
	if len(f.Values()) == 1 {
		if s, ok := spanOf(f.Kind(), f.Values()[0]); ok {
			return []span{s}
		}
	}
	return []span{everything}
}

// leaveOut leaves out the condition if it is all that the op asks and names
// values, which the path then answers exactly. To check it nevertheless would
// mean to touch the values of records that nobody may ever look at.
func (p *path) leaveOut(best core.Filter, rank int) {
	if rank > rankValues {
		return
	}
	if p.where == best {
		p.where = core.All()
	}
	if p.using == best {
		p.using = core.All()
	}
}

// fulfils reports whether a record on the path fulfils the op's conditions.
func (p *path) fulfils(op *core.Op, rec core.Record) bool {
	return p.using.Match(rec) && p.where.Match(rec) && (op.After == nil || core.After(op.Order, op.After, rec))
}

// order sets the direction of the path and where it starts, if it can yield the
// records in the order of the op.
func (p *path) order(op *core.Op) {
	switch {
	case len(op.Order) == 0: // of a Count
	case p.field.Key() && op.Order[0].Field == p.field:
		p.ordered, p.desc = true, op.Order[0].Desc
		p.continueKeys(op.After)
	case p.field.Key():
	case sortsByIndex(op.Order) && op.Order[0].Field == p.field:
		p.ordered, p.desc, p.keyDesc, p.after = true, op.Order[0].Desc, op.Order[1].Desc, op.After
	case len(p.spans) == 1 && p.spans[0].isPoint() && op.Order[0].Field.Key():
		p.ordered, p.desc, p.keyDesc = true, op.Order[0].Desc, op.Order[0].Desc
		if op.After != nil {
			p.after = []core.Value{p.spans[0].from.value, op.After[0]}
		}
	}
}

// continueKeys narrows a path along the key to what comes after the position.
func (p *path) continueKeys(after []core.Value) {
	if after == nil {
		return
	}
	rest := span{cut{after[0], true}, end}
	if p.desc {
		rest = span{start, cut{after[0], false}}
	}
	for i, s := range p.spans {
		p.spans[i] = s.intersect(rest)
	}
}

// sortsByIndex reports whether an index yields records in this order.
func sortsByIndex(order []core.Order) bool {
	return len(order) == 2 && order[0].Field.Indexed() && order[1].Field.Key()
}
