package memtable

import (
	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// scanMerged yields the records that hold one of the values of the plan, in the order of their keys over all values. A
// page of n records under k values takes time proportional to k + n log k, however many records hold the values.
func (t *typedTable[K]) scanMerged(p *queryPlan, yield func(core.Record) bool) {
	var resume *K
	if p.resume != nil {
		key := t.ordinal(p.resume[1])
		resume = &key
	}
	x := t.indexes[t.columns[p.field.Column()]]
	lists := merge[K]{desc: p.keyDesc}
	for _, s := range p.intervals {
		list := x.list(s.from.value, p.keyDesc, resume)
		if key, ok := list.next(); ok {
			lists.heads = append(lists.heads, head[K]{key, list})
		}
	}
	for i := len(lists.heads)/2 - 1; i >= 0; i-- {
		lists.sift(i)
	}
	for len(lists.heads) > 0 {
		rec, _ := t.records.Get(lists.heads[0].key)
		if !yield(rec) {
			return
		}
		lists.advance()
	}
}

// merge is a binary heap of lists of keys by their next key.
type merge[K ordinal] struct {
	heads []head[K]
	desc  bool
}

// head is the next key of a list, and the rest of the list.
type head[K ordinal] struct {
	key  K
	rest keyList[K]
}

// keyList is an ordered list of keys.
type keyList[K ordinal] interface {
	// next returns the next key; false at the end.
	next() (K, bool)
}

func (m *merge[K]) before(i, j int) bool {
	if m.desc {
		i, j = j, i
	}
	return m.heads[i].key < m.heads[j].key
}

// advance removes the first key.
func (m *merge[K]) advance() {
	first := &m.heads[0]
	key, ok := first.rest.next()
	if first.key = key; !ok {
		last := len(m.heads) - 1
		m.heads[0] = m.heads[last]
		m.heads = m.heads[:last]
	}
	m.sift(0)
}

// sift moves the head at position i down to its place in the heap.
func (m *merge[K]) sift(i int) {
	for {
		child := 2*i + 1
		if child+1 < len(m.heads) && m.before(child+1, child) {
			child++
		}
		if child >= len(m.heads) || !m.before(child, i) {
			return
		}
		m.heads[i], m.heads[child] = m.heads[child], m.heads[i]
		i = child
	}
}

// indexList is the list of the keys of an index under one value.
type indexList[V, K ordinal] struct {
	iter    btree.IterG[entry[V, K]]
	start   entry[V, K] // position at which the list begins, or ends if desc
	end     entry[V, K]
	desc    bool
	started bool
}

func (x *typedIndex[V, K]) list(v core.Value, desc bool, resume *K) keyList[K] {
	of := x.entryOf(v)
	l := &indexList[V, K]{start: of.beforeValue(), end: of.afterValue(), desc: desc}
	if resume != nil {
		at := of
		at.key = *resume
		if desc {
			l.end = at
		} else {
			l.start = at
		}
	}
	l.iter.Init(x.tree, false)
	return l
}

func (l *indexList[V, K]) next() (key K, ok bool) {
	switch {
	case l.started && l.desc:
		ok = l.iter.Prev()
	case l.started:
		ok = l.iter.Next()
	case !l.desc:
		ok = l.iter.Seek(l.start)
	case l.iter.Seek(l.end):
		ok = l.iter.Prev()
	default:
		ok = l.iter.Last()
	}
	l.started = true
	e := l.iter.Item()
	return e.key, ok && !less(e, l.start) && less(e, l.end)
}
