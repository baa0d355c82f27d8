package memtable

import (
	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// table holds the records of one resource and their indexes.
type table interface {
	// size returns the number of records.
	size() int
	// get returns the record with the key.
	get(key core.Value) (core.Record, bool)
	// scan yields the records in the intervals of the plan, in its direction, until yield returns false.
	scan(p *queryPlan, yield func(core.Record) bool)
	// countVisits returns the number of records that a scan of the plan visits, or any number above the limit.
	countVisits(p *queryPlan, limit int) int
	// countValue returns the number of records with v in the indexed field, and stops counting at limit.
	countValue(f *core.Field, v core.Value, limit int) int
	// countTuple returns the number of records in the index with the values of rec, and stops counting at limit.
	countTuple(x *core.Index, rec core.Record, limit int) int

	// fill adds the records to the empty table. Their keys ascend.
	fill(all []core.Record)
	// clone returns a writable table with the same content, in a time that does not depend on its size. Only the
	// writer may call it. Readers of the original are not affected.
	clone() table
	// put inserts rec, or replaces old if that is a record.
	put(old, rec core.Record)
	// remove deletes the record.
	remove(old core.Record)
}

// newTable returns an empty table for the resource.
func newTable(r *core.Resource) table {
	if isNumber(r.Key().Type()) {
		return newTypedTable(r, core.Value.Int)
	}
	return newTypedTable(r, core.Value.Text)
}

// typedTable is a table with ordinals of type K for its keys.
type typedTable[K ordinal] struct {
	records *btree.Map[K, core.Record]
	ordinal func(core.Value) K // returns the ordinal of a key
	indexes []tableIndex[K]
	columns []int // by column: index in indexes, or -1
	tuples  int   // position in indexes of the first of [core.Resource.Indexes]
}

// tableIndex is an index of a table. A clone shares the indexes of its original until it writes to them.
type tableIndex[K ordinal] struct {
	index[K]

	column int
	tuple  *core.Index // in place of column; nil for none
	owned  bool        // writable by this table; otherwise shared with the original
}

// value returns the value of a record in the index; false if the index leaves the record out.
func (x *tableIndex[K]) value(rec core.Record) (core.Value, bool) {
	if x.tuple != nil {
		return tupleOf(x.tuple, rec)
	}
	return rec.At(x.column), true
}

func newTypedTable[K ordinal](r *core.Resource, ordinalOf func(core.Value) K) *typedTable[K] {
	t := &typedTable[K]{records: btree.NewMap[K, core.Record](degree), ordinal: ordinalOf, columns: make([]int, len(r.Columns()))}
	for i, f := range r.Columns() {
		t.columns[i] = -1
		if f.Indexed() && !f.Key() {
			t.columns[i] = len(t.indexes)
			t.indexes = append(t.indexes, tableIndex[K]{newIndex[K](f.Type()), i, nil, true})
		}
	}
	t.tuples = len(t.indexes)
	for _, x := range r.Indexes() {
		t.indexes = append(t.indexes, tableIndex[K]{newIndex[K](core.Text), -1, x, true})
	}
	return t
}

func (t *typedTable[K]) size() int { return t.records.Len() }

func (t *typedTable[K]) get(key core.Value) (core.Record, bool) { return t.records.Get(t.ordinal(key)) }

func (t *typedTable[K]) countValue(f *core.Field, v core.Value, limit int) (n int) {
	t.indexes[t.columns[f.Column()]].scan(point(v), directions{}, nil, func(K) bool {
		n++
		return n < limit
	})
	return n
}

func (t *typedTable[K]) countTuple(x *core.Index, rec core.Record, limit int) (n int) {
	v, _ := tupleOf(x, rec)
	t.tupleIndex(x).scan(point(v), directions{}, nil, func(K) bool {
		n++
		return n < limit
	})
	return n
}

func (t *typedTable[K]) tupleIndex(x *core.Index) *tableIndex[K] {
	i := t.tuples
	for t.indexes[i].tuple != x {
		i++
	}
	return &t.indexes[i]
}

func (t *typedTable[K]) fill(all []core.Record) {
	keys := make([]K, len(all))
	for i, rec := range all {
		keys[i] = t.ordinal(rec.Key())
		t.records.Load(keys[i], rec)
	}
	for i := range t.indexes {
		x := &t.indexes[i]
		held, values := make([]K, 0, len(all)), make([]core.Value, 0, len(all))
		for j, rec := range all {
			if v, ok := x.value(rec); ok {
				held, values = append(held, keys[j]), append(values, v)
			}
		}
		x.fill(held, values)
	}
}

func (t *typedTable[K]) clone() table {
	c := *t
	c.records = t.records.Copy()
	c.indexes = make([]tableIndex[K], len(t.indexes))
	for i, x := range t.indexes {
		c.indexes[i] = tableIndex[K]{x.index, x.column, x.tuple, false}
	}
	return &c
}

func (t *typedTable[K]) put(old, rec core.Record) {
	key := t.ordinal(rec.Key())
	t.records.Set(key, rec)
	for i := range t.indexes {
		v, holds := t.indexes[i].value(rec)
		var was core.Value
		held := !old.IsZero()
		if held {
			was, held = t.indexes[i].value(old)
		}
		if held == holds && was == v {
			continue
		}
		x := t.writable(i)
		if held {
			x.remove(was, key)
		}
		if holds {
			x.add(v, key)
		}
	}
}

func (t *typedTable[K]) remove(old core.Record) {
	key := t.ordinal(old.Key())
	t.records.Delete(key)
	for i := range t.indexes {
		if v, held := t.indexes[i].value(old); held {
			t.writable(i).remove(v, key)
		}
	}
}

// writable returns an index that the table may write to. It clones a shared index first.
func (t *typedTable[K]) writable(i int) index[K] {
	x := &t.indexes[i]
	if !x.owned {
		x.index, x.owned = x.clone(), true
	}
	return x.index
}
