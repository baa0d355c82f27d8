package memtable

import (
	"cmp"
	"slices"

	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// index finds the keys of records by a value.
type index[K ordinal] interface {
	add(v core.Value, key K)
	remove(v core.Value, key K)
	// fill adds the values of records to the empty index. The keys ascend.
	fill(keys []K, values []core.Value)
	// scan yields the keys of the records with a value in the interval until yield returns false, which it then
	// returns too. With resume, it starts at that position instead of the beginning.
	scan(s interval, d directions, resume *cursor[K], yield func(K) bool) bool
	// list returns the keys of the records with the value, ascending or, if desc, descending. With resume, it starts at
	// that key or after it.
	list(v core.Value, desc bool, resume *K) keyList[K]
	clone() index[K]
}

// directions are the order of a scan: first by value, then by key among equal values. Both ascend by default.
type directions struct{ valueDesc, keyDesc bool }

// cursor is a position in an index.
type cursor[K ordinal] struct {
	value core.Value
	key   K
}

func newIndex[K ordinal](t core.Type) index[K] {
	if isNumber(t) {
		return newTypedIndex[int64, K](number)
	}
	if t == core.Decimal {
		return newTypedIndex[string, K](decimalOrdinal)
	}
	return newTypedIndex[string, K](core.Value.Text)
}

// typedIndex is an index on a field with ordinals of type V.
type typedIndex[V, K ordinal] struct {
	tree    *btree.BTreeG[entry[V, K]]
	ordinal func(core.Value) V
}

// entry is a value together with the key of a record that holds it. An entry with a side is not stored: it marks the
// position before or after all entries of its value.
type entry[V, K ordinal] struct {
	class int8 // -1 for absent, 0 for a value, 1 for null
	side  int8 // -1 before, 1 after all entries of the value; 0 for a stored entry
	value V
	key   K
}

func newTypedIndex[V, K ordinal](ordinalOf func(core.Value) V) *typedIndex[V, K] {
	return &typedIndex[V, K]{
		tree:    btree.NewBTreeGOptions(less[V, K], btree.Options{Degree: degree, NoLocks: true}),
		ordinal: ordinalOf,
	}
}

// degree is half of the capacity of a tree node. A write copies the nodes on its path, since snapshots share them, so
// small nodes make writes cheaper: the tree's default degree of 32 accounted for 5.6 of the 8 kB that an insert
// allocates, and for a fifth of its time. Scans are as fast.
const degree = 12

func less[V, K ordinal](a, b entry[V, K]) bool {
	switch {
	case a.class != b.class:
		return a.class < b.class
	case a.value != b.value:
		return a.value < b.value
	case a.side != b.side:
		return a.side < b.side
	}
	return a.key < b.key
}

// entryOf returns an entry of the value without a key.
func (x *typedIndex[V, K]) entryOf(v core.Value) entry[V, K] {
	switch {
	case v.IsNull():
		return entry[V, K]{class: 1}
	case v.IsAbsent():
		return entry[V, K]{class: -1}
	}
	return entry[V, K]{value: x.ordinal(v)}
}

func (x *typedIndex[V, K]) entryFor(v core.Value, key K) entry[V, K] {
	e := x.entryOf(v)
	e.key = key
	return e
}

func (x *typedIndex[V, K]) boundEntry(c bound) entry[V, K] {
	e := x.entryOf(c.value)
	e.side = -1
	if c.after {
		e.side = 1
	}
	return e
}

func (x *typedIndex[V, K]) add(v core.Value, key K) { x.tree.Set(x.entryFor(v, key)) }

func (x *typedIndex[V, K]) remove(v core.Value, key K) { x.tree.Delete(x.entryFor(v, key)) }

func (x *typedIndex[V, K]) fill(keys []K, values []core.Value) {
	all := make([]entry[V, K], len(values))
	for i, v := range values {
		all[i] = x.entryFor(v, keys[i])
	}
	slices.SortFunc(all, func(a, b entry[V, K]) int { // the order of less for stored entries
		if a.class != b.class {
			return int(a.class) - int(b.class)
		}
		if by := cmp.Compare(a.value, b.value); by != 0 {
			return by
		}
		return cmp.Compare(a.key, b.key)
	})
	for _, e := range all {
		x.tree.Load(e)
	}
}

func (x *typedIndex[V, K]) clone() index[K] { return &typedIndex[V, K]{x.tree.Copy(), x.ordinal} }

func (x *typedIndex[V, K]) scan(s interval, d directions, resume *cursor[K], yield func(K) bool) bool {
	from, to := x.boundEntry(s.from), x.boundEntry(s.to)
	if d.valueDesc != d.keyDesc {
		return x.scanByValue(from, to, d, resume, yield)
	}
	if resume != nil {
		at := x.entryFor(resume.value, resume.key)
		if d.keyDesc && less(at, to) {
			to = at
		} else if !d.keyDesc && less(from, at) {
			from = at
		}
	}
	return x.scanEntries(from, to, d.keyDesc, yield)
}

// scanEntries yields the keys of the entries between two positions in the order of the tree, or in reverse order. A
// stored entry as the first position is included.
func (x *typedIndex[V, K]) scanEntries(from, to entry[V, K], desc bool, yield func(K) bool) bool {
	more := true
	if desc {
		x.tree.Descend(to, func(e entry[V, K]) bool {
			more = less(e, from) || yield(e.key)
			return more && !less(e, from)
		})
		return more
	}
	x.tree.Ascend(from, func(e entry[V, K]) bool {
		more = !less(e, to) || yield(e.key)
		return more && less(e, to)
	})
	return more
}

// scanByValue scans the values in one direction and the entries of each value in the other.
func (x *typedIndex[V, K]) scanByValue(from, to entry[V, K], d directions, resume *cursor[K], yield func(K) bool) bool {
	if resume != nil {
		at := x.entryFor(resume.value, resume.key)
		if !less(at, from) && less(at, to) && !x.scanRestOfValue(at, d.keyDesc, yield) {
			return false
		}
		if d.valueDesc && less(at, to) {
			to = at.beforeValue()
		} else if !d.valueDesc && less(from, at) {
			from = at.afterValue()
		}
	}
	for {
		next, ok := x.nextEntry(from, to, d.valueDesc)
		if !ok {
			return true
		}
		if !x.scanEntries(next.beforeValue(), next.afterValue(), d.keyDesc, yield) {
			return false
		}
		if d.valueDesc {
			to = next.beforeValue()
		} else {
			from = next.afterValue()
		}
	}
}

// scanRestOfValue yields the keys of the entries with the value of at, starting at that entry.
func (x *typedIndex[V, K]) scanRestOfValue(at entry[V, K], desc bool, yield func(K) bool) bool {
	if desc {
		return x.scanEntries(at.beforeValue(), at, true, yield)
	}
	return x.scanEntries(at, at.afterValue(), false, yield)
}

// nextEntry returns the first entry between two positions, or the last one if desc.
func (x *typedIndex[V, K]) nextEntry(from, to entry[V, K], desc bool) (next entry[V, K], ok bool) {
	take := func(e entry[V, K]) bool {
		next, ok = e, !less(e, from) && less(e, to)
		return false
	}
	if desc {
		x.tree.Descend(to, take)
	} else {
		x.tree.Ascend(from, take)
	}
	return next, ok
}

// beforeValue returns the position before all entries with e's value.
func (e entry[V, K]) beforeValue() entry[V, K] {
	return entry[V, K]{class: e.class, value: e.value, side: -1}
}

// afterValue returns the position after all entries with e's value.
func (e entry[V, K]) afterValue() entry[V, K] {
	return entry[V, K]{class: e.class, value: e.value, side: 1}
}
