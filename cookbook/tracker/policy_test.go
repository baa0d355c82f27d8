package main

import (
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/softdelete"
)

// kitSpec is the specification of the policy, for an admin, a member and a reader of organisation 1, and an operator. The hooks are
// not part of it: the scenarios test them.
func kitSpec(t *testing.T) policytest.PolicySpec {
	t.Helper()
	policy, err := access.Parse(policyJSON)
	if err != nil {
		t.Fatal(err)
	}
	operatorsOnly := map[string][]core.Kind{
		"user":         {core.Insert, core.NextID, core.Update},
		"organisation": {core.Insert, core.NextID, core.Delete},
		"membership":   {core.Insert, core.NextID},
	}
	nobody := map[string][]core.Kind{
		"user": {core.Delete, core.Restore}, "organisation": {core.Restore}, "membership": {core.Restore}, "project": {core.Restore}, "label": {core.Restore},
		"issue_label": {core.Update}, "comment": {core.Update},
		"entry": {core.Insert, core.NextID, core.Update, core.Delete, core.Restore},
	}
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{access.New(policy, access.Options{}), softdelete.New("deleted", softdelete.Options{})}}
		},
		Model: model, Rows: kitRows,
		Principals: []*core.Principal{
			{ID: core.TextValue("ada")}, {ID: core.TextValue("bob")}, {ID: core.TextValue("carol")}, {ID: core.TextValue("olga"), Roles: []string{"operator"}},
		},
		Decide: func(all reference.Records) policytest.Decisions { return decisions(all).all() },
		Grants: func(p *core.Principal, row core.Record) bool {
			return row.Resource().Name() == "membership" && row.Get("user") == p.ID
		},
		Denies: func(p *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind > core.Restore || slices.Contains(nobody[r.Name()], kind) || !p.HasRole("operator") && slices.Contains(operatorsOnly[r.Name()], kind)
		},
		DeletedAt: "deleted", Operations: 3_000,
		// The store asks as the program which records exist, and softdelete removes deleted dependants as the program.
		Exempt: func(op *core.Op) bool { return op.Principal.IsSystem() },
	}
}

// kitRows has an organisation with ada, bob and carol, one with bob and dan, and one with dan.
var kitRows = seed.Data{
	"user":         {"ada": {"email": "a"}, "bob": {}, "carol": {"email": "c"}, "dan": {"email": "d"}, "olga": {}},
	"organisation": {1: {"name": "x"}, 2: {"name": "y"}, 3: {"name": "z"}},
	"membership": {
		1: {"organisation": 1, "user": "ada", "role": "admin"}, 2: {"organisation": 1, "user": "bob", "role": "member"},
		3: {"organisation": 1, "user": "carol", "role": "reader"}, 4: {"organisation": 2, "user": "bob", "role": "reader"},
		5: {"organisation": 2, "user": "dan", "role": "admin"}, 6: {"organisation": 3, "user": "dan", "role": "member"},
		7: {"organisation": 1, "user": "dan", "role": "admin"},
	},
	"project": {1: {"organisation": 1, "name": "a"}, 2: {"organisation": 1, "name": "b"}, 3: {"organisation": 2, "name": "a"}, 4: {"organisation": 3, "name": "c"}},
	"issue": {
		1: issueRow(1, 1, "s", "ada"), 2: issueRow(1, 2, "t", "bob"), 3: issueRow(2, 1, "s", "carol"), 4: issueRow(3, 1, "u", "bob"),
		5: issueRow(4, 1, "u", "ada"), 6: issueRow(3, 2, "t", "dan"), 7: goneRow(issueRow(1, 3, "s", "bob")), 8: goneRow(issueRow(3, 3, "t", "dan")),
	},
	"label":       {1: {"organisation": 1, "name": "v"}, 2: {"organisation": 1, "name": "w"}, 3: {"organisation": 2, "name": "v"}, 4: {"organisation": 3, "name": "w"}},
	"issue_label": {1: {"issue": 1, "label": 1}, 2: {"issue": 3, "label": 1}, 3: {"issue": 4, "label": 3}, 4: {"issue": 1, "label": 3}, 5: {"issue": 5, "label": 4}, 6: goneRow(map[string]any{"issue": 1, "label": 2})},
	"comment": {
		1: {"issue": 1, "author": "bob", "text": "m"}, 2: {"issue": 2, "author": "ada", "text": "n"}, 3: {"issue": 3, "author": "carol", "text": "m"},
		4: {"issue": 4, "author": "bob", "text": "n"}, 5: {"issue": 5, "author": "ada", "text": "o"},
		6: goneRow(map[string]any{"issue": 1, "author": "bob", "text": "m"}), 7: goneRow(map[string]any{"issue": 6, "author": "dan", "text": "n"}),
	},
	"entry": {
		1: {"issue": 1, "record": "issue/1", "kind": "created", "at": at}, 2: {"comment": 3, "record": "comment/3", "kind": "updated", "at": at},
		3: {"issue": 6, "record": "issue/6", "kind": "created", "at": at}, 4: {"issue_label": 3, "record": "issue_label/3", "kind": "created", "at": at},
	},
}

