package observertest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// Transparency describes a stack of observers, such as logs and metrics, for [Transparent].
type Transparency struct {
	// Stack returns a new stack for one store. It is required.
	Stack func(tb testing.TB) ObservedStack
	// Options are the options of the backend kit, which runs with the stack around the backend. Options.Decorators must
	// be nil.
	Options storetest.Options
}

// ObservedStack is a stack of observers for one store, and a check of their side effects.
type ObservedStack struct {
	// Decorators are the decorators of the stack, outermost first.
	Decorators []core.Decorator
	// Check compares the side effects since the last call with the events since then, and reports an error if anything
	// is missing or superfluous. There is one [Event] for each operation and one for each attempt at a transaction, in
	// the order in which they ended: the operations of a transaction come before it. No operation runs during the call.
	// nil means that the stack has no side effects to check.
	Check func(tb testing.TB, events []Event)
}

// Event is one op that passed through the stack, as an outside observer sees it.
type Event struct {
	// Kind is the kind of the op. For an attempt at a transaction it is [core.Tx].
	Kind core.Kind
	// Resource is the resource of the op. It is nil for a transaction.
	Resource *core.Resource
	// Principal is the principal of the op. It is nil for an anonymous caller.
	Principal *core.Principal
	// Rows is the number of records returned, counted or deleted, or of generated keys. It is 0 for a transaction and
	// after an error.
	Rows int
	// Err is the error of the innermost handler. It is nil after success and after a panic.
	Err error
	// Panicked means that the innermost handler panicked.
	Panicked bool
	// InTx means that the op ran in a transaction.
	InTx bool
	// Attempt is the attempt at the transaction, from 1. It is 0 outside a transaction.
	Attempt int
	// ReadOnly means that the transaction was read-only.
	ReadOnly bool
}

// Transparent checks that a stack of observers changes nothing and that its side effects are complete. All cases of the
// backend kit must pass with the stack around the backend. Each op must arrive innermost exactly once and unchanged.
// Results, errors and panics must be returned unchanged; a wrapped or copied error counts as changed. The side effects
// are compared by [ObservedStack.Check].
//
// The subtests are "effects" and "backend kit". open returns a fresh, empty backend for each call, as for
// [storetest.Run].
func Transparent(t *testing.T, open storetest.Factory, tr Transparency) {
	t.Run("effects", func(t *testing.T) { TransparentEffects(t, open, tr) })
	t.Run("backend kit", func(t *testing.T) { tr.Around().Run(t, open) })
}

// Around returns the options for running the backend kit with the stack around the backend, as [Transparent] does. Use
// it to run single cases.
func (tr Transparency) Around() storetest.Options {
	opts := tr.Options
	opts.Decorators = func(tb testing.TB) []core.Decorator { return (&monitor{TB: tb}).around(tr.Stack(tb).Decorators) }
	return opts
}

// TransparentEffects is the subtest of [Transparent] that checks side effects. It runs operations and transactions of
// every kind with every kind of result, and calls [ObservedStack.Check] after each. It ends the test at the first
// violation.
func TransparentEffects(tb testing.TB, open storetest.Factory, tr Transparency) {
	tb.Helper()
	if tr.Stack == nil || tr.Options.Decorators != nil {
		tb.Fatal("observertest: Transparency needs a Stack and must not have Options.Decorators")
	}
	stack, w := tr.Stack(tb), &monitor{TB: tb}
	opts := tr.Options
	opts.Decorators = func(testing.TB) []core.Decorator { return w.around(stack.Decorators) }
	t := &effectsRun{Fixture: kit.New(tb, open, kit.Options(opts)), monitor: w}
	for _, step := range allSteps() {
		step.do(t)
		events := w.takeEvents()
		if step.want != nil && !slices.Equal(kindsOf(events), step.want) {
			tb.Errorf("%s: the ops were %v, want %v", step.name, events, step.want)
		}
		if stack.Check != nil {
			stack.Check(tb, events)
		}
		if tb.Failed() {
			tb.Fatalf("failed in the step %q", step.name)
		}
	}
}

func kindsOf(events []Event) []string {
	kinds := make([]string, len(events))
	for i, e := range events {
		kinds[i] = e.Kind.String()
	}
	return kinds
}
