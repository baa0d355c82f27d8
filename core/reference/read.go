package reference

import (
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
)

// Read returns the result of a Load or Select, given all records of the op's resource in any order.
func Read(records iter.Seq[core.Record], op *core.Op) core.Result {
	var found []core.Record
	for rec := range records {
		if op.Matches(rec) {
			found = append(found, rec)
		}
	}
	order := op.Order
	if op.Kind == core.Load {
		order = []core.Order{{Field: op.Resource.Key()}}
	}
	slices.SortFunc(found, func(a, b core.Record) int { return core.CompareRecords(order, a, b) })
	var res core.Result
	if op.Limit > 0 && len(found) > op.Limit {
		found, res.More = found[:op.Limit], true
	}
	for _, rec := range found {
		res.Records = append(res.Records, rec.Project(op.Fields))
	}
	return res
}

// Count returns the result of a Count, given all records of the op's resource.
func Count(records iter.Seq[core.Record], op *core.Op) (n int) {
	for rec := range records {
		if op.Matches(rec) {
			n++
		}
	}
	return n
}