var at = time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)

// goneRow returns the row as a deleted one.
func goneRow(row map[string]any) map[string]any {
	row["deleted"] = at
	return row
}

func issueRow(project, number int, title, author string) map[string]any {
	return map[string]any{"project": project, "number": number, "title": title, "author": author, "state": "open", "priority": "low"}
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

// roleIn returns the role of p in the organisation that the row belongs to; "" for none.
func (all decisions) roleIn(p *core.Principal, row core.Record) string {
	for _, field := range []string{"issue", "project", "organisation"} {
		if !row.IsZero() && row.Resource().Field(field) != nil {
			row = all.target(row, field)
		}
	}
	if row.IsZero() || !p.ID.IsSet() {
		return ""
	}
	for m := range all(model.Resource("membership")) {
		if m.Get("organisation") == row.Key() && m.Get("user") == p.ID {
			return m.Get("role").Text()
		}
	}
	return ""
}

func (all decisions) canRead(p *core.Principal, row core.Record) bool {
	switch row.Resource().Name() {
	case "user":
		if row.Key() == p.ID || p.HasRole("operator") {
			return true
		}
		for m := range all(model.Resource("membership")) {
			if m.Get("user") == row.Key() && all.roleIn(p, m) != "" {
				return true
			}
		}
		return false
	case "entry":
		return slices.ContainsFunc([]string{"issue", "comment", "issue_label"}, func(field string) bool {
			of := all.target(row, field)
			return !of.IsZero() && all.roleIn(p, of) != ""
		})
	case "organisation", "membership":
		return p.HasRole("operator") || all.roleIn(p, row) != ""
	}
	return all.roleIn(p, row) != ""
}

func (all decisions) canChange(p *core.Principal, kind core.Kind, row core.Record) bool {
	role, mine := all.roleIn(p, row), false
	switch row.Resource().Name() {
	case "user":
		return p.HasRole("operator") && kind != core.Delete
	case "organisation":
		return p.HasRole("operator") || kind == core.Update && role == "admin"
	case "membership":
		return p.ID.IsSet() && row.Get("user") != p.ID && (p.HasRole("operator") || role == "admin")
	case "issue":
		mine = kind == core.Update
	case "issue_label":
		mine = true
	case "comment":
		mine = row.Get("author") == p.ID
	}
	return role == "admin" || role == "member" && mine
}

func (all decisions) canResultIn(p *core.Principal, kind core.Kind, row core.Record) bool {
	if kind == core.Insert {
		switch row.Resource().Name() {
		case "organisation":
			return p.HasRole("operator")
		case "membership":
			return p.HasRole("operator") && p.ID.IsSet() && row.Get("user") != p.ID
		case "issue", "comment":
			role := all.roleIn(p, row)
			return row.Get("author") == p.ID && p.ID.IsSet() && (role == "admin" || role == "member")
		}
	}
	return all.canChange(p, kind, row)
}

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

func TestPolicyCannotBeBypassed(t *testing.T) {
	for _, c := range policytest.GuardCases() {
		spec := kitSpec(t)
		spec.Thin = 8
		t.Run(c.Name, func(t *testing.T) { c.Check(t, inMemory, spec) })
	}
}

func TestPolicyRevealsNothingHidden(t *testing.T) {
	policytest.NonInterference(t, inMemory, kitSpec(t))
}
