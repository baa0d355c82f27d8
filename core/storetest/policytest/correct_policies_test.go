package policytest_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// correctPolicies are policies of different kinds that keep their promises.
var correctPolicies = []struct {
	name    string
	guarded func() policytest.PolicySpec
}{
	{"read-only", func() policytest.PolicySpec { return readOnly(func(op *core.Op) bool { return op.Kind.Writes() }) }},
	{"ownership and read-only", func() policytest.PolicySpec {
		spec := readOnly(func(op *core.Op) bool { return op.Kind.Writes() })
		outer := spec.Stack
		spec.IgnoresPrincipal, spec.CanRead = false, func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID }
		spec.Stack = func(tb testing.TB) policytest.Stack {
			s := outer(tb)
			s.Decorators = append(s.Decorators, owning())
			return s
		}
		return spec
	}},
	{"an administrator is unrestricted", administered},
	{"one resource is public", partlyOpen},
	{"a role may only read", bakersAndReaders},
	{"some rows are public", sharing},
	{"an unreadable field", hidingFieldCorrectly},
	{"soft delete", softDeleting},
	{"a guard of kind answer", func() policytest.PolicySpec {
		guard := owning()
		guard.Kind = core.KindAnswer
		return stack(guard)
	}},
	{"hooks of the principal and of the program", hooked},
	{"several policies", func() policytest.PolicySpec {
		spec := hidingFieldCorrectly()
		outer := spec.Stack
		spec.Stack = func(tb testing.TB) policytest.Stack {
			s := outer(tb)
			s.Decorators = append(s.Decorators, new(kittest.Journal).Decorator(), owning())
			return s
		}
		return spec
	}},
}

// hooked has a hook that reads and changes cookies for the principal, and one that stamps jars for the program.
func hooked() policytest.PolicySpec {
	set := func(ctx context.Context, tx *core.Transaction, changes []core.Change, field string, v core.Value) error {
		var patches []core.Record
		for _, c := range changes {
			if r := c.After.Resource(); r != nil && c.Before.IsZero() {
				patches = append(patches, r.Patch(c.After.Key()).Set(r.Field(field), v))
			}
		}
		if len(patches) == 0 {
			return nil
		}
		_, err := tx.Update(ctx, patches[0].Resource(), patches...)
		return err
	}
	spec := stack(owning(),
		core.OnWrite("cookie", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
			n, err := tx.Count(ctx, tx.Model().Resource("jar"), core.All())
			if err != nil || core.PrincipalOf(ctx).IsSystem() {
				return err
			}
			return set(ctx, tx, changes, "state", core.TextValue(strconv.Itoa(n)))
		}),
		core.OnWrite("jar", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
			if core.PrincipalOf(ctx).IsSystem() {
				return nil
			}
			return set(core.System(ctx), tx, changes, "size", core.IntValue(5))
		}))
	spec.Exempt = func(op *core.Op) bool { return op.Principal.IsSystem() }
	spec.Thin = 20
	return spec
}

func administered() policytest.PolicySpec {
	spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if !op.Principal.HasRole("admin") {
			own(op)
		}
		return next(ctx, op)
	}))
	spec.Principals = []*core.Principal{
		{ID: core.IntValue(1)}, {ID: core.IntValue(2)}, {ID: core.IntValue(7), Roles: []string{"admin"}},
	}
	spec.CanRead = func(p *core.Principal, row core.Record) bool {
		return p.HasRole("admin") || p.ID.IsSet() && row.Get("owner") == p.ID
	}
	return spec
}

func partlyOpen() policytest.PolicySpec {
	spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource.Name() != "page" {
			own(op)
		}
		return next(ctx, op)
	}))
	spec.CanRead = func(p *core.Principal, row core.Record) bool {
		return row.Resource().Name() == "page" || p.ID.IsSet() && row.Get("owner") == p.ID
	}
	return spec
}

