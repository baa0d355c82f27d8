package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Handler performs an operation. It may run in several goroutines at once.
type Handler func(ctx context.Context, op *Op) (Result, error)

// Decorator is middleware around every operation of a store: it wraps the next handler or observes it.
type Decorator struct {
	// Name identifies the decorator in [Store.Describe] and in errors.
	Name string
	// Note describes the settings of the decorator in a few words, for [Store.Describe].
	Note string
	// Kind classifies the effect of the decorator on operations. [New] checks the order of the stack by it.
	Kind DecoratorKind
	// KnowsRelated declares that the decorator treats conditions on related records correctly: it narrows or denies an op
	// of kind [Visibility] as a Select, checks the fields that [Filter.Fields] names, and does not decide such a
	// condition on one record. With a policy or effect in the stack that does not declare it, the store rejects callers'
	// conditions and orders on related records. A decorator of [KindAnswer] that does not declare it does not see reads
	// with such conditions.
	KnowsRelated bool
	// UsesRelated declares that the decorator adds conditions on related records to Using, Check or Conditions, so that
	// [New] can reject a stack with a policy or effect that does not know them. It implies KnowsRelated.
	UsesRelated bool
	// Repeatable allows several decorators of this name in one stack. Otherwise [New] rejects the second one.
	Repeatable bool
	// Wrap returns a handler around next, the next handler towards the backend. It may return next itself if there is
	// nothing to do. [New] calls it once and fails with its error, for example when the decorator does not fit the
	// model. A decorator with a Wrap function may hide records, see [Description.MayHide]; a decorator of
	// [KindObserve] has none.
	Wrap func(m *Model, next Handler) (Handler, error)
	// Observe takes the place of Wrap for decorators of [KindObserve]. It returns an observer, or nil to observe
	// nothing.
	Observe func(m *Model) (Observer, error)
	// ReadOnly reports whether the decorator currently rejects all writes of the resource, so that API descriptions
	// can leave them out. Wrap must reject the writes. nil stands for a function that returns false. It may be called
	// from several goroutines.
	ReadOnly func(r *Resource) bool
}

// DecoratorKind says how a [Decorator] affects operations, and so where it may stand in a stack.
type DecoratorKind uint8

// The kinds of decorators. The zero DecoratorKind is invalid: every decorator has to set its Kind.
const (
	// KindObserve is an [Observer], which cannot change operations: logs, metrics, traces. It may stand anywhere.
	KindObserve DecoratorKind = iota + 1
	// KindPolicy denies or narrows operations. It must stand outside every decorator of [KindAnswer].
	KindPolicy
	// KindEffect adds to operations or writes further ones: stamps of time and author, audit trails, soft delete. Like
	// a policy it must stand outside every decorator of [KindAnswer], which would leave its writes out.
	KindEffect
	// KindAnswer may answer operations in the backend's place: caches, fault injectors. A policy or an effect inside it
	// would not see the operations that it answers.
	KindAnswer
)

// String returns "observe", "policy", "effect" or "answer", and "none" for an invalid kind.
func (k DecoratorKind) String() string {
	switch k {
	case KindObserve:
		return "observe"
	case KindPolicy:
		return "policy"
	case KindEffect:
		return "effect"
	case KindAnswer:
		return "answer"
	}
	return "none"
}

// chain wraps the decorators around the innermost handler. The first decorator is the outermost.
func chain(m *Model, decorators []Decorator, innermost Handler) (Handler, error) {
	if err := checkOrder(decorators); err != nil {
		return nil, err
	}
	handler := innermost
	for _, d := range slices.Backward(decorators) {
		next, err := d.wrap(m, handler)
		if err != nil {
			return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
		}
		if d.Kind == KindAnswer && !d.knowsRelated() {
			next = pastRelated(next, handler)
		}
		handler = next
	}
	return handler, nil
}

// pastRelated returns a handler that sends reads with conditions on related records past a decorator: its answer could
// be of a time before the related records changed. The decorator sees all writes.
func pastRelated(decorator, next Handler) Handler {
	return func(ctx context.Context, op *Op) (Result, error) {
		if !op.Kind.Writes() && (op.Kind == Visibility || op.Crosses()) {
			return next(ctx, op)
		}
		return decorator(ctx, op)
	}
}

