package engine

import (
	"math"

	"github.com/larder-go/larder/core"
)

// View is one record as a client sees it, to some depth. It is immutable. The
// zero View shows null.
type View struct{ node *node }

// AppendJSON appends the record's JSON to dst: the id at depth 0, an object
// otherwise, its fields in the order of their declaration, null ones left out.
func (v View) AppendJSON(dst []byte) []byte {
	if v.node == nil {
		return append(dst, "null"...)
	}
	return v.node.appendJSON(dst)
}

// Key returns the key of the record.
func (v View) Key() core.Value {
	if v.node == nil {
		return core.Value{}
	}
	return v.node.record.Key()
}

// Any returns what encoding/json would make of [View.AppendJSON], with
// json.Number for numbers, for programs and tests.
func (v View) Any() any {
	parsed, _ := core.ParseJSON(v.AppendJSON(nil), math.MaxInt) // our own text
	return parsed
}

// node is a record in the tree of a view. Nodes of the same record at the same
// depth are one, however often it is shown.
type node struct {
	shape  *shape
	record core.Record
	bare   bool // shown as its id
	parts  []part
	times  int // how often the answer shows it
	size   int // how many bytes the node itself takes at most
}

// part is what a node shows that is not a column of its record.
type part struct {
	list  bool         // a to-many relation, whose members are nodes or ids
	value core.Value   // of a computed field; the id of a to-one relation
	nodes []*node      // related records with their fields
	ids   []core.Value // related records as ids
}

func (n *node) appendJSON(dst []byte) []byte {
	if n.bare {
		return n.record.Key().AppendJSON(dst)
	}
	dst = append(dst, '{')
	start := len(dst)
	for i := range n.shape.shown {
		dst = n.appendField(dst, &n.shape.shown[i])
	}
	return closeWith(dst, start, '}')
}

// appendField appends a field that is not null, and a comma.
func (n *node) appendField(dst []byte, at *slot) []byte {
	if at.part >= 0 {
		return n.parts[at.part].appendJSON(dst, at.label)
	}
	v := n.record.At(at.field.Column())
	if !v.IsSet() {
		return dst
	}
	dst = v.AppendJSON(append(dst, at.label...))
	return append(dst, ',')
}

func (p *part) appendJSON(dst, label []byte) []byte {
	switch {
	case p.list:
		dst = p.appendList(append(dst, label...))
	case len(p.nodes) > 0:
		dst = p.nodes[0].appendJSON(append(dst, label...))
	case p.value.IsSet():
		dst = p.value.AppendJSON(append(dst, label...))
	default:
		return dst
	}
	return append(dst, ',')
}

func (p *part) appendList(dst []byte) []byte {
	dst = append(dst, '[')
	start := len(dst)
	for _, n := range p.nodes {
		dst = append(n.appendJSON(dst), ',')
	}
	for _, id := range p.ids {
		dst = append(id.AppendJSON(dst), ',')
	}
	return closeWith(dst, start, ']')
}

// closeWith ends what began at start with the bracket, in place of a last comma.
func closeWith(dst []byte, start int, bracket byte) []byte {
	if len(dst) > start {
		dst[len(dst)-1] = bracket
		return dst
	}
	return append(dst, bracket)
}