// bakersAndReaders has bakers, who own rows, and readers of the cookies of kind a.
func bakersAndReaders() policytest.PolicySpec {
	menu := func(op *core.Op) bool { return op.Resource.Name() == "cookie" && !op.Kind.Writes() }
	spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		switch {
		case op.Principal.HasRole("baker"):
			own(op)
		case menu(op):
			op.Guard(core.Eq("kind", "a"))
		default:
			return core.Result{}, op.Resource.Forbidden()
		}
		return next(ctx, op)
	}))
	spec.Principals = []*core.Principal{{ID: core.IntValue(1), Roles: []string{"baker"}}, {ID: core.IntValue(2), Roles: []string{"reader"}}}
	spec.CanRead = func(p *core.Principal, row core.Record) bool {
		if p.HasRole("baker") {
			return p.ID.IsSet() && row.Get("owner") == p.ID
		}
		return row.Resource().Name() == "cookie" && row.Get("kind") == core.TextValue("a")
	}
	spec.Denies = func(p *core.Principal, kind core.Kind, r *core.Resource) bool {
		return !p.HasRole("baker") && (kind.Writes() || r.Name() != "cookie")
	}
	return spec
}

// sharing lets everyone read the cookies of kind a. Owners may change their cookies, also to another kind.
func sharing() policytest.PolicySpec {
	shared := func(row core.Record) bool {
		return row.Resource().Name() == "cookie" && row.Get("kind") == core.TextValue("a")
	}
	owns := func(p *core.Principal, _ core.Kind, row core.Record) bool {
		return p.ID.IsSet() && row.Get("owner") == p.ID
	}
	spec := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource.Name() != "cookie" || op.Kind == core.Insert {
			own(op)
			return next(ctx, op)
		}
		reads := core.Or(mine(op), op.Resource.Field("kind").Compare(core.FilterEq, core.TextValue("a")))
		switch op.Kind {
		case core.Load, core.Select, core.Count, core.Visibility, core.Aggregate:
			op.Using = core.And(op.Using, reads)
		default:
			op.Guard(mine(op))
		}
		return next(ctx, op)
	}))
	spec.CanRead = func(p *core.Principal, row core.Record) bool { return shared(row) || owns(p, 0, row) }
	spec.CanChange, spec.CanResultIn = owns, owns
	return spec
}

func hidingFieldCorrectly() policytest.PolicySpec {
	return hidingField(func(op *core.Op) error {
		size := op.Resource.Field("size")
		for _, o := range op.Order {
			if o.Field == size {
				return op.Resource.Forbidden()
			}
		}
		if mentions(op.Where, size) || (op.Kind == core.Visibility || op.Kind == core.Aggregate) && slices.Contains(op.Fields, size) {
			return op.Resource.Forbidden()
		}
		return nil
	})
}

func mentions(where core.Filter, f *core.Field) bool {
	for _, part := range where.Filters() {
		if mentions(part, f) {
			return true
		}
	}
	return where.Field() == f
}

// softDeleting gives deleted cookies a hidden kind and keeps them.
func softDeleting() policytest.PolicySpec {
	gone := core.TextValue("a")
	spec := stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource == nil || op.Resource.Name() != "cookie" {
			return next(ctx, op)
		}
		kind := op.Resource.Field("kind")
		there := kind.Compare(core.FilterNe, gone)
		op.Using = core.And(op.Using, there)
		if op.Kind != core.Delete {
			return next(ctx, op)
		}
		update := op.Derive(core.Update, op.Resource)
		update.Keys, update.Using, update.Check = op.Keys, op.Using, op.Check
		for _, key := range op.Keys {
			rec := op.Resource.RecordOf(make([]core.Value, len(op.Resource.Columns())))
			update.Records = append(update.Records, rec.With(op.Resource.Key().Column(), key).With(kind.Column(), gone))
		}
		_, err := next(ctx, update)
		return core.Result{}, err
	}))
	spec.IgnoresPrincipal = true
	spec.CanRead = func(_ *core.Principal, row core.Record) bool {
		return row.Resource().Name() != "cookie" || row.Get("kind") != gone
	}
	spec.CanResultIn = func(*core.Principal, core.Kind, core.Record) bool { return true }
	return spec
}

func TestCorrectPoliciesPassGuard(t *testing.T) {
	for _, h := range correctPolicies {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			spec := h.guarded()
			if os.Getenv("LARDER_SOAK") == "" {
				spec.Thin = 8 // TestOwningPolicyPassesGuard runs all cases
			}
			policytest.Guard(t, kittest.OpenNaive, spec)
		})
	}
}

