package memtable

import (
	"cmp"
	"slices"

	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// index finds the keys of records by the value of one field.
type index[K ordinal] interface {
	add(v core.Value, key K)
	remove(v core.Value, key K)
	// fill adds the records, whose keys ascend, to the empty index, by the value of
	// one column.
	fill(keys []K, records []core.Record, column int)
	// scan yields the keys of the records whose value is in the span until yield
	// returns false, which it then returns too. With resume, those before that
	// position are left out.
	scan(s span, d directions, resume *position[K], yield func(K) bool) bool
	clone() index[K]
}

// directions are the order of a scan: by value, and by key among equal values. Each
// ascends unless it says otherwise.
type directions struct{ valueDesc, keyDesc bool }

// position is one place in an index.
type position[K ordinal] struct {
	value core.Value
	key   K
}

func newIndex[K ordinal](t core.Type) index[K] {
	if isNumber(t) {
		return newEntries[int64, K](number)
	}
	return newEntries[string, K](core.Value.Text)
}

// entries is an index on a field whose values have ordinals of type V.
type entries[V, K ordinal] struct {
	tree    *btree.BTreeG[entry[V, K]]
	ordinal func(core.Value) V
}

// entry is one value and the key of a record that holds it. Entries that are not
// stored, but only mark a place in the tree, have an edge: before or behind all
// entries of their value.
type entry[V, K ordinal] struct {
	rank  int8 // of the absent value -1, of a value 0, of null 1
	edge  int8
	value V
	key   K
}

func newEntries[V, K ordinal](ordinalOf func(core.Value) V) *entries[V, K] {
	return &entries[V, K]{
		tree:    btree.NewBTreeGOptions(less[V, K], btree.Options{Degree: degree, NoLocks: true}),
		ordinal: ordinalOf,
	}
}

// degree is half of what a node of an index holds. A write copies the nodes on its way
// down, so that snapshots keep theirs: with the tree's own degree of 32 that was 5.6 of
// the 8 kB that an insert takes, and a fifth of its time; ranges are read as fast.
const degree = 12

func less[V, K ordinal](a, b entry[V, K]) bool {
	switch {
	case a.rank != b.rank:
		return a.rank < b.rank
	case a.value != b.value:
		return a.value < b.value
	case a.edge != b.edge:
		return a.edge < b.edge
	}
	return a.key < b.key
}

// of returns the entry of a value without a key.
func (x *entries[V, K]) of(v core.Value) entry[V, K] {
	switch {
	case v.IsNull():
		return entry[V, K]{rank: 1}
	case v.IsAbsent():
		return entry[V, K]{rank: -1}
	}
	return entry[V, K]{value: x.ordinal(v)}
}

func (x *entries[V, K]) at(v core.Value, key K) entry[V, K] {
	e := x.of(v)
	e.key = key
	return e
}

func (x *entries[V, K]) edge(c cut) entry[V, K] {
	e := x.of(c.value)
	e.edge = -1
	if c.after {
		e.edge = 1
	}
	return e
}

func (x *entries[V, K]) add(v core.Value, key K) { x.tree.Set(x.at(v, key)) }

func (x *entries[V, K]) remove(v core.Value, key K) { x.tree.Delete(x.at(v, key)) }

func (x *entries[V, K]) fill(keys []K, records []core.Record, column int) {
	all := make([]entry[V, K], len(records))
	for i, rec := range records {
		all[i] = x.at(rec.At(column), keys[i])
	}
	slices.SortFunc(all, func(a, b entry[V, K]) int { // as less does for what is stored
		if a.rank != b.rank {
			return int(a.rank) - int(b.rank)
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

func (x *entries[V, K]) clone() index[K] { return &entries[V, K]{x.tree.Copy(), x.ordinal} }

func (x *entries[V, K]) scan(s span, d directions, resume *position[K], yield func(K) bool) bool {
	from, to := x.edge(s.from), x.edge(s.to)
	if d.valueDesc != d.keyDesc {
		return x.byValue(from, to, d, resume, yield)
	}
	if resume != nil {
		at := x.at(resume.value, resume.key)
		if d.keyDesc && less(at, to) {
			to = at
		} else if !d.keyDesc && less(from, at) {
			from = at
		}
	}
	return x.walk(from, to, d.keyDesc, yield)
}

// walk takes the entries between two places in the order of the tree, or in the
// opposite one. The place to walk from may be an entry itself, which is taken then.
func (x *entries[V, K]) walk(from, to entry[V, K], desc bool, yield func(K) bool) bool {
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

// byValue takes the values in one direction, and the entries of each in the other.
func (x *entries[V, K]) byValue(from, to entry[V, K], d directions, resume *position[K], yield func(K) bool) bool {
	if resume != nil {
		at := x.at(resume.value, resume.key)
		if !less(at, from) && less(at, to) && !x.rest(at, d.keyDesc, yield) {
			return false
		}
		if d.valueDesc && less(at, to) {
			to = at.before()
		} else if !d.valueDesc && less(from, at) {
			from = at.behind()
		}
	}
	for {
		next, ok := x.next(from, to, d.valueDesc)
		if !ok {
			return true
		}
		if !x.walk(next.before(), next.behind(), d.keyDesc, yield) {
			return false
		}
		if d.valueDesc {
			to = next.before()
		} else {
			from = next.behind()
		}
	}
}

// rest takes the entries with the value of an entry, from that one on.
func (x *entries[V, K]) rest(at entry[V, K], desc bool, yield func(K) bool) bool {
	if desc {
		return x.walk(at.before(), at, true, yield)
	}
	return x.walk(at, at.behind(), false, yield)
}

// next returns the first entry between two places, or the last one if desc.
func (x *entries[V, K]) next(from, to entry[V, K], desc bool) (next entry[V, K], ok bool) {
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

// before and behind return the places around all entries with e's value.
func (e entry[V, K]) before() entry[V, K] { return entry[V, K]{rank: e.rank, value: e.value, edge: -1} }
func (e entry[V, K]) behind() entry[V, K] { return entry[V, K]{rank: e.rank, value: e.value, edge: 1} }
