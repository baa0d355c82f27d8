package policytest

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
)

// PolicySpec describes a stack of policies for [Guard] and [NonInterference]: the stack, rows and principals to try it
// on, and the decisions that it must make. The decisions must be independent of the code under test and as simple as
// possible.
//
// Stack is required. No other field is needed if the stack shows each principal the records of [OwnedModel] that have
// the principal's id in the field owner. Any other stack sets Model, Rows, Principals and CanRead or Decide as well. The remaining fields
// have defaults that follow from CanRead.
//
// All functions must be safe for concurrent use.
type PolicySpec struct {
	// Stack returns a new stack for one store.
	Stack func(tb testing.TB) Stack

	// Model is the model of the stores. nil means [OwnedModel], with defaults for Rows, Principals and CanRead.
	Model *core.Model
	// Fields are further fields of each resource of [OwnedModel], for decorators that need fields of their own, such as the time
	// of the last change. A spec with a Model has none.
	Fields []core.FieldSpec
	// Rows are the initial records of the stores, as for [seed.Records]. Include rows of each principal, rows
	// without owner (null in place of the id), and rows that reference each other. The kit stores only these rows and
	// copies of them with other keys or with values of other rows, so each value that a rule depends on must occur.
	// Integer keys must be less than [HiddenKeys]. A resource with several key fields needs rows, and one of the fields must be
	// an int, a text or a uuid, but no relation.
	Rows seed.Data
	// Principals are the principals for which the kit sends operations. At least two must be able to read different
	// rows. The kit also sends operations without a principal, as [core.System], and for copies of the principals
	// without an id or with an id of another type.
	Principals []*core.Principal

	// CanRead reports whether the principal may read the row. It is also called for principals without an id, so check
	// [core.Value.IsSet] and compare values with ==. The functions CanRead, CanChange, CanResultIn and CanReadField get
	// the nil principal and the system only if IgnoresPrincipal is set.
	CanRead func(p *core.Principal, row core.Record) bool
	// CanChange reports whether an Update or Delete, as kind says, of the principal may change the row. row is the
	// before image. nil means the rows that CanRead allows.
	CanChange func(p *core.Principal, kind core.Kind, row core.Record) bool
	// CanResultIn reports whether an Insert or Update, as kind says, of the principal may result in the row. row is the
	// after image. nil means the rows that CanRead allows.
	CanResultIn func(p *core.Principal, kind core.Kind, row core.Record) bool
	// Decide returns the decisions in one state of the store, for a policy that depends on related rows such as
	// memberships. all returns the rows of a resource in that state. A spec with Decide leaves CanRead, CanChange and
	// CanResultIn nil. After a write the state includes its after images.
	Decide func(all reference.Records) Decisions
	// Grants reports whether the row decides what the principal may read or do with other rows: its memberships, for
	// instance, whether it may read them or not. [NonInterference] keeps such rows the same in both worlds, and [Guard]
	// deletes and inserts them to see that the decisions follow. nil means that there are none. Rows that decide only
	// together with a row for which Grants returns true, such as the project of an organisation, need not be among them.
	Grants func(p *core.Principal, row core.Record) bool
	// CanReadField reports whether the principal may learn values of the stored field from results, filters and orders.
	// nil means every field.
	CanReadField func(p *core.Principal, f *core.Field) bool
	// Refuses reports whether the stack rejects conditions of principals on the field with [core.SearchForbidden], because it
	// shapes the values in results. nil means no field.
	Refuses func(f *core.Field) bool
	// Denies reports whether the stack denies every operation of the kind on the resource to the principal with
	// [core.Forbidden] or [core.ReadOnly], before the operation reaches the backend. nil means that it denies none. It
	// is also called with kinds that core does not define and with the nil principal (an anonymous caller), but not with
	// [core.Tx]. Where it returns true for the nil principal, the stack need not return [core.Unauthorized].
	Denies func(p *core.Principal, kind core.Kind, r *core.Resource) bool
	// IgnoresPrincipal means that the stack treats all callers alike, anonymous callers and the system included. If it
	// is false, the stack must return [core.Unauthorized] to anonymous callers, and must not restrict the system.
	IgnoresPrincipal bool
	// DeletedAt, if not empty, names the field that is set in deleted records, for a stack that keeps deleted records, see
	// [core.Decorator] Keeps. Records in which it is set exist for no principal, the system included, and references and conditions find
	// none of them; the functions above decide about them as if they were not deleted, and Decide does not get them. A
	// principal reads and restores the deleted records for which CanRead and CanChange with the kind [core.Restore] hold. Resources
	// without the field keep no records. Include deleted rows of each principal.
	DeletedAt string
	// SameReferences keeps references of readable rows to hidden ones the same in both worlds of [NonInterference]. It is for a
	// stack that shows when a record last changed: the time also tells that a write has replaced a reference to a hidden row.
	SameReferences bool
	// Exempt reports whether an op is one that a decorator derived and that may pass without a guard, such as the insert
	// of an audit line. nil means that there are none.
	Exempt func(op *core.Op) bool

	// Middleware is what the program wraps its REST handler in, such as an answer cache; nil for none. [NonInterference] sends
	// batches through it, and writes with an Idempotency-Key if the model declares [core.AnswersName].
	Middleware func(rest http.Handler) http.Handler

	// Thin makes [Guard] send about one in Thin operations, the same ones in each run. Use it for a slow backend if a
	// fast one runs all. 0 means all. The environment variable LARDER_THIN, a positive number, is multiplied with it.
	Thin int
	// Operations is the number of operations that [NonInterference] compares in each subtest. 0 means the value of the
	// environment variable LARDER_OPERATIONS, by default 50,000.
	Operations int

	dependent bool // decisions depend on other rows
}

