package ownership_test

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/ownership"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

func stack(decorators ...core.Decorator) func(testing.TB) policytest.Stack {
	return func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: decorators} }
}

func principal(id int64, roles ...string) *core.Principal {
	return &core.Principal{ID: core.IntValue(id), Roles: roles, Claims: map[string]any{"org": float64(id)}}
}

// owns reports whether a row of the kit belongs to the principal.
func owns(p *core.Principal, row core.Record) bool {
	return p != nil && p.ID.IsSet() && row.Get("owner") == p.ID
}

// settings are the ways to configure the decorator, with their specifications.
func settings() map[string]policytest.PolicySpec {
	sharing := func(r *core.Resource) bool { return r.Name() == "jar" }
	passes := func(p *core.Principal) bool { return slices.Contains(p.Roles, "admin") }
	return map[string]policytest.PolicySpec{
		"by id": {Stack: stack(ownership.New("owner", ownership.Options{}))},
		"by claim": {
			Stack: stack(ownership.New("owner", ownership.Options{Claim: "org"})),
			CanRead: func(p *core.Principal, row core.Record) bool {
				org, ok := p.Claims["org"].(float64)
				return ok && row.Get("owner") == core.IntValue(int64(org))
			},
			Principals: []*core.Principal{principal(1), principal(2)},
		},
		"with a shared resource": {
			Stack: stack(ownership.New("owner", ownership.Options{Shared: []string{"jar"}})),
			CanRead: func(p *core.Principal, row core.Record) bool {
				return p != nil && sharing(row.Resource()) || owns(p, row)
			},
			Principals: []*core.Principal{principal(1), principal(2)},
		},
		"with a bypass role": {
			Stack: stack(ownership.New("owner", ownership.Options{Bypass: []string{"admin"}})),
			CanRead: func(p *core.Principal, row core.Record) bool {
				return p != nil && passes(p) || owns(p, row)
			},
			Principals: []*core.Principal{principal(1), principal(2), principal(3, "admin")},
		},
	}
}

func TestOwnershipCannotBeBypassed(t *testing.T) {
	for name, g := range settings() {
		if name != "by id" {
			g.Thin = 10 // the other settings use the same code
		}
		t.Run(name, func(t *testing.T) { policytest.Guard(t, inMemory, g) })
	}
}

func TestOwnershipRevealsNothingHidden(t *testing.T) {
	for name, g := range settings() {
		if name != "by id" {
			g.Operations = 1_000 // as above
		}
		t.Run(name, func(t *testing.T) { policytest.NonInterference(t, inMemory, g) })
	}
}
