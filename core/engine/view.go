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
//
// A list side NAME that is not shown to its end is followed by a member NAME@next, the
// text of [More.After].
func (v View) AppendJSON(dst []byte) []byte {
	return v.AppendLinked(dst, func(m More) string { return string(m.After) })
}

// AppendLinked is [View.AppendJSON] with the text of link as the members NAME@next.
func (v View) AppendLinked(dst []byte, link func(More) string) []byte {
	if v.node == nil {
		return append(dst, "null"...)
	}
	return v.node.appendJSON(dst, link)
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
	info   *resourceInfo
	record core.Record
	idOnly bool // shown as its id
	parts  []part
	times  int // how often the answer shows it
	size   int // how many bytes the node itself takes at most
}

// part is what a node shows that is not a column of its record.
type part struct {
	isList bool         // a to-many relation, whose members are nodes or ids
	value  core.Value   // of a computed field; the id of a to-one relation
	more   *More        // where a list side goes on that is not shown to its end
	nodes  []*node      // related records with their fields
	ids    []core.Value // related records as ids
}

func (n *node) appendJSON(dst []byte, link func(More) string) []byte {
	if n.idOnly {
		return n.record.Key().AppendJSON(dst)
	}
	dst = append(dst, '{')
	start := len(dst)
	for i := range n.info.shown {
		dst = n.appendField(dst, &n.info.shown[i], link)
	}
	return closeWith(dst, start, '}')
}

// appendField appends a field that is not null, and a comma.
func (n *node) appendField(dst []byte, shown *shownField, link func(More) string) []byte {
	if shown.part >= 0 {
		return n.parts[shown.part].appendJSON(dst, shown, link)
	}
	v := n.record.At(shown.field.Column())
	if !v.IsSet() {
		return dst
	}
	dst = v.AppendJSON(append(dst, shown.label...))
	return append(dst, ',')
}

func (p *part) appendJSON(dst []byte, shown *shownField, link func(More) string) []byte {
	switch {
	case p.isList:
		dst = p.appendList(append(dst, shown.label...), link)
	case len(p.nodes) > 0:
		dst = p.nodes[0].appendJSON(append(dst, shown.label...), link)
	case p.value.IsSet():
		dst = p.value.AppendJSON(append(dst, shown.label...))
	default:
		return dst
	}
	if p.more != nil {
		dst = core.TextValue(shown.field.APIName() + NextSuffix).AppendJSON(append(dst, ','))
		dst = core.TextValue(link(*p.more)).AppendJSON(append(dst, ':'))
	}
	return append(dst, ',')
}

func (p *part) appendList(dst []byte, link func(More) string) []byte {
	dst = append(dst, '[')
	start := len(dst)
	for _, n := range p.nodes {
		dst = append(n.appendJSON(dst, link), ',')
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