// Decisions are the decisions of a policy in one state of the store. The fields have the meaning of those of [PolicySpec],
// and the same defaults.
type Decisions struct {
	CanRead     func(p *core.Principal, row core.Record) bool
	CanChange   func(p *core.Principal, kind core.Kind, row core.Record) bool
	CanResultIn func(p *core.Principal, kind core.Kind, row core.Record) bool
}

// filled returns the decisions with defaults.
func (d Decisions) filled() Decisions {
	byRead := func(p *core.Principal, _ core.Kind, row core.Record) bool { return d.CanRead(p, row) }
	if d.CanChange == nil {
		d.CanChange = byRead
	}
	if d.CanResultIn == nil {
		d.CanResultIn = byRead
	}
	return d
}

// Stack is a stack of decorators for one store.
type Stack struct {
	// Decorators are the decorators of the stack, outermost first.
	Decorators []core.Decorator
	// Observe returns everything that an outside observer has learned since the last call and that a principal must not
	// be able to influence or learn from: for instance log lines without times, or changed counters with their labels.
	// nil means that there is nothing to observe.
	Observe func() string
}

// unaware reports whether a decorator does not declare that it knows conditions on related records, so that the store
// refuses them.
func (s Stack) unaware() bool {
	return slices.ContainsFunc(s.Decorators, func(d core.Decorator) bool {
		return (d.Kind == core.KindPolicy || d.Kind == core.KindEffect) && !d.KnowsRelated && !d.UsesRelated
	})
}

// HiddenKeys is the first integer key that the kit gives to copies of rows. Programs never insert keys from here on,
// because every store reveals an existing key by a conflict.
const HiddenKeys = 1_000_000

// envInt returns the value of an environment variable, or otherwise if it is not set. It ends the test if the value is
// not a positive number.
func envInt(tb testing.TB, variable string, otherwise int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q must be a positive number", variable, text)
	}
	return n
}

// filled returns the spec with defaults. It ends the test if a required field is missing.
func (spec PolicySpec) filled(tb testing.TB) PolicySpec {
	tb.Helper()
	if spec.Stack == nil {
		tb.Fatal("policytest: PolicySpec.Stack is nil; it is required")
	}
	if spec.Model == nil {
		spec.Model = ownedModel(spec.Fields)
		if spec.Rows == nil {
			spec.Rows = ownedRows()
		}
		if spec.Principals == nil {
			spec.Principals = ownedPrincipals()
		}
		if spec.CanRead == nil && spec.Decide == nil {
			spec.CanRead = ownsRow
		}
	}
	if spec.Rows == nil || len(spec.Principals) == 0 || (spec.CanRead == nil) == (spec.Decide == nil) {
		tb.Fatal("policytest: PolicySpec has a Model, so it needs Rows, Principals and either CanRead or Decide")
	}
	return spec.withRules()
}

// withRules fills in the decisions that follow from CanRead.
func (spec PolicySpec) withRules() PolicySpec {
	if spec.Decide == nil {
		always := Decisions{spec.CanRead, spec.CanChange, spec.CanResultIn}
		spec.Decide = func(reference.Records) Decisions { return always }
	} else {
		spec.dependent = true
	}
	if spec.Grants == nil {
		spec.Grants = func(*core.Principal, core.Record) bool { return false }
	}
	if spec.CanReadField == nil {
		spec.CanReadField = func(*core.Principal, *core.Field) bool { return true }
	}
	if spec.Refuses == nil {
		spec.Refuses = func(*core.Field) bool { return false }
	}
	if spec.Denies == nil {
		spec.Denies = func(*core.Principal, core.Kind, *core.Resource) bool { return false }
	}
	if spec.Exempt == nil {
		spec.Exempt = func(*core.Op) bool { return false }
	}
	return spec
}
