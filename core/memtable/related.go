package memtable

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/larder-go/larder/core"
)

// relatedRecords decides conditions on related records for one op, in one snapshot. Each condition has a [lookup], so
// that a record which many records are related to is looked at once.
type relatedRecords struct {
	visits

	tables  []table // of the snapshot, by resource index
	op      *core.Op
	lookups []*lookup
}

// relatedFor returns the related records for the op; nil if it does not concern any.
func relatedFor(ctx context.Context, tables []table, op *core.Op) *relatedRecords {
	if !op.Crosses() {
		return nil
	}
	return &relatedRecords{visits: visits{ctx: ctx}, tables: tables, op: op}
}

// reader returns the reader for [core.Filter.Match]; nil for nil.
func (s *relatedRecords) reader() core.RelatedReader {
	if s == nil {
		return nil
	}
	return s.find
}

// lookup is the knowledge about one condition on the related records of one relation.
type lookup struct {
	to    core.Relation
	where core.Filter
	// found has related records that match the condition, or the zero Record where none does. Its keys are those of
	// the records to which the referring side points.
	found    map[core.Value]core.Record
	complete bool // found has all matching records
	visited  int  // referring records that were visited for single records
	next     int  // number of these visits after which collect is tried again
}

const (
	// maxFound bounds the memory of a lookup that is not complete.
	maxFound = 1 << 16
	// fewVisits is the number of referring records that a lookup visits for single records before it tries to collect
	// all matching ones. It spends as many visits on that, and tries again after visitGrowth times as many.
	fewVisits   = 64
	visitGrowth = 4
	// maxCollected bounds the related records that are visited to determine the scan of an op. If the alternative is to
	// visit all records of its resource, a share of them may be visited instead, namely one in visitShare.
	maxCollected = 1000
	visitShare   = 16
)

func (s *relatedRecords) lookup(to core.Relation, where core.Filter) *lookup {
	for _, l := range s.lookups {
		if l.to == to && l.where == where {
			return l
		}
	}
	l := &lookup{to: to, where: where, next: fewVisits, found: make(map[core.Value]core.Record)}
	s.lookups = append(s.lookups, l)
	return l
}

// find is a [core.RelatedReader].
//
// Errors: the context's.
func (s *relatedRecords) find(rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
	l := s.lookup(to, where)
	if to.Reverse {
		return s.referrer(l, rec.Key())
	}
	keys, err := targetKeys(rec, to.Stored)
	if err != nil {
		return core.Record{}, err
	}
	for _, key := range keys {
		if found, err := s.target(l, key); err != nil || !found.IsZero() {
			return found, err
		}
	}
	return core.Record{}, nil
}

// targetKeys returns the keys that the record holds in a stored relation.
func targetKeys(rec core.Record, stored *core.Field) ([]core.Value, error) {
	v := rec.At(stored.Column())
	switch {
	case stored.Many():
		return stored.Elements(v)
	case v.IsSet():
		return []core.Value{v}, nil
	}
	return nil, nil
}

// target returns the record with the key if it matches the condition of the lookup.
func (s *relatedRecords) target(l *lookup, key core.Value) (core.Record, error) {
	if found, ok := l.found[key]; ok || l.complete {
		return found, nil
	}
	rec, ok := s.tables[l.to.Target().Index()].get(key)
	if ok {
		is, err := s.matches(rec, l.where)
		if err != nil {
			return core.Record{}, err
		}
		if !is {
			rec = core.Record{}
		}
	}
	if len(l.found) == maxFound {
		clear(l.found)
	}
	l.found[key] = rec
	return rec, nil
}

func (s *relatedRecords) matches(rec core.Record, where core.Filter) (bool, error) {
	if err := s.next(); err != nil {
		return false, err
	}
	return where.Match(rec, s.find)
}

// referrer returns a record that refers to the key and matches the condition of the lookup. It looks at the records that
// refer to the key. After many of these, it tries to collect all records that match the condition, which may be fewer.
func (s *relatedRecords) referrer(l *lookup, key core.Value) (found core.Record, err error) {
	if l.to.Stored.Many() && !l.complete {
		err = s.collect(l)
	}
	if l.complete || err != nil {
		return l.found[key], err
	}
	p := &queryPlan{field: l.to.Stored, intervals: []interval{point(key)}}
	s.tables[l.to.Target().Index()].scan(p, func(rec core.Record) bool {
		if l.visited++; l.visited == l.next {
			err = s.collect(l)
		}
		if err != nil || l.complete {
			found = l.found[key]
			return false
		}
		is := false
		if is, err = s.matches(rec, l.where); is {
			found = rec
		}
		return err == nil && !is
	})
	return found, err
}

