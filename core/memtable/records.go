package memtable

import (
	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// records is an ordered map from keys, as ordinals, to records.
type records[K ordinal] interface {
	size() int
	// fill puts the records into the empty map; their keys ascend.
	fill(keys []K, all []core.Record)
	get(key K) (core.Record, bool)
	set(key K, rec core.Record)
	remove(key K)
	// scan visits the records in the order of their keys, or the other way round,
	// from a key on if bounded, until visit returns false.
	scan(from K, bounded, desc bool, visit func(key K, rec core.Record) bool)
	// clone returns a copy that may be written to, in a time that does not depend
	// on the size.
	clone() records[K]
}

// named is the records of a resource whose keys are texts.
type named struct {
	tree *btree.Map[string, core.Record]
}

func newNamed() records[string] { return named{btree.NewMap[string, core.Record](0)} }

func (n named) size() int                          { return n.tree.Len() }
func (n named) get(key string) (core.Record, bool) { return n.tree.Get(key) }
func (n named) set(key string, rec core.Record)    { n.tree.Set(key, rec) }
func (n named) remove(key string)                  { n.tree.Delete(key) }
func (n named) clone() records[string]             { return named{n.tree.Copy()} }

func (n named) fill(keys []string, all []core.Record) {
	for i, rec := range all {
		n.tree.Load(keys[i], rec)
	}
}

func (n named) scan(from string, bounded, desc bool, visit func(string, core.Record) bool) {
	switch {
	case bounded && desc:
		n.tree.Descend(from, visit)
	case bounded:
		n.tree.Ascend(from, visit)
	case desc:
		n.tree.Reverse(visit)
	default:
		n.tree.Scan(visit)
	}
}
