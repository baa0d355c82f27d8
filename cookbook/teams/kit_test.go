package main

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

// kitSpec is the specification of the policy. The kit decides about whole rows and rejects anonymous callers, so the rules
// are for authenticated users, and the rules for reads have no lists of fields. The scenarios have both.
func kitSpec(t *testing.T) policytest.PolicySpec {
	t.Helper()
	policy, err := access.Parse(policyJSON)
	if err != nil {
		t.Fatal(err)
	}
	for i, rule := range policy {
		policy[i].Roles = []string{access.Authenticated}
		if rule.Operations == access.Read {
			policy[i].Fields = nil
		}
	}
	denied := map[string][]core.Kind{
		"user":         {core.Insert, core.NextID, core.Update, core.Delete},
		"organisation": {core.Delete},
		"comment":      {core.Update},
		"issue_label":  {core.Update},
	}
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{
				unstamped(), access.New(policy, access.Options{}), stamp.New(stamp.Options{CreatedBy: "author"}), stamp.New(stamp.Options{CreatedBy: "added_by"}),
			}}
		},
		Model: teams, Rows: kitRows,
		Principals: []*core.Principal{{ID: core.TextValue("ada")}, {ID: core.TextValue("bob")}, {ID: core.TextValue("carol")}},
		Decide:     func(all reference.Records) policytest.Decisions { return decisions(all).all() },
		Grants: func(p *core.Principal, row core.Record) bool {
			return row.Resource().Name() == "membership" && row.Get("user") == p.ID
		},
		Denies: func(_ *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind > core.Aggregate || slices.Contains(denied[r.Name()], kind)
		},
		Operations: 3_000,
		Exempt: func(op *core.Op) bool { // the store asks the effect for records that do not exist for the policy either
			return op.Kind == core.Visibility && op.Principal.IsSystem()
		},
	}
}

// unstamped lets the writes of the program pass as they are, as the kit demands.
func unstamped() core.Decorator {
	return core.Decorator{Name: "unstamped", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return next(stamp.Unstamped(ctx), op) }, nil
	}}
}

// kitRows has organisations with ada and bob, with carol, and with none of them.
var kitRows = seed.Data{
	"user":         {"ada": {"email": "a"}, "bob": {}, "carol": {"email": "c"}, "dan": {"email": "d"}},
	"organisation": {1: {"name": "x"}, 2: {"name": "y"}, 3: {"name": "x"}},
	"membership": {
		1: {"organisation": 1, "user": "ada", "role": "admin"}, 2: {"organisation": 1, "user": "bob", "role": "member"},
		3: {"organisation": 2, "user": "carol", "role": "admin"}, 4: {"organisation": 2, "user": "bob", "role": "member"},
		5: {"organisation": 3, "user": "dan", "role": "admin"}, 6: {"role": "admin", "user": "ada"}, 7: {"organisation": 2, "role": "admin"},
		8: {"organisation": 1, "user": "dan", "role": "admin"}, 9: {"organisation": 2, "user": "dan", "role": "member"},
	},
	"project": {
		1: {"organisation": 1, "name": "a", "public": false}, 2: {"organisation": 1, "name": "b", "public": true},
		3: {"organisation": 2, "name": "a", "public": false}, 4: {"organisation": 3, "name": "c", "public": true},
		5: {"organisation": 3, "name": "c", "public": false}, 6: {"public": true}, 7: {"name": "d"},
	},
	"issue": {
		1: {"project": 1, "number": 1, "title": "s", "author": "ada", "open": true}, 2: {"project": 1, "number": 2, "title": "t", "author": "bob"},
		3: {"project": 2, "number": 1, "title": "s", "author": "carol"}, 4: {"project": 3, "number": 1, "title": "u", "author": "bob", "open": false},
		5: {"project": 4, "number": 1, "title": "u"}, 6: {"project": 5, "number": 1, "author": "ada"}, 7: {"title": "s", "author": "ada"},
		8: {"project": 3, "number": 2, "author": "carol"},
	},
	"label": {
		1: {"organisation": 1, "name": "v"}, 2: {"organisation": 1}, 3: {"organisation": 2, "name": "v"}, 4: {"organisation": 3, "name": "w"}, 5: {"name": "w"},
	},
	"issue_label": {
		1: {"issue": 1, "label": 1, "added_by": "ada"}, 2: {"issue": 3, "label": 1, "added_by": "bob"}, 3: {"issue": 4, "label": 3, "added_by": "carol"},
		4: {"issue": 6, "label": 4, "added_by": "dan"}, 5: {"issue": 1, "label": 3, "added_by": "bob"}, 6: {"label": 2, "added_by": "ada"},
		7: {"issue": 8, "added_by": "carol"}, 8: {"issue": 5, "label": 1}, 9: {"issue": 7, "label": 5, "added_by": "ada"},
	},
	"comment": {
		1: {"issue": 1, "author": "bob", "text": "m"}, 2: {"issue": 2, "author": "ada", "text": "n"}, 3: {"issue": 3, "author": "bob"},
		4: {"issue": 4, "author": "carol", "text": "m"}, 5: {"issue": 6, "author": "ada"}, 6: {"author": "bob", "text": "n"}, 7: {"issue": 5, "author": "carol"},
	},
}

