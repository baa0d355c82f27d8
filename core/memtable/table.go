package memtable

import (
	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// table is the records of one resource with their indexes.
type table interface {
	// size returns the number of records.
	size() int
	// get returns the record with that key.
	get(key core.Value) (core.Record, bool)
	// scan yields the records on the path until yield returns false.
	scan(p *queryPlan, yield func(core.Record) bool)
	// countValue returns the number of records whose indexed field holds v, at most
	// limit.
	countValue(f *core.Field, v core.Value, limit int) int

	// fill puts the records into the empty table; their keys ascend.
	fill(all []core.Record)
	// clone returns a table with the same content that may be written to, in a
	// time that does not depend on its size. It may be called by the only writer
	// alone; readers are not disturbed.
	clone() table
	// put adds the record, or replaces old.
	put(old, rec core.Record)
	// remove removes the record.
	remove(old core.Record)
}

// newTable returns an empty table for the resource.
func newTable(r *core.Resource) table {
	if isNumber(r.Key().Type()) {
		return newTypedTable(r, core.Value.Int)
	}
	return newTypedTable(r, core.Value.Text)
}

// typedTable is a table whose keys have ordinals of type K.
type typedTable[K ordinal] struct {
	records *btree.Map[K, core.Record]
	ordinal func(core.Value) K // of a key
	indexes []tableIndex[K]
	columns []int // by column: place in indexes, or -1
}

// tableIndex is an index of a table, and whether the table may write to it or
// shares it with the one that it was cloned from.
type tableIndex[K ordinal] struct {
	index[K]

	column int
	owned  bool
}

func newTypedTable[K ordinal](r *core.Resource, ordinalOf func(core.Value) K) *typedTable[K] {
	t := &typedTable[K]{records: btree.NewMap[K, core.Record](degree), ordinal: ordinalOf, columns: make([]int, len(r.Columns()))}
	for i, f := range r.Columns() {
		t.columns[i] = -1
		if f.Indexed() && !f.Key() {
			t.columns[i] = len(t.indexes)
			t.indexes = append(t.indexes, tableIndex[K]{newIndex[K](f.Type()), i, true})
		}
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

func (t *typedTable[K]) fill(all []core.Record) {
	keys := make([]K, len(all))
	for i, rec := range all {
		keys[i] = t.ordinal(rec.Key())
		t.records.Load(keys[i], rec)
	}
	for _, x := range t.indexes {
		x.fill(keys, all, x.column)
	}
}

func (t *typedTable[K]) clone() table {
	c := *t
	c.records = t.records.Copy()
	c.indexes = make([]tableIndex[K], len(t.indexes))
	for i, x := range t.indexes {
		c.indexes[i] = tableIndex[K]{x.index, x.column, false}
	}
	return &c
}

func (t *typedTable[K]) put(old, rec core.Record) {
	key := t.ordinal(rec.Key())
	t.records.Set(key, rec)
	for i := range t.indexes {
		column := t.indexes[i].column
		switch {
		case old.IsZero():
			t.writable(i).add(rec.At(column), key)
		case old.At(column) != rec.At(column):
			x := t.writable(i)
			x.remove(old.At(column), key)
			x.add(rec.At(column), key)
		}
	}
}

func (t *typedTable[K]) remove(old core.Record) {
	key := t.ordinal(old.Key())
	t.records.Delete(key)
	for i := range t.indexes {
		t.writable(i).remove(old.At(t.indexes[i].column), key)
	}
}

// writable returns the index, made the table's own on the first write.
func (t *typedTable[K]) writable(i int) index[K] {
	x := &t.indexes[i]
	if !x.owned {
		x.index, x.owned = x.clone(), true
	}
	return x.index
}