// collect completes the lookup, unless that takes more visits than the lookup has made. A list of keys has no index, so its
// lookup is always completed.
func (s *relatedRecords) collect(l *lookup) error {
	left := l.visited
	l.next *= visitGrowth
	if l.to.Stored.Many() {
		left = s.tables[l.to.Target().Index()].size()
	}
	op, err := s.narrowWith(&core.Op{Resource: l.to.Target(), Where: l.where}, &left)
	if err != nil {
		return err
	}
	if l.to.Stored.Many() {
		left = math.MaxInt
	}
	return s.complete(l, op, &left)
}

// complete completes the lookup with the records that match the conditions of the op, which are those of the lookup. It
// visits no record if that takes more visits than are left.
func (s *relatedRecords) complete(l *lookup, op *core.Op, left *int) (err error) {
	t, p := s.tables[l.to.Target().Index()], plan(op)
	if *left -= t.countVisits(p, *left); *left < 0 {
		return nil
	}
	found := make(map[core.Value]core.Record)
	t.scan(p, func(rec core.Record) bool {
		var is bool
		if err = s.next(); err == nil {
			is, err = p.matches(rec, s.find)
		}
		if is {
			err = addFound(found, l.to, rec)
		}
		return err == nil
	})
	if err == nil {
		l.found, l.complete = found, true
	}
	return err
}

// addFound adds a related record by the keys to which the referring side points.
func addFound(found map[core.Value]core.Record, to core.Relation, rec core.Record) error {
	if !to.Reverse {
		found[rec.Key()] = rec
		return nil
	}
	keys, err := targetKeys(rec, to.Stored)
	for _, key := range keys {
		found[key] = rec
	}
	return err
}

// narrow returns the op with conditions on keys in place of conditions on related records, for those that a few related
// records decide. The plan then chooses an index by them, as by any condition that names values. A condition of a policy
// becomes such a condition before one of the client does, see chooseCondition.
//
// Errors: the context's.
func (s *relatedRecords) narrow(op *core.Op) (*core.Op, error) {
	if s == nil {
		return op, nil
	}
	limit := maxCollected
	if !endsEarly(op) {
		limit = max(limit, s.tables[op.Resource.Index()].size()/visitShare)
	}
	return s.narrowWith(op, &limit)
}

// endsEarly reports whether a scan in the order of the op may end before it has visited all records.
func endsEarly(op *core.Op) bool {
	return op.Kind == core.Select && op.Limit > 0 && !op.OrderCrosses() && (op.Order[0].Field.Key() || sortsByIndex(op.Order))
}

// narrowWith is narrow with the number of related records that may be visited.
func (s *relatedRecords) narrowWith(op *core.Op, left *int) (*core.Op, error) {
	_, client := mostSelective(op.Where)
	if client <= byUniqueValues || !op.Where.Crosses() && !op.Using.Crosses() {
		return op, nil
	}
	narrowed := *op
	var err error
	_, policy := mostSelective(op.Using)
	if policy > byValues {
		if narrowed.Using, err = s.onKeys(op.Using, left, true); err != nil {
			return nil, err
		}
		_, policy = mostSelective(narrowed.Using)
	}
	narrowed.Where, err = s.onKeys(op.Where, left, policy > byValues)
	return &narrowed, err
}

// onKeys returns the condition with conditions on keys in place of those parts that concern related records and that the
// visits left decide. Parts on records that the relation of the record itself points at are left as they are without
// forward.
func (s *relatedRecords) onKeys(f core.Filter, left *int, forward bool) (_ core.Filter, err error) {
	if !f.Crosses() {
		return f, nil
	}
	var parts []core.Filter
	eachConjunct(f, func(part core.Filter) {
		to := part.Relation()
		if err == nil && part.Kind() == core.FilterRelated && (to.Reverse || forward && !to.Stored.Many()) {
			part, err = s.onKeysOf(part, left)
		}
		parts = append(parts, part)
	})
	return core.And(parts...), err
}

// onKeysOf returns a condition on keys that matches as a [core.FilterRelated] does, or f itself if that takes too many
// visits.
func (s *relatedRecords) onKeysOf(f core.Filter, left *int) (core.Filter, error) {
	to := f.Relation()
	l := s.lookup(to, core.And(f.Where(), f.Guard())) // without a guard the one that find uses
	if !l.complete {
		op, err := s.narrowWith(&core.Op{Resource: to.Target(), Where: f.Where(), Using: f.Guard()}, left)
		if err != nil {
			return f, err
		}
		if err := s.complete(l, op, left); err != nil || !l.complete {
			return f, err
		}
	}
	field := to.Stored
	if to.Reverse {
		field = to.Source().Key()
	}
	return field.Compare(core.FilterIn, slices.Collect(maps.Keys(l.found))...), nil
}
