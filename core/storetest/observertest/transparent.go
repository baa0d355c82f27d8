package observertest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// Transparency is a stack of decorators that must change nothing, such as logs
// and metrics, for [Transparent].
type Transparency struct {
	// Stack makes the stack anew, for one store.
	Stack func(tb testing.TB) ObservedStack
	// Options of the kit for backends, all of whose cases are run with the stack
	// around the backend; Options.Decorators must be nil.
	Options storetest.Options
}

// ObservedStack is a stack of decorators made for one store, with a look at what else
// they do.
type ObservedStack struct {
	// Decorators of the stack, outermost first.
	Decorators []core.Decorator
	// Check compares the side effects since it was called last with what happened
	// meanwhile: one [Event] for each operation and one for each attempt at a
	// transaction, in the order in which they ended, so that the operations of a
	// transaction come before it. It fails the test if anything is missing or too
	// much. Nothing runs in the store while it is called. nil means that there are
	// no side effects to look at.
	Check func(tb testing.TB, happened []Event)
}

// Event is one op that passed a stack, from the outside.
type Event struct {
	// Kind of the op.
	Kind core.Kind
	// Resource of the op, nil for a Tx.
	Resource *core.Resource
	// Principal of the op, nil for nobody.
	Principal *core.Principal
	// Rows is how many records came back, were counted, deleted, or handed out as
	// keys; 0 for a Tx and for what failed.
	Rows int
	// Err is what the op ended with, as the innermost handler returned it; nil for
	// success.
	Err error
	// Panicked says that the op did not return: what lies inside of the stack
	// panicked. Err is nil then.
	Panicked bool
	// InTx says that the op belonged to a transaction.
	InTx bool
	// Attempt of the transaction, from 1; 0 outside one.
	Attempt int
	// ReadOnly says that the transaction was one that only reads.
	ReadOnly bool
}

// Transparent checks that a stack of decorators changes nothing, in subtests: all
// cases of the kit for backends pass through it; every op arrives at the innermost
// as it entered, once; results and errors, panics too, come out as they went in,
// the very same error; and its side effects are exact, as [ObservedStack.Check] says.
func Transparent(t *testing.T, open storetest.Factory, tr Transparency) {
	t.Run("effects", func(t *testing.T) { TransparentEffects(t, open, tr) })
	t.Run("backend kit", func(t *testing.T) { tr.Around().Run(t, open) })
}

// Around returns the options with which the kit for backends is run: the stack
// around the backend, watched from both sides.
func (tr Transparency) Around() storetest.Options {
	opts := tr.Options
	opts.Decorators = func(tb testing.TB) []core.Decorator { return (&monitor{TB: tb}).around(tr.Stack(tb).Decorators) }
	return opts
}

// TransparentEffects is the part of [Transparent] that looks at side effects: it
// takes steps in which every kind of operation and of transaction ends in every
// way, and has [ObservedStack.Check] look at each.
func TransparentEffects(tb testing.TB, open storetest.Factory, tr Transparency) {
	tb.Helper()
	if tr.Stack == nil || tr.Options.Decorators != nil {
		tb.Fatal("storetest: Transparency needs a Stack, and no Options.Decorators")
	}
	stack, w := tr.Stack(tb), &monitor{TB: tb}
	opts := tr.Options
	opts.Decorators = func(testing.TB) []core.Decorator { return w.around(stack.Decorators) }
	t := &effectsRun{Fixture: kit.New(tb, open, kit.Options(opts)), monitor: w}
	for _, step := range allSteps() {
		step.do(t)
		happened := w.takeEvents()
		if step.want != nil && !slices.Equal(kindsOf(happened), step.want) {
			tb.Errorf("%s: these passed: %v, want %v", step.name, happened, step.want)
		}
		if stack.Check != nil {
			stack.Check(tb, happened)
		}
		if tb.Failed() {
			tb.Fatalf("in the step: %s", step.name)
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
