package reference

import (
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
)

// Records returns all records of a resource, in any order.
type Records func(r *core.Resource) iter.Seq[core.Record]

// Related returns the first record of the relation's target that is related to the record and matches the condition.
// Its method value is a [core.RelatedReader].
func (all Records) Related(rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
	for candidate := range all(to.Target()) {
		if !to.Joins(rec, candidate) {
			continue
		}
		if is, err := where.Match(candidate, all.Related); err != nil || is {
			return candidate, err
		}
	}
	return core.Record{}, nil
}

// Read returns the result of a Load or Select.
//
// Errors: those of [core.Filter.Match], for an op that no store passes to a backend.
func Read(all Records, op *core.Op) (res core.Result, err error) {
	found, err := matching(all, op)
	if err != nil {
		return core.Result{}, err
	}
	if op.Kind == core.Load {
		slices.SortFunc(found, func(a, b match) int { return core.Compare(a.record.Key(), b.record.Key()) })
	} else {
		slices.SortFunc(found, func(a, b match) int { return core.ComparePositions(op.Order, a.position, b.position) })
	}
	if op.Limit > 0 && len(found) > op.Limit {
		found, res.More = found[:op.Limit], true
	}
	for _, m := range found {
		res.Records = append(res.Records, m.record.Project(op.Fields))
		if op.OrderCrosses() {
			res.Positions = append(res.Positions, m.position)
		}
		if len(op.Conditions) == 0 {
			continue
		}
		answers := make([]bool, len(op.Conditions))
		for i, f := range op.Conditions {
			if answers[i], err = f.Match(m.record, all.Related); err != nil {
				return core.Result{}, err
			}
		}
		res.Conditions = append(res.Conditions, answers)
	}
	return res, nil
}

// match is a record that an op reads, with its sort values.
type match struct {
	record   core.Record
	position []core.Value
}

// matching returns the records that the op reads, in any order.
func matching(all Records, op *core.Op) (found []match, err error) {
	for rec := range all(op.Resource) {
		is, err := op.Matches(rec, all.Related)
		if err != nil {
			return nil, err
		}
		if !is {
			continue
		}
		position, err := op.Position(rec, all.Related)
		if err != nil {
			return nil, err
		}
		found = append(found, match{rec, position})
	}
	return found, nil
}

// Aggregate returns the result of an Aggregate.
//
// Errors: as for [Read]; those of [core.Groups.Result].
func Aggregate(all Records, op *core.Op) (core.Result, error) {
	groups := core.NewGroups(op)
	for rec := range all(op.Resource) {
		is, err := op.Matches(rec, all.Related)
		if err == nil && is {
			_, err = groups.Add(rec, all.Related)
		}
		if err != nil {
			return core.Result{}, err
		}
	}
	return groups.Result()
}

// Count returns the result of a Count.
//
// Errors: as for [Read].
func Count(all Records, op *core.Op) (int, error) {
	found, err := matching(all, op)
	return len(found), err
}
