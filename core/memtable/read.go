package memtable

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// read answers a Load or a Select on the tables of a snapshot.
func read(ctx context.Context, tables []table, op *core.Op) (res core.Result, err error) {
	related := relatedFor(ctx, tables, op)
	if op.Kind == core.Load {
		res, err = load(tables, op, related)
	} else {
		res, err = selectRecords(ctx, tables, op, related)
	}
	if err != nil {
		return core.Result{}, err
	}
	if len(op.Conditions) > 0 {
		if res.Conditions, err = answers(op.Conditions, res.Records, related); err != nil {
			return core.Result{}, err
		}
	}
	project(res.Records, op)
	return res, nil
}

func load(tables []table, op *core.Op, related *relatedRecords) (core.Result, error) {
	t, reader := tables[op.Resource.Index()], related.reader()
	found := make([]core.Record, 0, len(op.Keys))
	for _, key := range op.Keys {
		rec, ok := t.get(key)
		if !ok {
			continue
		}
		is, err := op.Using.Match(rec, reader)
		if err != nil {
			return core.Result{}, err
		}
		if is {
			found = append(found, rec)
		}
	}
	return core.Result{Records: found}, nil
}

func selectRecords(ctx context.Context, tables []table, op *core.Op, related *relatedRecords) (core.Result, error) {
	m, err := newMatcher(ctx, op, related)
	if err != nil {
		return core.Result{}, err
	}
	return m.read(tables[op.Resource.Index()])
}

// count answers a Count.
func count(ctx context.Context, tables []table, op *core.Op) (n int, err error) {
	t := tables[op.Resource.Index()]
	if op.Where.Kind() == core.FilterAll && op.Using.Kind() == core.FilterAll {
		return t.size(), nil
	}
	m, err := newMatcher(ctx, op, relatedFor(ctx, tables, op))
	if err != nil {
		return 0, err
	}
	t.scan(m.plan, func(rec core.Record) bool {
		if m.matches(rec) {
			n++
		}
		return m.err == nil
	})
	return n, m.err
}

// aggregate answers an Aggregate.
func aggregate(ctx context.Context, tables []table, op *core.Op) (core.Result, error) {
	count := *op // visits the same records, in any order
	count.Kind, count.Order, count.Limit = core.Count, nil, 0
	m, err := newMatcher(ctx, &count, relatedFor(ctx, tables, op))
	if err != nil {
		return core.Result{}, err
	}
	groups, more := core.NewGroups(op), false
	tables[op.Resource.Index()].scan(m.plan, func(rec core.Record) bool {
		if m.matches(rec) {
			more, m.err = groups.Add(rec, m.related)
		}
		return m.err == nil && !more
	})
	if m.err != nil {
		return core.Result{}, m.err
	}
	return groups.Result()
}

// visits counts the records that an operation visits, and notices the end of its context.
type visits struct {
	ctx context.Context
	n   int
}

// perCheck is the number of visited records after which the context is checked.
const perCheck = 1024

// next counts a record.
//
// Errors: the context's.
func (v *visits) next() error {
	if v.n++; v.n%perCheck != 0 {
		return nil
	}
	return v.ctx.Err()
}

// matcher finds the records of a Select or Count among the records that its plan visits.
type matcher struct {
	visits

	plan    *queryPlan
	op      *core.Op
	related core.RelatedReader // nil if the op does not concern related records
	err     error              // ends the scan
}

func newMatcher(ctx context.Context, op *core.Op, related *relatedRecords) (*matcher, error) {
	op, err := related.narrow(op)
	if err != nil {
		return nil, err
	}
	return &matcher{visits: visits{ctx: ctx}, plan: plan(op), op: op, related: related.reader()}, nil
}

func (m *matcher) read(t table) (core.Result, error) {
	if m.plan.ordered {
		return m.readOrdered(t)
	}
	return m.readTop(t)
}

// matches counts the visit of the record, and reports whether the record matches the remaining conditions of the op. After
// an error, which is that of the context, it sets err.
func (m *matcher) matches(rec core.Record) (is bool) {
	err := m.next()
	if err == nil {
		is, err = m.plan.matches(rec, m.related)
	}
	if err != nil {
		m.err = err
	}
	return is
}

// readOrdered returns the first records of a plan that yields the order of the op.
func (m *matcher) readOrdered(t table) (res core.Result, err error) {
	limit, order, after := m.op.Limit, m.op.Order, m.op.After
	t.scan(m.plan, func(rec core.Record) bool {
		if !m.matches(rec) || after != nil && !core.After(order, after, rec) {
			return m.err == nil
		}
		if limit > 0 && len(res.Records) == limit {
			res.More = true
			return false
		}
		res.Records = append(res.Records, rec)
		return true
	})
	return res, m.err
}

// readTop returns the first records of a plan that yields another order.
func (m *matcher) readTop(t table) (core.Result, error) {
	found := topRecords{op: m.op}
	t.scan(m.plan, func(rec core.Record) bool {
		if m.matches(rec) {
			m.addTo(&found, rec)
		}
		return m.err == nil
	})
	return found.result(), m.err
}

// addTo adds the record with its sort values, unless it comes before the position that the op continues at.
func (m *matcher) addTo(found *topRecords, rec core.Record) {
	after := m.op.After
	if !m.op.OrderCrosses() {
		if after == nil || core.After(m.op.Order, after, rec) {
			found.add(sortedRecord{rec, nil})
		}
		return
	}
	var position []core.Value
	position, m.err = m.op.Position(rec, m.related)
	if m.err == nil && (after == nil || core.ComparePositions(m.op.Order, position, after) > 0) {
		found.add(sortedRecord{rec, position})
	}
}

// answers returns the answers to the conditions for each of the records.
func answers(conditions []core.Filter, records []core.Record, related *relatedRecords) ([][]bool, error) {
	reader := related.reader()
	all := make([][]bool, len(records))
	for i, rec := range records {
		all[i] = make([]bool, len(conditions))
		for j, f := range conditions {
			var err error
			if all[i][j], err = f.Match(rec, reader); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
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
	records []sortedRecord
	full    bool // the first Limit+1 records are sorted
}

// sortedRecord is a record with its sort values, which are nil if the order has no path.
type sortedRecord struct {
	core.Record

	position []core.Value
}

// sortFactor is the number of records to collect before sorting, for each requested record.
const sortFactor = 2

func (s *topRecords) add(rec sortedRecord) {
	limit := s.op.Limit
	if s.full && s.compare(rec, s.records[limit]) > 0 {
		return
	}
	s.records = append(s.records, rec)
	if limit > 0 && len(s.records)/sortFactor > limit {
		s.sort()
		clear(s.records[limit+1:])
		s.records, s.full = s.records[:limit+1], true
	}
}

func (s *topRecords) compare(a, b sortedRecord) int {
	if a.position != nil {
		return core.ComparePositions(s.op.Order, a.position, b.position)
	}
	return core.CompareRecords(s.op.Order, a.Record, b.Record)
}

func (s *topRecords) sort() { slices.SortFunc(s.records, s.compare) }

// result returns the requested records in order.
func (s *topRecords) result() (res core.Result) {
	s.sort()
	if limit := s.op.Limit; limit > 0 && len(s.records) > limit {
		res.More = true
		s.records = s.records[:limit]
	}
	res.Records = make([]core.Record, len(s.records))
	for i, rec := range s.records {
		res.Records[i] = rec.Record
		if rec.position != nil {
			res.Positions = append(res.Positions, rec.position)
		}
	}
	return res
}
