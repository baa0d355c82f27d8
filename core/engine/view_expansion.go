package engine

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
)

// hop is one relation of all nodes of a group: one operation leads from them to
// the related records.
type expansion struct {
	group *nodeGroup
	shown *shownField
	// keys of the related records, where the nodes' own records store them;
	// otherwise those of the nodes.
	keys    []core.Value
	listIDs [][]core.Value // by node, of a one-directional to-many relation
}

// newHop collects the keys. Without any the relation is empty and needs no
// operation.
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

// readTargets leaves a key out that the node before has, too: many of a list point
// at the same record.
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
		ids, err := n.record.At(f.Column()).Elements(f.Target().Key().Type())
		if err != nil {
			return &core.Error{Code: core.ServerError, Cause: fmt.Errorf("reading the ids that a record stores in %s: %w", f, err)}
		}
		ex.listIDs[i] = core.SortKeys(ids)
		ex.keys = append(ex.keys, ex.listIDs[i]...)
	}
	ex.keys = core.SortKeys(ex.keys)
	return nil
}

// hidden reports whether a policy hides what the node's record stores of the
// relation.
func (ex *expansion) isHidden(n *node) bool {
	f := ex.shown.field
	return f.Stored() && n.record.At(f.Column()).IsAbsent()
}

// open makes lists of the nodes' parts, empty ones so far.
func (ex *expansion) initLists() {
	if !ex.shown.field.Many() {
		return
	}
	for _, n := range ex.group.nodes {
		n.parts[ex.shown.part].isList = !ex.isHidden(n)
	}
}

// pairs yields each node with the index of each record that it is related to,
// ascending for a node. Records ascend by key.
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
	column := ex.shown.field.Inverse().Column()
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

// refused reports whether a policy does not let the principal read the resource
// at all, or not the field that stores the relation: then it is not shown.
func isDenied(err error) bool {
	return errors.Is(err, core.Forbidden) || errors.Is(err, core.Unauthorized) || errors.Is(err, core.UnknownField)
}
