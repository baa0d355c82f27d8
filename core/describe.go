package core

import (
	"fmt"
	"slices"
	"strings"
)

// Description describes how a store is composed.
type Description struct {
	Model      string
	Decorators []DecoratorDescription // outermost first
	Backend    string
}

// DecoratorDescription describes one decorator of a store.
type DecoratorDescription struct {
	Name string
	Note string
	Kind DecoratorKind
	// Wraps reports whether the decorator has a Wrap, and so can change operations
	// and their results.
	Wraps bool
}

// MayHide reports whether a decorator of the stack can hide records or fields from a
// principal. Every decorator with a Wrap can, whatever its Kind says; an observer
// cannot.
func (d Description) MayHide() bool {
	return slices.ContainsFunc(d.Decorators, func(d DecoratorDescription) bool { return d.Wraps })
}

// Describe tells how the store is composed. It gives no access to the parts.
func (s *Store) Describe() Description {
	d := s.description
	d.Decorators = append([]DecoratorDescription(nil), d.Decorators...)
	return d
}

func describe(m *Model, b Backend, decorators []Decorator) Description {
	d := Description{Model: m.name, Backend: fmt.Sprintf("%T", b)}
	if named, ok := b.(fmt.Stringer); ok {
		d.Backend = named.String()
	}
	for _, dec := range decorators {
		d.Decorators = append(d.Decorators, DecoratorDescription{dec.Name, dec.Note, dec.Kind, dec.Wrap != nil})
	}
	return d
}

// String draws the stack, one line per decorator, outermost first.
func (d Description) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s\n", d.Model)
	for _, dec := range d.Decorators {
		fmt.Fprintf(&b, "  %s (%s)", dec.Name, dec.Kind)
		if dec.Note != "" {
			b.WriteString(": " + dec.Note)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "  %s\n", d.Backend)
	return b.String()
}
