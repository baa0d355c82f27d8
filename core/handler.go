package core

import "context"

// Handler runs an op. It is called by many goroutines at once.
type Handler func(ctx context.Context, op *Op) (Result, error)

// Decorator is one layer around every operation.
type Decorator struct {
	// Name of the layer in [Store.Describe] and in errors.
	Name string
	// Note says in a few words how the layer is set up, for [Store.Describe].
	Note string
	// Layer says what the decorator does to operations, from which [New] knows
	// where in the stack it may stand.
	Layer Layer
	// Repeatable allows several decorators of the same name in one stack.
	Repeatable bool
	// Wrap is called once, by [New], with the model and the next handler towards
	// the backend. It returns the handler that stands around it, or next itself
	// if there is nothing to do, or an error if the decorator does not fit the
	// model: then New fails with it. A decorator with a Wrap counts as one that can
	// hide records, see [Description.MayHide]; the layer [Observe] has none.
	Wrap func(m *Model, next Handler) (Handler, error)
	// Watch is called in the place of Wrap for decorators of the layer [Observe]. It
	// returns an observer, or nil to observe nothing. A decorator has either a Wrap or
	// a Watch.
	Watch func(m *Model) (Watcher, error)
	// ReadOnly reports whether the decorator refuses all writes of a resource at the
	// time, for faces that describe what they serve; nil if it never does. It decides
	// nothing: operations are refused by Wrap. It may be called from any goroutine.
	ReadOnly func(r *Resource) bool
}

// Layer is the place of a [Decorator] in a stack.
type Layer uint8

// The layers. There is no zero Layer: a decorator has to say what it is.
const (
	// Observe watches operations with a Watch and so cannot change them: logs,
	// metrics, traces. It may stand anywhere.
	Observe Layer = iota + 1
	// Policy refuses or narrows operations. It must stand outside everything
	// that answers in the backend's place.
	Policy
	// Answer may answer operations in the backend's place: caches, fault
	// injectors. A policy inside it would not see what it answers.
	Answer
)

// String returns the layer's name in lower case.
func (l Layer) String() string {
	switch l {
	case Observe:
		return "observe"
	case Policy:
		return "policy"
	case Answer:
		return "answer"
	}
	return "none"
}
