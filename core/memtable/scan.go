package memtable

import "github.com/larder-go/larder/core"

func (t *typedTable[K]) scan(p *queryPlan, yield func(core.Record) bool) {
	if p.merged {
		t.scanMerged(p, yield)
		return
	}
	for i := range p.intervals {
		s := p.intervals[i]
		if p.desc {
			s = p.intervals[len(p.intervals)-1-i]
		}
		if !s.empty() && !t.scanInterval(p, s, yield) {
			return
		}
	}
}

func (t *typedTable[K]) countVisits(p *queryPlan, limit int) (n int) {
	count := func() bool {
		n++
		return n <= limit
	}
	for _, s := range p.intervals {
		switch {
		case s.empty():
		case s == everyValue:
			n += t.size()
		case p.byKey() && s.isPoint():
			n++
		case p.byKey():
			t.scanInterval(p, s, func(core.Record) bool { return count() })
		default:
			t.indexOf(p).scan(s, directions{}, nil, func(K) bool { return count() })
		}
		if n > limit {
			break
		}
	}
	return n
}

func (t *typedTable[K]) scanInterval(p *queryPlan, s interval, yield func(core.Record) bool) bool {
	switch {
	case !p.byKey():
		return t.scanIndex(p, s, yield)
	case s.from.value.IsNull(): // keys are never null
		return true
	case s.isPoint():
		rec, ok := t.get(s.from.value)
		return !ok || yield(rec)
	case p.desc:
		return t.descend(s, yield)
	}
	return t.ascend(s, yield)
}

func (t *typedTable[K]) scanIndex(p *queryPlan, s interval, yield func(core.Record) bool) bool {
	var resume *cursor[K]
	if p.resume != nil {
		resume = &cursor[K]{p.resume[0], t.ordinal(p.resume[1])}
	}
	return t.indexOf(p).scan(s, directions{p.desc, p.keyDesc}, resume, func(key K) bool {
		rec, _ := t.records.Get(key)
		return yield(rec)
	})
}

// indexOf returns the index that the plan scans.
func (t *typedTable[K]) indexOf(p *queryPlan) *tableIndex[K] {
	if p.tuple != nil {
		return t.tupleIndex(p.tuple)
	}
	return &t.indexes[t.columns[p.field.Column()]]
}

func (t *typedTable[K]) ascend(s interval, yield func(core.Record) bool) bool {
	from, to := t.ordinal(s.from.value), t.ordinal(s.to.value)
	more := true
	visit := func(key K, rec core.Record) bool {
		if s.to.value.IsSet() && (key > to || key == to && !s.to.after) {
			return false
		}
		if s.from.value.IsSet() && key == from && s.from.after {
			return true
		}
		more = yield(rec)
		return more
	}
	if s.from.value.IsSet() {
		t.records.Ascend(from, visit)
	} else {
		t.records.Scan(visit)
	}
	return more
}

func (t *typedTable[K]) descend(s interval, yield func(core.Record) bool) bool {
	from, to := t.ordinal(s.from.value), t.ordinal(s.to.value)
	more := true
	visit := func(key K, rec core.Record) bool {
		if s.from.value.IsSet() && (key < from || key == from && s.from.after) {
			return false
		}
		if s.to.value.IsSet() && key == to && !s.to.after {
			return true
		}
		more = yield(rec)
		return more
	}
	if s.to.value.IsSet() {
		t.records.Descend(to, visit)
	} else {
		t.records.Reverse(visit)
	}
	return more
}
