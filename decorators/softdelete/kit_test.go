package softdelete_test

import (
	"os"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/softdelete"
)

// owned is the model of the kits: records with owners and relations of each rule, and a resource whose records are deleted for
// good.
func owned() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true}
	return core.MustModel("owned",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{id, owner, gone, {Name: "label", Type: core.Text}, {Name: "cookies", ToMany: "cookie", Inverse: "jar"}},
			Indexes: []core.Index{{Fields: []string{"label"}, Where: living, Unique: true}}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id, owner, gone, {Name: "kind", Type: core.Text, Searchable: true}, {Name: "jar", ToOne: "jar"},
			{Name: "crumbs", ToMany: "crumb", Inverse: "cookie"}, {Name: "pages", ToMany: "page", Through: "mention"},
		}},
		core.ResourceSpec{Name: "crumb", Fields: []core.FieldSpec{
			id, owner, gone, {Name: "cookie", ToOne: "cookie", OnDelete: core.Cascade}, {Name: "of", ToOne: "crumb", OnDelete: core.Cascade},
		}},
		core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{id, owner, {Name: "title", Type: core.Text}, {Name: "cookies", ToMany: "cookie", Through: "mention"}}},
		core.ResourceSpec{Name: "mention", Fields: []core.FieldSpec{id, owner, gone, {Name: "page", ToOne: "page"}, {Name: "cookie", ToOne: "cookie"}},
			Indexes: []core.Index{{Fields: []string{"page", "cookie"}, Where: living, Unique: true}}},
	)
}

func ownedRows() seed.Data {
	type row = map[string]any
	const a, b = "alice", "bob"
	return seed.Data{
		"jar": {
			1: row{"owner": a, "label": "a"}, 2: row{"owner": b, "label": "b"}, 3: row{"owner": a, deletedAt: s0, "label": "c"},
			4: row{"owner": b, deletedAt: s0}, 5: nil, 6: row{deletedAt: s0},
		},
		"cookie": {
			1: row{"owner": a, "kind": "x", "jar": 1}, 2: row{"owner": b, "kind": "x", "jar": 2}, 3: row{"owner": a, "kind": "y", "jar": 1, deletedAt: s0},
			4: row{"owner": b, "kind": "y", "jar": 2, deletedAt: s0}, 5: row{"owner": a, "jar": 3}, 6: row{"kind": "z", "jar": 2}, 7: row{"owner": b, "jar": 4},
			8: row{"owner": a, "kind": "z"},
		},
		"crumb": { // 2 and 3 belong to one who does not own their cookie
			1: row{"owner": a, "cookie": 3, deletedAt: s0}, 2: row{"owner": b, "cookie": 3, deletedAt: s0}, 3: row{"owner": a, "cookie": 4, deletedAt: s0},
			4: row{"owner": b, "cookie": 4, "of": 3, deletedAt: s0}, 5: row{"owner": a, "cookie": 1}, 6: row{"owner": b, "cookie": 2}, 7: row{"owner": a, "of": 5},
			8: row{"owner": b, deletedAt: s0}, 9: row{"owner": a, deletedAt: s0},
		},
		"page": {1: row{"owner": a, "title": "x"}, 2: row{"owner": b, "title": "x"}, 3: row{"title": "y"}, 4: row{"owner": a, "title": "z"}},
		"mention": {
			1: row{"owner": a, "page": 1, "cookie": 1}, 2: row{"owner": b, "page": 2, "cookie": 2}, 3: row{"owner": a, "page": 1, "cookie": 3, deletedAt: s0},
			4: row{"owner": b, "page": 2, "cookie": 4, deletedAt: s0}, 5: row{"owner": b, "page": 4, "cookie": 8, deletedAt: s0}, 6: row{"owner": a, "page": 1, "cookie": 1, deletedAt: s0},
		},
	}
}

// keeping is the specification of the decorator inside ownership.
func keeping() policytest.PolicySpec {
	return policytest.PolicySpec{
		Model: owned(), Rows: ownedRows(), DeletedAt: deletedAt,
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{ownership.New("owner", ownership.Options{}), softdelete.New(deletedAt, softdelete.Options{})}}
		},
		Principals: []*core.Principal{{ID: core.TextValue("alice")}, {ID: core.TextValue("bob")}},
		CanRead:    func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID },
		Exempt:     func(op *core.Op) bool { return op.Principal.IsSystem() }, // what the decorator asks for itself
	}
}

// sampled returns the number for make test, or with LARDER_SOAK the one for all of the operations.
func sampled(some, soak int) int {
	if os.Getenv("LARDER_SOAK") != "" {
		return soak
	}
	return some
}

func TestGuard(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			spec := keeping()
			spec.Thin = sampled(map[string]int{"memory": 3, "file": 100, "postgres": 300}[name], 10)
			policytest.Guard(t, open, spec)
		})
	}
}

func TestNonInterference(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			spec := keeping()
			spec.Operations = sampled(map[string]int{"memory": 8_000, "file": 200, "postgres": 100}[name], 5_000)
			policytest.NonInterference(t, open, spec)
		})
	}
}
