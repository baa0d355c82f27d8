package policytest

import (
	"os"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// PolicySpec is a stack of policies together with what it promises, for [Guard] and
// [NonInterference]. Only Stack is needed if the stack shows each principal the
// records whose field owner, of the kit's [OwnedModel], holds the principal's id;
// anything else says its Model, Rows, Principals and CanRead.
//
// The functions are called by several goroutines at once.
type PolicySpec struct {
	// Stack makes the stack anew, for one store.
	Stack func(tb testing.TB) Stack

	// Model of the stores; nil means [OwnedModel], and then Rows, Principals and
	// CanRead have defaults that belong to it.
	Model *core.Model
	// Rows that the stores begin with, as [seed.Records] takes them: of each
	// principal some, of nobody some (a null where the principal's id would be),
	// some that point at each other. The kit never stores others than these and
	// copies of them with other keys and with values taken from each other, so
	// every value that a rule depends on has to occur. Integer keys are less than
	// [HiddenKeys].
	Rows seed.Data
	// Principals on whose behalf operations are sent: at least two that see
	// different rows. The kit adds others that are made of these: nobody,
	// [core.System], the same without an id and with an id of another type.
	Principals []*core.Principal

	// CanRead reports whether the principal may see the row: the oracle, as simple
	// as can be, and not made of the code that it judges. Compare values by ==
	// and remember [core.Value.IsSet]: it is asked about principals without an id.
	CanRead func(p *core.Principal, row core.Record) bool
	// CanChange reports whether the principal may update or delete, as the kind
	// says, a row that is like this before; nil means those that it sees.
	CanChange func(p *core.Principal, kind core.Kind, row core.Record) bool
	// CanResultIn reports whether an Insert or Update of the principal, as the kind
	// says, may leave a row that is like this; nil means those that it sees.
	CanResultIn func(p *core.Principal, kind core.Kind, row core.Record) bool
	// CanReadField reports whether the principal may learn values of the stored field,
	// from results or by conditions and orders; nil means every field.
	CanReadField func(p *core.Principal, f *core.Field) bool
	// Denies reports whether the stack denies all operations of the kind on the
	// resource to the principal, with [core.Forbidden] or [core.ReadOnly], before
	// they reach the backend; nil means none. A kind that the core does not know
	// is asked about like the others. It is not asked about Tx. It is asked about
	// nobody, the nil principal, too: what is refused to nobody need not be
	// [core.Unauthorized] first.
	Denies func(p *core.Principal, kind core.Kind, r *core.Resource) bool
	// IgnoresPrincipal says that the stack treats all callers alike: nobody and the program
	// itself are treated like every principal. Otherwise nobody is refused with
	// [core.Unauthorized] everywhere, and the program meets every row.
	IgnoresPrincipal bool
	// Exempt reports whether an op is a decorator's own that may pass without a
	// guard, such as the line of an audit; nil means none.
	Exempt func(op *core.Op) bool

	// Thin has Guard send one of so many operations only, drawn at random but the
	// same each time: for a slow backend, where another run on a fast one sends all.
	// 0 means all. The environment variable LARDER_THIN makes it as many times as
	// thin, for the race detector.
	Thin int
	// Operations is how many operations NonInterference compares, at the store and
	// again at the engine; 0 means what the environment variable
	// LARDER_OPERATIONS says, 50,000 by default.
	Operations int
}

// Stack is a stack of decorators made for one store.
type Stack struct {
	// Decorators of the stack, outermost first.
	Decorators []core.Decorator
	// Observe returns what somebody who watches the stack from outside has learned
	// since it was called last: log lines without their times, the differences of
	// counters with their labels, whatever a principal must not be able to
	// influence or to learn by way of others. nil means that there is nothing.
	Observe func() string
}

// HiddenKeys is where the integer keys begin that the kit gives to copies of
// rows; programs never insert one of them, so that no principal learns about a
// row from its key being taken, which is an exception that every store has.
const HiddenKeys = 1_000_000

// setting returns the positive number that an environment variable holds, and
// otherwise if it is not set.
func envInt(tb testing.TB, variable string, otherwise int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s %q is no positive number", variable, text)
	}
	return n
}

// filled returns the settings with defaults.
func (g PolicySpec) filled(tb testing.TB) PolicySpec {
	tb.Helper()
	if g.Stack == nil {
		tb.Fatal("storetest: PolicySpec needs a Stack")
	}
	if g.Model == nil {
		g.Model = OwnedModel()
		if g.Rows == nil {
			g.Rows = ownedRows()
		}
		if g.Principals == nil {
			g.Principals = ownedPrincipals()
		}
		if g.CanRead == nil {
			g.CanRead = ownsRow
		}
	}
	if g.Rows == nil || len(g.Principals) == 0 || g.CanRead == nil {
		tb.Fatal("storetest: with a Model of its own, PolicySpec needs Rows, Principals and CanRead")
	}
	return g.withRules()
}

// withRules fills in the rules that follow from others.
func (g PolicySpec) withRules() PolicySpec {
	if g.CanChange == nil {
		g.CanChange = func(p *core.Principal, _ core.Kind, row core.Record) bool { return g.CanRead(p, row) }
	}
	if g.CanResultIn == nil {
		g.CanResultIn = func(p *core.Principal, _ core.Kind, row core.Record) bool { return g.CanRead(p, row) }
	}
	if g.CanReadField == nil {
		g.CanReadField = func(*core.Principal, *core.Field) bool { return true }
	}
	if g.Denies == nil {
		g.Denies = func(*core.Principal, core.Kind, *core.Resource) bool { return false }
	}
	if g.Exempt == nil {
		g.Exempt = func(*core.Op) bool { return false }
	}
	return g
}