// decisions makes the decisions of the policy with loops over all records.
type decisions reference.Records

func (all decisions) all() policytest.Decisions {
	return policytest.Decisions{CanRead: all.canRead, CanChange: all.canChange, CanResultIn: all.canResultIn}
}

// target returns the record that a to-one field refers to, or the zero Record.
func (all decisions) target(row core.Record, field string) core.Record {
	f := row.Resource().Field(field)
	for rec := range all(f.Target()) {
		if rec.Key() == row.Value(f) {
			return rec
		}
	}
	return core.Record{}
}

// organisation returns the organisation that the row belongs to, or the zero Record.
func (all decisions) organisation(row core.Record) core.Record {
	for _, field := range []string{"issue", "project", "organisation"} {
		if !row.IsZero() && row.Resource().Field(field) != nil {
			row = all.target(row, field)
		}
	}
	return row
}

// isMember reports whether p has a membership in the organisation of the row, with the role unless that is "".
func (all decisions) isMember(p *core.Principal, row core.Record, role string) bool {
	org := all.organisation(row)
	if org.IsZero() || !p.ID.IsSet() {
		return false
	}
	for m := range all(teams.Resource("membership")) {
		if m.Get("organisation") == org.Key() && m.Get("user") == p.ID && (role == "" || m.Get("role") == core.TextValue(role)) {
			return true
		}
	}
	return false
}

func (all decisions) canRead(p *core.Principal, row core.Record) bool {
	for ; row.Resource().Name() == "comment"; row = all.target(row, "issue") {
		if all.target(row, "issue").IsZero() {
			return false
		}
	}
	switch row.Resource().Name() {
	case "user":
		return true
	case "issue":
		if project := all.target(row, "project"); !project.IsZero() && project.Get("public").Bool() {
			return true
		}
	case "project":
		if row.Get("public").Bool() {
			return true
		}
	}
	return all.isMember(p, row, "")
}

func (all decisions) canChange(p *core.Principal, kind core.Kind, row core.Record) bool {
	if !p.ID.IsSet() {
		return false
	}
	isAdmin, mine := all.isMember(p, row, "admin"), false
	switch row.Resource().Name() {
	case "user":
		return false
	case "membership":
		if row.Get("user") == p.ID {
			return kind == core.Delete && row.Get("role").Text() == "member"
		}
		return isAdmin
	case "issue":
		mine = kind == core.Update && row.Get("author") == p.ID
	case "comment":
		mine = row.Get("author") == p.ID
	case "issue_label":
		mine = kind == core.Delete
	}
	return isAdmin || mine && all.isMember(p, row, "")
}

func (all decisions) canResultIn(p *core.Principal, kind core.Kind, row core.Record) bool {
	name := row.Resource().Name()
	switch {
	case name == "organisation" && kind == core.Insert:
		return true
	case !p.ID.IsSet():
		return false
	case name == "membership":
		if row.Get("user") == p.ID {
			return kind == core.Insert && all.isFirst(p, row)
		}
		role := row.Get("role")
		return (role == core.TextValue("admin") || role == core.TextValue("member")) && (kind == core.Update || all.isMember(p, row, "admin"))
	case name == "issue_label":
		return kind == core.Insert && row.Get("added_by") == p.ID && all.isMember(p, row, "") && all.isMember(p, all.target(row, "label"), "")
	case kind == core.Insert && (name == "issue" || name == "comment"):
		return row.Get("author") == p.ID && all.isMember(p, row, "")
	}
	return all.canChange(p, kind, row)
}

// isFirst reports whether all memberships of the organisation of the row are those of p as an admin.
func (all decisions) isFirst(p *core.Principal, row core.Record) bool {
	if all.organisation(row).IsZero() {
		return false
	}
	for m := range all(teams.Resource("membership")) {
		if m.Get("organisation") == row.Get("organisation") && (m.Get("user") != p.ID || m.Get("role") != core.TextValue("admin")) {
			return false
		}
	}
	return true
}

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

func TestPolicyCannotBeBypassed(t *testing.T) {
	long := []string{"reads are guarded by Using", "reads return all readable rows", "hidden is indistinguishable from absent", "ids are compared with their type"}
	for _, c := range policytest.GuardCases() {
		spec := kitSpec(t)
		if slices.Contains(long, c.Name) {
			spec.Thin = 10
		}
		t.Run(c.Name, func(t *testing.T) { c.Check(t, inMemory, spec) })
	}
}

func TestPolicyRevealsNothingHidden(t *testing.T) {
	policytest.NonInterference(t, inMemory, kitSpec(t))
}
