package memtable

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// read answers a Load or a Select.
func read(t table, op *core.Op) core.Result {
	if op.Kind == core.Load {
		return load(t, op)
	}
	p := plan(op)
	var res core.Result
	if p.ordered {
		res = readOrdered(t, p, op)
	} else {
		found := topRecords{op: op}
		t.scan(p, func(rec core.Record) bool {
			if p.matches(op, rec) {
				found.add(rec)
			}
			return true
		})
		res = found.result()
	}
	project(res.Records, op)
	return res
}

// readOrdered returns the first records of a plan that yields the order of the op.
func readOrdered(t table, p *queryPlan, op *core.Op) (res core.Result) {
	t.scan(p, func(rec core.Record) bool {
		if !p.matches(op, rec) {
			return true
		}
		if op.Limit > 0 && len(res.Records) == op.Limit {
			res.More = true
			return false
		}
		res.Records = append(res.Records, rec)
		return true
	})
	return res
}

func load(t table, op *core.Op) core.Result {
	found := make([]core.Record, 0, len(op.Keys))
	for _, key := range op.Keys {
		if rec, ok := t.get(key); ok && op.Using.Match(rec) {
			found = append(found, rec)
		}
	}
	project(found, op)
	return core.Result{Records: found}
}

// count answers a Count.
func count(t table, op *core.Op) (n int) {
	if op.Where.Kind() == core.FilterAll && op.Using.Kind() == core.FilterAll {
		return t.size()
	}
	p := plan(op)
	t.scan(p, func(rec core.Record) bool {
		if p.matches(op, rec) {
			n++
		}
		return true
	})
	return n
}

func project(records []core.Record, op *core.Op) {
	if op.Fields == nil {
		return
	}
	for i, rec := range records {
		records[i] = rec.Project(op.Fields)
	}
}

// topRecords collects the first records of a Select whose plan yields another order. It keeps about sortFactor times the
// requested records in memory, instead of all matching ones.
type topRecords struct {
	op      *core.Op
	records []core.Record
	full    bool // the first Limit+1 records are sorted
}

// sortFactor is the number of records to collect before sorting, for each requested record.
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

// result returns the requested records in order.
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
