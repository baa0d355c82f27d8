package engine

import (
	"math"

	"github.com/larder-go/larder/core"
)

// View is one record as a client sees it, to a depth. It is immutable. The zero View shows null.
type View struct{ node *node }

// AppendJSON appends the JSON of the record to dst: the id at depth 0, otherwise an object with the fields in the
// order of their declaration, without null fields.
//
// A list side NAME that is not shown in full is followed by a member NAME@next with the text of [More.After].
func (v View) AppendJSON(dst []byte) []byte {
	return v.AppendLinked(dst, func(m More) string { return string(m.After) })
}

// AppendLinked works like [View.AppendJSON] with the result of link as the value of members NAME@next.
func (v View) AppendLinked(dst []byte, link func(More) string) []byte {
	if v.node == nil {
		return append(dst, "null"...)
	}
	return v.node.appendJSON(dst, link)
}

// Key returns the key of the record. It is absent for the zero View.
func (v View) Key() core.Value {
	if v.node == nil {
		return core.Value{}
	}
	return v.node.record.Key()
}

// Any returns the value that encoding/json decodes from [View.AppendJSON], with json.Number for numbers.
func (v View) Any() any {
	parsed, _ := core.ParseJSON(v.AppendJSON(nil), math.MaxInt) // own JSON is valid
	return parsed
}

// node is a record in the tree of a view. All occurrences of a record at the same depth share one node.
type node struct {
	info   *resourceInfo
	record core.Record
	idOnly bool // shown as its id
	parts  []part
	times  int // occurrences in the answer
	size   int // bytes of the node without related records
}

// part is the value of a shown field that is no column of the record.
type part struct {
	isList bool         // to-many relation: members are in nodes or ids
	value  core.Value   // of a computed field, or the id of a to-one relation
	more   *More        // rest of a list side that is not shown in full
	nodes  []*node      // related records with fields
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

// appendField appends a field and a comma. It appends nothing for null.
func (n *node) appendField(dst []byte, shown *shownField, link func(More) string) []byte {
	if shown.part >= 0 {
		return n.parts[shown.part].appendJSON(dst, shown, link)
	}
	v := n.record.At(shown.field.Column())
	if !v.IsSet() {
		return dst
	}
	dst = shown.field.AppendJSON(append(dst, shown.label...), v)
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

// closeWith closes the object or list that began at start. The bracket replaces a trailing comma.
func closeWith(dst []byte, start int, bracket byte) []byte {
	if len(dst) > start {
		dst[len(dst)-1] = bracket
		return dst
	}
	return append(dst, bracket)
}
