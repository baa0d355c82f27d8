package memtable

import "github.com/larder-go/larder/core"

// integrityChecks collects the writes of a transaction that may break integrity. Integrity need not hold between
// operations, so nothing is checked before the commit. The checks look up the final state, which may differ from the
// recorded write.
type integrityChecks struct {
	values  []fieldValue // written to to-one and unique fields
	tuples  []tupleValue // written to unique indexes
	deleted []core.Record
}

type fieldValue struct {
	field *core.Field
	value core.Value
}

// tupleValue is a record that a unique index may reject.
type tupleValue struct {
	index *core.Index
	rec   core.Record
}

// put inserts rec, or replaces old if that is a record.
func (t *transaction) put(table table, old, rec core.Record) {
	table.put(old, rec)
	r := rec.Resource()
	t.noteValues(r.References(), old, rec)
	t.noteValues(r.Uniques(), old, rec)
	for _, x := range r.Indexes() {
		if claim := x.Claim(rec); x.Unique && claim.IsSet() && (old.IsZero() || x.Claim(old) != claim) {
			t.checks.tuples = append(t.checks.tuples, tupleValue{x, rec})
		}
	}
	t.noteWrite(rec)
}

func (t *transaction) noteValues(fields []*core.Field, old, rec core.Record) {
	for _, f := range fields {
		v := rec.At(f.Column())
		if v.IsSet() && (old.IsZero() || old.At(f.Column()) != v) {
			t.checks.values = append(t.checks.values, fieldValue{f, v})
		}
	}
}

func (t *transaction) remove(table table, old core.Record) {
	table.remove(old)
	t.checks.deleted = append(t.checks.deleted, old)
	t.noteWrite(old)
}

func (t *transaction) noteWrite(rec core.Record) {
	if t.store.log != nil {
		t.written = append(t.written, writtenKey{rec.Resource(), rec.Key()})
	}
}

// checkIntegrity returns an error if the transaction leaves a relation without target, a duplicate unique value or a
// reference to a deleted record.
func (t *transaction) checkIntegrity() error {
	for _, w := range t.checks.values {
		if err := t.checkValue(w.field, w.value); err != nil {
			return err
		}
	}
	for _, w := range t.checks.tuples {
		if t.table(w.rec.Resource()).countTuple(w.index, w.rec, 2) > 1 {
			return w.index.AlreadyExistsWith(w.index.Claim(w.rec))
		}
	}
	for _, old := range t.checks.deleted {
		if err := t.checkDeleted(old); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) checkValue(f *core.Field, v core.Value) error {
	table := t.table(f.Resource())
	if f.Unique() && table.countValue(f, v, 2) > 1 {
		return f.AlreadyExistsWith(v)
	}
	if f.Target() == nil || f.Keeps() {
		return nil
	}
	if _, exists := t.table(f.Target()).get(v); !exists && table.countValue(f, v, 1) > 0 {
		return f.Target().NotFound(v)
	}
	return nil
}

func (t *transaction) checkDeleted(old core.Record) error {
	r, key := old.Resource(), old.Key()
	if _, exists := t.table(r).get(key); exists {
		return nil
	}
	for _, f := range r.Referrers() {
		if t.table(f.Resource()).countValue(f, key, 1) > 0 {
			return f.StillReferenced()
		}
	}
	return nil
}
