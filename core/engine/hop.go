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
type hop struct {
	group *group
	slot  *slot
	// keys of the related records, where the nodes' own records store them;
	// otherwise those of the nodes.
	keys []core.Value
	ids  [][]core.Value // by node, of a one-directional to-many relation
}

// newHop collects the keys. Without any the relation is empty and needs no
// operation.
func newHop(g *group, at *slot) (hop, error) {
	h := hop{group: g, slot: at}
	var err error
	switch f := at.field; {
	case !f.Stored():
		h.keys = make([]core.Value, len(g.nodes))
		for i, n := range g.nodes {
			h.keys[i] = n.record.Key()
		}
	case f.Many():
		err = h.readLists()
	default:
		h.readTargets()
	}
	return h, err
}

// readTargets leaves a key out that the node before has, too: many of a list point
// at the same record.
func (h *hop) readTargets() {
	column := h.slot.field.Column()
	for _, n := range h.group.nodes {
		if v := n.record.At(column); v.IsSet() && (len(h.keys) == 0 || v != h.keys[len(h.keys)-1]) {
			h.keys = append(h.keys, v)
		}
	}
	h.keys = core.SortKeys(h.keys)
}

func (h *hop) readLists() error {
	f := h.slot.field
	h.ids = make([][]core.Value, len(h.group.nodes))
	for i, n := range h.group.nodes {
		ids, err := n.record.At(f.Column()).Elements(f.Target().Key().Type())
		if err != nil {
			return &core.Error{Code: core.ServerError, Cause: fmt.Errorf("reading the ids that a record stores in %s: %w", f, err)}
		}
		h.ids[i] = core.SortKeys(ids)
		h.keys = append(h.keys, h.ids[i]...)
	}
	h.keys = core.SortKeys(h.keys)
	return nil
}

// hidden reports whether a policy hides what the node's record stores of the
// relation.
func (h *hop) hidden(n *node) bool {
	f := h.slot.field
	return f.Stored() && n.record.At(f.Column()).IsAbsent()
}

// open makes lists of the nodes' parts, empty ones so far.
func (h *hop) open() {
	if !h.slot.field.Many() {
		return
	}
	for _, n := range h.group.nodes {
		n.parts[h.slot.part].list = !h.hidden(n)
	}
}

// pairs yields each node with the index of each record that it is related to,
// ascending for a node. Records ascend by key.
func (h *hop) pairs(records []core.Record) iter.Seq2[*node, int] {
	f := h.slot.field
	switch {
	case !f.Stored():
		return h.pointedAt(records)
	case f.Many():
		return h.listed(records)
	}
	return func(yield func(*node, int) bool) {
		for _, n := range h.group.nodes {
			if i, ok := find(records, n.record.At(f.Column())); ok && !yield(n, i) {
				return
			}
		}
	}
}

func (h *hop) listed(records []core.Record) iter.Seq2[*node, int] {
	return func(yield func(*node, int) bool) {
		for at, n := range h.group.nodes {
			for _, id := range h.ids[at] {
				if i, ok := find(records, id); ok && !yield(n, i) {
					return
				}
			}
		}
	}
}

func (h *hop) pointedAt(records []core.Record) iter.Seq2[*node, int] {
	column := h.slot.field.Inverse().Column()
	return func(yield func(*node, int) bool) {
		for i, rec := range records {
			if n := h.group.find(rec.At(column)); n != nil && !yield(n, i) {
				return
			}
		}
	}
}

func find(records []core.Record, key core.Value) (int, bool) {
	return slices.BinarySearchFunc(records, key, func(rec core.Record, key core.Value) int {
		return core.Compare(rec.Key(), key)
	})
}

// refused reports whether a policy does not let the principal read the resource
// at all, or not the field that stores the relation: then it is not shown.
func refused(err error) bool {
	return errors.Is(err, core.Forbidden) || errors.Is(err, core.Unauthorized) || errors.Is(err, core.UnknownField)
}
