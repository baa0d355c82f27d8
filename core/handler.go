package core

import "context"

// Handler runs an op. It is called by many goroutines at once.
type Handler func(ctx context.Context, op *Op) (Result, error)

// Decorator is one layer around every operation.
type Decorator struct {
	// Name of the decorator in [Store.Describe] and in errors.
	Name string
	// Note describes the decorator's settings in a few words, for [Store.Describe].
	Note string
	// Kind says what the decorator does to operations. [New] derives from it where in the stack the decorator may
	// stand.
	Kind DecoratorKind
	// Repeatable allows several decorators of the same name in one stack.
	Repeatable bool
	// Wrap is called once, by [New], with the model and the next handler towards
	// the backend. It returns the handler that stands around it, or next itself
	// if there is nothing to do, or an error if the decorator does not fit the
	// model: then New fails with it. A decorator with a Wrap counts as one that can
	// hide records, see [Description.MayHide]; a decorator of [KindObserve] has none.
	Wrap func(m *Model, next Handler) (Handler, error)
	// Observe is called in the place of Wrap for decorators of [KindObserve]. It returns an observer, or nil to
	// observe nothing. A decorator has either a Wrap or an Observe function.
	Observe func(m *Model) (Observer, error)
	// ReadOnly reports whether the decorator refuses all writes of a resource at the
	// time, for faces that describe what they serve; nil if it never does. It decides
	// nothing: operations are refused by Wrap. It may be called from any goroutine.
	ReadOnly func(r *Resource) bool
}

// DecoratorKind says what a [Decorator] does to operations, and so where in a stack it may stand.
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
