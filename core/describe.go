package core

import (
	"fmt"
	"slices"
	"strings"
)

// Description tells how a store is composed.
type Description struct {
	Model   string
	Layers  []LayerDescription // outermost first
	Backend string
}

// LayerDescription tells of one decorator.
type LayerDescription struct {
	Name  string
	Note  string
	Layer Layer
	// Wraps reports whether the decorator has a Wrap, and so can change operations
	// and their results.
	Wraps bool
}

// MayHide reports whether a layer of the stack can hide records or fields from a
// principal. Every decorator with a Wrap can, whatever its Layer says; an observer
// cannot.
func (d Description) MayHide() bool {
	return slices.ContainsFunc(d.Layers, func(l LayerDescription) bool { return l.Wraps })
}

// Describe tells how the store is composed. It gives no access to the parts.
func (s *Store) Describe() Description {
	d := s.description
	d.Layers = append([]LayerDescription(nil), d.Layers...)
	return d
}

func describe(m *Model, b Backend, decorators []Decorator) Description {
	d := Description{Model: m.name, Backend: fmt.Sprintf("%T", b)}
	if named, ok := b.(fmt.Stringer); ok {
		d.Backend = named.String()
	}
	for _, dec := range decorators {
		d.Layers = append(d.Layers, LayerDescription{dec.Name, dec.Note, dec.Layer, dec.Wrap != nil})
	}
	return d
}

// String draws the stack, one line per layer, outermost first.
func (d Description) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s\n", d.Model)
	for _, l := range d.Layers {
		fmt.Fprintf(&b, "  %s (%s)", l.Name, l.Layer)
		if l.Note != "" {
			b.WriteString(": " + l.Note)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "  %s\n", d.Backend)
	return b.String()
}
