package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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
	// with such conditions. With any decorator that does not declare it, [Store.ReadsAll] is false.
	KnowsRelated bool
	// UsesRelated declares that the decorator adds conditions on related records to Using, Check or Conditions, so that
	// [New] can reject a stack with a policy or effect that does not know them. It implies KnowsRelated.
	UsesRelated bool
	// InsidePolicies declares that every policy of the stack must stand outside this decorator, because a policy inside it
	// would decide about what it adds or turns an operation into, instead of what the caller asked for. [New] rejects other stacks.
	InsidePolicies bool
	// Inside names decorators that must stand outside this one if the stack has them: an audit trail stands inside the
	// decorator that stamps times and authors, so that its entries show them. [New] rejects other stacks.
	Inside []string
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
	// Sets reports whether the decorator sets the field of new records that leave it out, such as the author. Clients may
	// then leave out a Required field: neither the engine nor API descriptions demand it. Fields that clients cannot set
	// need no declaration. nil stands for a function that returns false. It may be called from several goroutines.
	Sets func(f *Field) bool
	// Keeps reports whether the decorator keeps the records of the resource that are deleted, out of sight, until they are
	// restored: it turns a Delete into an Update, and treats ops of kind [Restore] and ops with [Op] Deleted. A kept record keeps
	// its references, and other records keep theirs to it. It must stand outside other decorators with InsidePolicies, such as hooks,
	// which would not see restores. [New] rejects other stacks. It is called with resources of the model that Wrap has got. nil
	// stands for a function that returns false. It may be called from several goroutines.
	Keeps func(r *Resource) bool
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
	// a policy it must stand outside every decorator of [KindAnswer], which would leave its writes out. Most effects stand inside
	// all policies, see [Decorator] InsidePolicies.
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
		if !op.Writes() && op.Kind != Tx && (op.Asks() || op.Crosses()) {
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
	var answer, unaware, uses, effect, changes string
	outer := make(map[string]string) // the decorator already met that has to stand inside the named one
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
		case d.Kind == KindPolicy && effect != "":
			return fmt.Errorf("decorator %q: stands inside %q, which would see writes that %q denies, and change what %q decides about; put %q before %q",
				d.Name, effect, d.Name, d.Name, d.Name, effect)
		case d.Keeps != nil && changes != "":
			return fmt.Errorf("decorator %q: stands inside %q, which would not see restores; put %q before %q", d.Name, changes, d.Name, changes)
		case outer[d.Name] != "":
			return fmt.Errorf("decorator %q: stands inside %q, which has to see the result of %q; put %q before %q",
				d.Name, outer[d.Name], d.Name, d.Name, outer[d.Name])
		}
		seen[d.Name] = true
		if d.Kind == KindAnswer && answer == "" {
			answer = d.Name
		}
		if d.InsidePolicies {
			effect = d.Name
		}
		if d.InsidePolicies && d.Keeps == nil {
			changes = d.Name
		}
		for _, name := range d.Inside {
			outer[name] = d.Name
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
	// Rules are the rules for values, which the store checks inside the decorators: one text for each field that has some,
	// such as "cookie.type: required; at most 20 characters", and one for each resource with a Validate function.
	Rules   []string
	Backend string // result of the backend's String method; without one, its Go type
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
	d.Decorators, d.Rules = slices.Clone(d.Decorators), slices.Clone(d.Rules)
	return d
}

func describe(m *Model, b Backend, decorators []Decorator) Description {
	d := Description{Model: m.name, Rules: m.rules(), Backend: fmt.Sprintf("%T", b)}
	if named, ok := b.(fmt.Stringer); ok {
		d.Backend = named.String()
	}
	for _, dec := range decorators {
		d.Decorators = append(d.Decorators, DecoratorDescription{dec.Name, dec.Note, dec.Kind, dec.Wrap != nil, dec.UsesRelated})
	}
	return d
}

// String returns the stack as text, one decorator per line, outermost first, and then the rules.
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
	for _, rule := range d.Rules {
		fmt.Fprintf(&b, "  rule %s\n", rule)
	}
	fmt.Fprintf(&b, "  %s\n", d.Backend)
	return b.String()
}

// Observer is notified at the beginning and at the end of every operation, for logs, metrics and traces. It gets neither a
// handler nor the [Op], so it cannot change, answer or drop an operation. It does not see ops of kind [Visibility], which read
// and write nothing, nor those of kind [Restore] without keys. Its methods may run in several goroutines at once.
type Observer interface {
	// Begin is called when an operation arrives, with its kind and its resource, which is nil for a Tx. An outer
	// decorator may have set an invalid kind or resource; the store rejects such an op. Begin must not panic.
	//
	// Begin may return ctx with further values, such as a span, for the operation and everything inside it; nil leaves the
	// context as it is. The store ignores a context with another principal. Begin returns false to leave the operation
	// out: End is not called for it, and it costs next to nothing.
	Begin(ctx context.Context, kind Kind, r *Resource) (context.Context, bool)
	// End is called once for each Begin that has returned true, also after a panic, with the context that Begin returned or
	// left.
	End(ctx context.Context, event *Event)
}

