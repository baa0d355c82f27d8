package engine

import (
	"errors"
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
)

// expansion is one relation of all nodes of a group. One operation reads its related records, see [joined].
type expansion struct {
	group *nodeGroup
	shown *shownField
	// keys are the keys of the related records if the nodes store them, otherwise the keys of the nodes.
	keys    []core.Value
	listIDs [][]core.Value // by node, for a stored list of ids
	// members are the records to which the links of a list through a join resource lead. Those that were not read are missing.
	// It is nil if the answer shows ids, and for other relations.
	members map[core.Value]core.Record
}

// newExpansion collects the keys. Without keys the relation is empty and needs no operation.
func newExpansion(g *nodeGroup, shown *shownField) (expansion, error) {
	ex := expansion{group: g, shown: shown}
	var err error
	switch f := shown.field; {
	case !f.Stored():
		ex.keys = make([]core.Value, len(g.nodes))
		for i, n := range g.nodes {
			ex.keys[i] = n.record.Key()
		}
	case f.Many():
		err = ex.collectLists()
	default:
		ex.collectTargets()
	}
	return ex, err
}

// joined returns the expansions in groups that one operation serves: all stored to-one relations to one resource. The first
// of a group has the keys of the whole group.
func joined(all []expansion) (groups [][]*expansion) {
	for i := range all {
		ex := &all[i]
		at := -1
		if ex.shown.isStoredID() {
			at = slices.IndexFunc(groups, func(group []*expansion) bool {
				first := group[0].shown
				return first.isStoredID() && first.field.Target() == ex.shown.field.Target() && first.target == ex.shown.target && first.bare == ex.shown.bare
			})
		}
		if at < 0 {
			groups = append(groups, []*expansion{ex})
			continue
		}
		first := groups[at][0]
		first.keys = core.SortKeys(slices.Concat(first.keys, ex.keys))
		groups[at] = append(groups[at], ex)
	}
	return groups
}

// collectTargets collects the stored to-one ids. Equal ids of consecutive nodes are common and are added once.
func (ex *expansion) collectTargets() {
	column := ex.shown.field.Column()
	for _, n := range ex.group.nodes {
		if v := n.record.At(column); v.IsSet() && (len(ex.keys) == 0 || v != ex.keys[len(ex.keys)-1]) {
			ex.keys = append(ex.keys, v)
		}
	}
	ex.keys = core.SortKeys(ex.keys)
}

func (ex *expansion) collectLists() error {
	f := ex.shown.field
	ex.listIDs = make([][]core.Value, len(ex.group.nodes))
	for i, n := range ex.group.nodes {
		ids, err := storedIDs(f, n.record)
		if err != nil {
			return err
		}
		ex.listIDs[i] = core.SortKeys(ids)
		ex.keys = append(ex.keys, ex.listIDs[i]...)
	}
	ex.keys = core.SortKeys(ex.keys)
	return nil
}

// isHidden reports whether a policy hides the stored relation of the node.
func (ex *expansion) isHidden(n *node) bool {
	f := ex.shown.field
	return f.Stored() && n.record.At(f.Column()).IsAbsent()
}

// initLists makes the parts of a to-many relation empty lists.
func (ex *expansion) initLists() {
	if !ex.shown.field.Many() {
		return
	}
	for _, n := range ex.group.nodes {
		n.parts[ex.shown.part].isList = !ex.isHidden(n)
	}
}

// pairs yields each node with the index of each related record, ascending for each node. The records must ascend
// by key.
func (ex *expansion) pairs(records []core.Record) iter.Seq2[*node, int] {
	f := ex.shown.field
	switch {
	case !f.Stored():
		return ex.pairsByInverse(records)
	case f.Many():
		return ex.pairsByList(records)
	}
	return func(yield func(*node, int) bool) {
		for _, n := range ex.group.nodes {
			if i, ok := findByKey(records, n.record.At(f.Column())); ok && !yield(n, i) {
				return
			}
		}
	}
}

func (ex *expansion) pairsByList(records []core.Record) iter.Seq2[*node, int] {
	return func(yield func(*node, int) bool) {
		for at, n := range ex.group.nodes {
			for _, id := range ex.listIDs[at] {
				if i, ok := findByKey(records, id); ok && !yield(n, i) {
					return
				}
			}
		}
	}
}

func (ex *expansion) pairsByInverse(records []core.Record) iter.Seq2[*node, int] {
	column := ownerField(ex.shown.field).Column()
	return func(yield func(*node, int) bool) {
		for i, rec := range records {
			if n := ex.group.find(rec.At(column)); n != nil && !yield(n, i) {
				return
			}
		}
	}
}

func findByKey(records []core.Record, key core.Value) (int, bool) {
	return slices.BinarySearchFunc(records, key, func(rec core.Record, key core.Value) int {
		return core.Compare(rec.Key(), key)
	})
}

// isDenied reports whether a policy denies the related resource or the field that stores the relation. Such a
// relation is not shown.
func isDenied(err error) bool {
	return errors.Is(err, core.Forbidden) || errors.Is(err, core.Unauthorized) || errors.Is(err, core.UnknownField)
}
