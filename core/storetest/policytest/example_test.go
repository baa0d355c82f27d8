package policytest_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// A policy that shows each principal its own records needs only a stack.
func ExampleGuard() {
	TestPolicyCannotBeBypassed := func(t *testing.T) {
		spec := policytest.PolicySpec{
			Stack: func(testing.TB) policytest.Stack {
				return policytest.Stack{Decorators: []core.Decorator{owning()}} // mypolicy.New()
			},
		}
		open := func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) }
		policytest.Guard(t, open, spec)
		policytest.NonInterference(t, open, spec)
	}
	fmt.Printf("%T", TestPolicyCannotBeBypassed)
	// Output: func(*testing.T)
}

// A policy on another model: everyone may read published pages, and authors may read their own pages too.
func ExamplePolicySpec() {
	spec := policytest.PolicySpec{
		Model: core.MustModel("blog", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "author", Type: core.Text},
			{Name: "published", Type: core.Bool},
		}}),
		Rows: seed.Data{"page": {
			1: {"author": "ann", "published": true}, 2: {"author": "ann", "published": false},
			3: {"author": "bob", "published": true}, 4: {"author": "bob", "published": false},
			5: {"published": false},
		}},
		Principals: []*core.Principal{{ID: core.TextValue("ann")}, {ID: core.TextValue("bob")}},
		CanRead: func(p *core.Principal, row core.Record) bool {
			return row.Get("published").Bool() || p.ID.IsSet() && row.Get("author") == p.ID
		},
		Denies: func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() },
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{publishing()}}
		},
	}
	TestPolicyCannotBeBypassed := func(t *testing.T) {
		policytest.Guard(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) }, spec)
	}
	fmt.Printf("%T", TestPolicyCannotBeBypassed)
	// Output: func(*testing.T)
}

func ExampleGuardCases() {
	for _, c := range policytest.GuardCases()[:3] {
		fmt.Println(c.Name)
	}
	// Output:
	// reads are guarded by Using
	// updates are guarded by Using
	// deletes are guarded by Using
}