func TestCorrectPoliciesPassNonInterference(t *testing.T) {
	for _, h := range correctPolicies {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			spec := h.guarded()
			spec.Operations = 2_500
			policytest.NonInterference(t, kittest.OpenNaive, spec)
		})
	}
}

// publishing is the policy of the example.
func publishing() core.Decorator {
	return policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind.Writes() {
			return core.Result{}, op.Resource.Forbidden()
		}
		published, author := op.Resource.Field("published"), op.Resource.Field("author")
		op.Guard(core.Or(
			published.Compare(core.FilterEq, core.BoolValue(true)),
			author.Compare(core.FilterEq, op.Principal.ID),
		))
		return next(ctx, op)
	})
}

func TestPolicyOnOtherModelPasses(t *testing.T) {
	spec := policytest.PolicySpec{
		Model: core.MustModel("blog", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "author", Type: core.Text}, {Name: "published", Type: core.Bool},
		}}),
		Rows: seed.Data{"page": {
			1: {"author": "ann", "published": true}, 2: {"author": "ann", "published": false},
			3: {"author": "bob", "published": true}, 4: {"author": "1"}, 5: {"published": false},
		}},
		Principals: []*core.Principal{{ID: core.TextValue("ann")}, {ID: core.TextValue("1")}},
		CanRead: func(p *core.Principal, row core.Record) bool {
			return row.Get("published").Bool() || p.ID.IsSet() && row.Get("author") == p.ID
		},
		Denies:     func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() },
		Stack:      func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: []core.Decorator{publishing()}} },
		Operations: 2000,
	}
	policytest.Guard(t, kittest.OpenNaive, spec)
	policytest.NonInterference(t, kittest.OpenNaive, spec)
}

func TestThinReducesOperations(t *testing.T) {
	sent := func(thin int) (n int) {
		spec := stack(owning(), kittest.Decorator("counter", core.KindPolicy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			n++
			return next(ctx, op)
		}))
		spec.Thin = thin
		policytest.GuardCases()[0].Check(t, kittest.OpenNaive, spec)
		return n
	}
	if all, some := sent(0), sent(20); some < all/40 || some > all/10 {
		t.Errorf("one of 20 is %d of %d", some, all)
	}
}

func TestIncompleteSpecIsRejected(t *testing.T) {
	for _, row := range []struct {
		says string
		spec policytest.PolicySpec
	}{
		{"PolicySpec.Stack is nil", policytest.PolicySpec{}},
		{"needs Rows, Principals and either CanRead or Decide", func() policytest.PolicySpec { spec := stack(); spec.Model = policytest.OwnedModel(); return spec }()},
		{"Rows do not fit the model", func() policytest.PolicySpec { spec := stack(); spec.Rows = seed.Data{"tin": nil}; return spec }()},
		{"seat has several key fields", func() policytest.PolicySpec { spec := stack(); spec.Rows = seed.Data{"jar": nil}; return spec }()},
		{"core.New with the stack", stack(core.Decorator{Name: "bare"})},
		{"an observer has an Observe function", stack(kittest.Decorator("posing", core.KindObserve, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			return next(ctx, op)
		}))},
	} {
		kittest.MustFail(t, kittest.Record(t, func(tb testing.TB) { policytest.GuardCases()[0].Check(tb, kittest.OpenNaive, row.spec) }), row.says)
	}
}

func TestGuardWithoutRowsAndWithTimeDefaults(t *testing.T) {
	owner := core.FieldSpec{Name: "owner", Type: core.Int}
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	spec := stack(owning())
	spec.Model = core.MustModel("clocks",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id, owner, {Name: "made", Type: core.Time, Default: func() any { return time.Now() }},
		}},
		core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{{Name: "slug", Type: core.Text, Key: true}, owner}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{id, owner, {Name: "about", ToOne: "cookie"}}},
	)
	spec.Rows = seed.Data{"cookie": {1: {"owner": 1}, 2: {"owner": 2}, 3: {"owner": 1}}}
	spec.Principals = []*core.Principal{{ID: core.IntValue(1)}, {ID: core.IntValue(2)}}
	spec.CanRead = func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID }
	policytest.Guard(t, kittest.OpenNaive, spec)
}
