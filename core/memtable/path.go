package memtable

import "github.com/larder-go/larder/core"

// path is a way to records: along the key or an index, over parts of it.
type path struct {
	field   *core.Field  // the key, or an indexed field
	spans   []span       // of the field's values, ascending, apart from each other
	desc    bool         // values descend
	keyDesc bool         // keys of equal values on an index descend
	after   []core.Value // value and key to go on behind on an index; nil to start
	ordered bool         // records come in the order that the op wants

	where, using core.Filter // what of the op's conditions is left to check
}

// scan yields the records on the path.
func (t *rows[K]) scan(p *path, yield func(core.Record) bool) {
	for i := range p.spans {
		s := p.spans[i]
		if p.desc {
			s = p.spans[len(p.spans)-1-i]
		}
		if !s.empty() && !t.scanSpan(p, s, yield) {
			return
		}
	}
}

func (t *rows[K]) scanSpan(p *path, s span, yield func(core.Record) bool) bool {
	switch {
	case !p.field.Key():
		return t.byIndex(p, s, yield)
	case s.from.value.IsNull(): // no key is
		return true
	case s.isPoint():
		rec, ok := t.get(s.from.value)
		return !ok || yield(rec)
	case p.desc:
		return t.descend(s, yield)
	}
	return t.ascend(s, yield)
}

func (t *rows[K]) byIndex(p *path, s span, yield func(core.Record) bool) bool {
	var resume *position[K]
	if p.after != nil {
		resume = &position[K]{p.after[0], t.ordinal(p.after[1])}
	}
	return t.indexes[t.columns[p.field.Column()]].scan(s, directions{p.desc, p.keyDesc}, resume, func(key K) bool {
		rec, _ := t.records.get(key)
		return yield(rec)
	})
}

func (t *rows[K]) ascend(s span, yield func(core.Record) bool) bool {
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
	t.records.scan(from, s.from.value.IsSet(), false, visit)
	return more
}

func (t *rows[K]) descend(s span, yield func(core.Record) bool) bool {
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
	t.records.scan(to, s.to.value.IsSet(), true, visit)
	return more
}
