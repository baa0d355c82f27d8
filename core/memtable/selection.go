package memtable

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// topRecords is the first records of a Select whose path yields another order. It keeps
// about as many as the op wants, and not all that the path yields.
type topRecords struct {
	op      *core.Op
	records []core.Record
	full    bool // the first records are sorted, one more than the op wants
}

// sortFactor is how many records are taken in before they are sorted, for each one that is
// wanted.
const sortFactor = 2

func (s *topRecords) add(rec core.Record) {
	limit := s.op.Limit
	if s.full && core.CompareRecords(s.op.Order, rec, s.records[limit]) > 0 {
		return
	}
	s.records = append(s.records, rec)
	if limit > 0 && len(s.records)/sortFactor > limit {
		s.sort()
		clear(s.records[limit+1:])
		s.records, s.full = s.records[:limit+1], true
	}
}

func (s *topRecords) sort() {
	slices.SortFunc(s.records, func(a, b core.Record) int { return core.CompareRecords(s.op.Order, a, b) })
}

// result returns the records that the op wants.
func (s *topRecords) result() (res core.Result) {
	s.sort()
	res.Records = s.records
	if limit := s.op.Limit; limit > 0 && len(s.records) > limit {
		res.More = true
		clear(s.records[limit:])
		res.Records = s.records[:limit:limit]
	}
	return res
}
