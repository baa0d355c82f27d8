package access_test

import (
	"os"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
)

// onAll returns a policy with the rules on each resource of the kit's model.
func onAll(rules ...access.Rule) access.Policy {
	var p access.Policy
	for _, r := range policytest.OwnedModel().Resources() {
		for _, rule := range rules {
			rule.Resource = r.Name()
			rule.Fields = stored(r, rule.Fields)
			p = append(p, rule)
		}
	}
	return p
}

// stored returns the names that are stored fields of the resource; nil for nil.
func stored(r *core.Resource, names []string) []string {
	if names == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.Field(name) == nil || !r.Field(name).Stored() })
}

func guarded(p access.Policy) policytest.PolicySpec {
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{access.New(p, access.Options{})}}
		},
		Denies: func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind > core.Aggregate },
	}
}

var mine = access.Eq("owner", access.PrincipalID())

// owner decides mine without the package.
func owner(p *core.Principal, row core.Record) bool {
	return p != nil && p.ID.IsSet() && row.Get("owner") == p.ID
}

// policies are stacks and their specifications, which do not use the package.
func policies() map[string]policytest.PolicySpec {
	all := make(map[string]policytest.PolicySpec)
	all["own rows"] = guarded(onAll(access.Rule{Roles: []string{"baker"}, Operations: everything, Using: mine}))

	fields := guarded(onAll(
		access.Rule{Roles: []string{"baker"}, Operations: access.Read | access.Update, Using: mine, Fields: []string{"label", "jar", "parent", "owner"}},
		access.Rule{Roles: []string{"baker"}, Operations: access.Insert, Check: mine},
		access.Rule{Roles: []string{"baker"}, Operations: access.Delete, Using: mine},
	))
	fields.CanReadField = func(_ *core.Principal, f *core.Field) bool {
		return f.Key() || slices.Contains([]string{"label", "jar", "parent", "owner"}, f.Name())
	}
	all["some fields"] = fields

	chief, baker := &core.Principal{ID: core.IntValue(1), Roles: []string{"chief", "baker"}}, &core.Principal{ID: core.IntValue(2), Roles: []string{"baker"}}
	roles := guarded(onAll(
		access.Rule{Roles: []string{"baker"}, Operations: access.Read | access.Update, Using: mine},
		access.Rule{Roles: []string{"baker"}, Operations: access.Insert, Check: mine},
		access.Rule{Roles: []string{"chief"}, Operations: access.Read, Using: access.Ne("owner", 3)},
		access.Rule{Roles: []string{"chief"}, Operations: access.Delete, Using: access.In("owner", access.PrincipalID(), nil)},
	))
	roles.Principals = []*core.Principal{chief, baker}
	isChief := func(p *core.Principal) bool { return p != nil && p.HasRole("chief") }
	roles.CanRead = func(p *core.Principal, row core.Record) bool {
		return owner(p, row) || isChief(p) && row.Get("owner") != core.IntValue(3)
	}
	roles.CanChange = func(p *core.Principal, kind core.Kind, row core.Record) bool {
		if kind == core.Delete {
			return isChief(p) && p.ID.IsSet() && (owner(p, row) || row.Get("owner").IsNull())
		}
		return owner(p, row)
	}
	roles.CanResultIn = func(p *core.Principal, _ core.Kind, row core.Record) bool { return owner(p, row) }
	roles.Denies = func(p *core.Principal, kind core.Kind, _ *core.Resource) bool {
		return kind > core.Aggregate || kind == core.Delete && !isChief(p)
	}
	all["roles"] = roles

	claims := guarded(onAll(access.Rule{
		Roles: []string{access.Authenticated}, Operations: everything, Using: access.And(access.In("owner", access.PrincipalClaim("owners")), access.Not(access.Eq("owner", access.PrincipalClaim("not")))),
	}))
	with := func(id int64, not any, owners ...any) *core.Principal {
		return &core.Principal{ID: core.IntValue(id), Claims: map[string]any{"owners": owners, "not": not}}
	}
	claims.Principals = []*core.Principal{with(1, 3.0, 1.0, 3.0), with(2, 1.0, 1.0, 2.0)}
	claims.CanRead = func(p *core.Principal, row core.Record) bool {
		if p == nil {
			return false
		}
		return row.Get("owner") == core.IntValue(1) && p.Claims["not"] == 3.0 || row.Get("owner") == core.IntValue(2) && p.Claims["not"] == 1.0
	}
	all["claims"] = claims
	return all
}

func TestPolicyCannotBeBypassed(t *testing.T) {
	open := func(testing.TB, *core.Model) core.Backend { return memory.New() }
	for name, g := range policies() {
		if name != "some fields" {
			g.Thin = 5 // the other policies use the same code
		}
		t.Run(name, func(t *testing.T) { policytest.Guard(t, open, g) })
	}
}

func TestPolicyRevealsNothingHidden(t *testing.T) {
	open := func(testing.TB, *core.Model) core.Backend { return memory.New() }
	for name, g := range policies() {
		if os.Getenv("LARDER_OPERATIONS") == "" {
			g.Operations = 1_000 // the tests of whole stacks run more
		}
		t.Run(name, func(t *testing.T) { policytest.NonInterference(t, open, g) })
	}
}

func TestPoliciesInPostgreSQL(t *testing.T) {
	open := func(tb testing.TB, _ *core.Model) core.Backend {
		tb.Helper()
		b, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	g := policies()["some fields"]
	g.Thin, g.Operations = 150, 100 // TestPolicyCannotBeBypassed runs all
	t.Run("guard", func(t *testing.T) { policytest.Guard(t, open, g) })
	t.Run("non-interference", func(t *testing.T) { policytest.NonInterference(t, open, g) })
}