// knowsRelated reports whether the decorator declares to know conditions on related records.
func (d Decorator) knowsRelated() bool { return d.KnowsRelated || d.UsesRelated }

// unaware reports whether the decorator may hide records and does not know conditions on related records.
func (d Decorator) unaware() bool {
	return (d.Kind == KindPolicy || d.Kind == KindEffect) && !d.knowsRelated()
}

// wrap returns the handler of the decorator around next.
func (d Decorator) wrap(m *Model, next Handler) (Handler, error) {
	if d.Observe != nil {
		o, err := d.Observe(m)
		if err != nil || o == nil {
			return next, err
		}
		return observe(o, next), nil
	}
	handler, err := d.Wrap(m, next)
	if err == nil && handler == nil {
		err = errors.New("returned no handler")
	}
	return handler, err
}

// checkOrder rejects a stack that breaks a promise by its order, with an error that names a correct order.
func checkOrder(decorators []Decorator) error {
	seen := make(map[string]bool, len(decorators))
	var answer, unaware, uses string
	for _, d := range decorators {
		if d.unaware() {
			unaware = d.Name
		}
		if d.UsesRelated {
			uses = d.Name
		}
		switch {
		case d.Name == "" || (d.Wrap == nil) == (d.Observe == nil):
			return fmt.Errorf("decorator %q: needs a name and exactly one of Wrap and Observe", d.Name)
		case d.Kind < KindObserve || d.Kind > KindAnswer:
			return fmt.Errorf("decorator %q: has no kind; set Kind to core.KindObserve, KindPolicy, KindEffect or KindAnswer", d.Name)
		case d.Wrap != nil && d.Kind == KindObserve:
			return fmt.Errorf("decorator %q: has the kind %s and a Wrap; an observer has an Observe function, and a decorator with a Wrap has the kind %s, %s or %s",
				d.Name, KindObserve, KindPolicy, KindEffect, KindAnswer)
		case d.Observe != nil && d.Kind != KindObserve:
			return fmt.Errorf("decorator %q: has an Observe function and the kind %s; the kind of an observer is %s", d.Name, d.Kind, KindObserve)
		case seen[d.Name] && !d.Repeatable:
			return fmt.Errorf("decorator %q: is in the stack twice; keep one", d.Name)
		case (d.Kind == KindPolicy || d.Kind == KindEffect) && answer != "":
			return fmt.Errorf("decorator %q: stands inside %q, which may answer operations before they reach %q; put %q before %q",
				d.Name, answer, d.Name, d.Name, answer)
		}
		seen[d.Name] = true
		if d.Kind == KindAnswer && answer == "" {
			answer = d.Name
		}
	}
	if uses != "" && unaware != "" {
		return fmt.Errorf("decorator %q: has conditions on related records, which %q does not know; set KnowsRelated in %q once it treats them, or remove one of the two",
			uses, unaware, unaware)
	}
	return nil
}

// Description describes the composition of a store.
type Description struct {
	Model      string                 // name of the model
	Decorators []DecoratorDescription // outermost first
	Backend    string                 // result of the backend's String method; without one, its Go type
}

// DecoratorDescription describes one decorator of a store. Name, Note, Kind and UsesRelated are those of its [Decorator].
type DecoratorDescription struct {
	Name string
	Note string
	Kind DecoratorKind
	// Wraps reports whether the decorator has a Wrap function, and so can change operations and their results.
	Wraps       bool
	UsesRelated bool
}

// MayHide reports whether a decorator of the stack may hide records or fields from a principal. Every decorator with
// a Wrap function may, whatever its Kind; an observer may not.
func (d Description) MayHide() bool {
	return slices.ContainsFunc(d.Decorators, func(d DecoratorDescription) bool { return d.Wraps })
}

// Describe returns a description of the store. The description gives no access to the decorators or the backend.
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
		d.Decorators = append(d.Decorators, DecoratorDescription{dec.Name, dec.Note, dec.Kind, dec.Wrap != nil, dec.UsesRelated})
	}
	return d
}

// String returns the stack as text, one decorator per line, outermost first.
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