// Event describes an operation that has ended: the request as it arrived at the observer, and its result. The
// observer may keep the event, and must not write to its slices.
type Event struct {
	Kind      Kind       // kind of the operation
	Resource  *Resource  // nil for a Tx
	Keys      []Value    // of a Load, Update or Delete
	Records   []Record   // of an Insert or Update, as in [Op.Records]
	Principal *Principal // nil for an anonymous caller
	Tx        *TxInfo    // nil outside a transaction; an inner decorator may have made it read-only
	Attempt   int        // from 1, see [Op.Attempt]

	// Result of an operation that succeeded. After an error its content is undefined.
	Result Result
	// Err is nil for an operation that succeeded. After a panic it is an error without a code, with [OutcomeFailed].
	Err error
	// Took is the duration of the operation, inner decorators included.
	Took time.Duration
}

// observe returns a handler that notifies the observer of each operation and passes it to next.
func observe(o Observer, next Handler) Handler {
	return func(ctx context.Context, op *Op) (res Result, err error) {
		if op.Asks() {
			return next(ctx, op)
		}
		with, observed := o.Begin(ctx, op.Kind, op.Resource)
		if with != nil && stateOf(with) == stateOf(ctx) {
			ctx = with
		}
		if !observed {
			return next(ctx, op)
		}
		event := &Event{ // next may change the op
			Kind: op.Kind, Resource: op.Resource, Keys: op.Keys, Records: op.Records,
			Principal: op.Principal, Tx: op.Tx, Attempt: op.Attempt(),
		}
		begun := time.Now()
		err = errInterrupted // if next panics
		defer func() {
			event.Took, event.Result, event.Err = time.Since(begun), res, err
			o.End(ctx, event)
		}()
		return next(ctx, op)
	}
}

// Outcome summarises how an op ended, in one word of a closed set. Logs and metrics that use it agree.
type Outcome uint8

// The outcomes.
const (
	// OutcomeOK means no error. A Load that finds no records is OK.
	OutcomeOK Outcome = iota
	// OutcomeNotFound stands for [NotFound].
	OutcomeNotFound
	// OutcomeDenied means that a policy or a read-only transaction has denied the op: [Unauthorized], [Forbidden],
	// [ReadOnly], [TooManyRequests].
	OutcomeDenied
	// OutcomeInvalid stands for the other codes that are the client's mistake, such as a duplicate unique value.
	OutcomeInvalid
	// OutcomeConflict stands for [ErrConflict]. The store repeats the transaction, unless this was the last attempt.
	OutcomeConflict
	// OutcomeCancelled means that the context was cancelled, for example by a client that disconnected. An expired
	// context is OutcomeUnavailable.
	OutcomeCancelled
	// OutcomeRolledBack means that the function of a transaction has returned an error of its own, without a code,
	// and no operation had failed in the backend: a deliberate rollback.
	OutcomeRolledBack
	// OutcomeUnavailable stands for [Unavailable] for any other reason, for [OutcomeUnknown] and for [QueryTooExpensive].
	OutcomeUnavailable
	// OutcomeFailed stands for [ServerError] and unknown codes.
	OutcomeFailed
)

var outcomeNames = [...]string{
	OutcomeOK: "ok", OutcomeNotFound: "not_found", OutcomeDenied: "denied", OutcomeInvalid: "invalid",
	OutcomeConflict: "conflict", OutcomeCancelled: "cancelled", OutcomeRolledBack: "rolled_back", OutcomeUnavailable: "unavailable", OutcomeFailed: "failed",
}

// Outcomes returns all outcomes in the order of their values, for labels that must exist before their first use.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomeNames))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// String returns the name of the outcome in lower case, for logs and labels.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[OutcomeFailed]
}

// Failure reports whether the service or its backend has failed: OutcomeUnavailable and OutcomeFailed. The other outcomes
// occur in a healthy store.
func (o Outcome) Failure() bool { return o >= OutcomeUnavailable }

// OutcomeOf returns the outcome of an op that ended with err.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeOK
	}
	if own, ok := errors.AsType[*functionError](err); ok && own.intended() {
		return OutcomeRolledBack
	}
	switch code := AsError(err).Code; code {
	case NotFound:
		return OutcomeNotFound
	case Unauthorized, Forbidden, ReadOnly, TooManyRequests:
		return OutcomeDenied
	case OutcomeUnknown, QueryTooExpensive:
		return OutcomeUnavailable
	case Unavailable:
		return outcomeOfUnavailable(err)
	default:
		if slices.Contains(invalid, code) {
			return OutcomeInvalid
		}
		return OutcomeFailed
	}
}

// invalid holds the codes of [OutcomeInvalid]. Unknown codes are not among them.
var invalid = []Code{
	NoSuchURL, UnknownField, FieldReadOnly, FieldUpdateForbidden, SearchForbidden, BadParam, BadFieldValue, ValidationFailed, BadRequest,
	MethodNotAllowed, AlreadyExists, StillReferenced, PreconditionFailed, PreconditionRequired, KeyReused, TooLarge, UnsupportedMediaType,
}

func outcomeOfUnavailable(err error) Outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return OutcomeCancelled
	case errors.Is(err, ErrConflict):
		return OutcomeConflict
	}
	return OutcomeUnavailable
}
