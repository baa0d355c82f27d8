package policytest_test

import (
	"context"
	"iter"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// teams has users, teams with members, documents of teams, and comments on documents.
func teams() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("teams",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}, {Name: "memberships", ToMany: "member", Inverse: "user"}}},
		core.ResourceSpec{Name: "team", Fields: []core.FieldSpec{
			id, {Name: "name", Type: core.Text}, {Name: "members", ToMany: "member", Inverse: "team"}, {Name: "documents", ToMany: "document", Inverse: "team"},
		}},
		core.ResourceSpec{Name: "member", Fields: []core.FieldSpec{
			id, {Name: "team", ToOne: "team"}, {Name: "user", ToOne: "user"}, {Name: "role", Type: core.Text},
		}},
		core.ResourceSpec{Name: "document", Fields: []core.FieldSpec{
			id, {Name: "title", Type: core.Text}, {Name: "public", Type: core.Bool}, {Name: "team", ToOne: "team"},
			{Name: "comments", ToMany: "comment", Inverse: "document"},
		}},
		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
			id, {Name: "text", Type: core.Text}, {Name: "document", ToOne: "document"}, {Name: "answers", ToOne: "comment"},
			{Name: "answered", ToMany: "comment", Inverse: "answers"},
		}},
	)
}

func teamRows() seed.Data {
	type row = map[string]any
	return seed.Data{
		"user": {1: row{"name": "ann"}, 2: row{"name": "bob"}, 3: row{"name": "cat"}, 4: row{"name": "dan"}},
		"team": {1: row{"name": "red"}, 2: row{"name": "blue"}, 3: row{"name": "green"}, 4: row{}},
		"member": {
			1: row{"team": 1, "user": 1, "role": "admin"}, 2: row{"team": 2, "user": 1, "role": "member"}, 3: row{"team": 2, "user": 2, "role": "admin"},
			4: row{"team": 3, "user": 3, "role": "admin"}, 5: row{"team": 3, "user": 2, "role": "member"}, 6: row{"team": 4, "user": 4}, 7: row{"user": 1, "role": "admin"},
			8: row{"team": 1, "user": 3, "role": "member"},
		},
		"document": {
			1: row{"title": "a", "team": 1}, 2: row{"title": "b", "team": 2, "public": true}, 3: row{"title": "a", "team": 3}, 4: row{"title": "c", "team": 3, "public": true},
			5: row{"title": "d"}, 6: row{"title": "d", "public": true}, 7: row{"title": "b", "team": 2, "public": false}, 8: row{"title": "e", "team": 4},
		},
		"comment": {
			1: row{"text": "x", "document": 1}, 2: row{"text": "y", "document": 2, "answers": 1}, 3: row{"text": "x", "document": 3}, 4: row{"text": "z", "document": 4, "answers": 3},
			5: row{"text": "y"}, 6: row{"document": 7}, 7: row{"text": "w", "document": 6, "answers": 2}, 8: row{"text": "w", "document": 8},
			9: row{"text": "z", "document": 1},
		},
	}
}

// is returns the condition that a member is the principal of the op.
func is(op *core.Op) core.Filter {
	return op.Resource.Model().Resource("member").Field("user").Equals(op.Principal.ID)
}

// membership is a policy by memberships. Principals read their memberships, their teams and the members of their teams, and the
// documents of their teams and public ones. Admins of a team write its documents. Comments follow their document.
type membership struct {
	writes  func(op *core.Op) bool                          // kinds that change documents and comments; nil means Kind.Writes
	members func(op *core.Op, role core.Filter) core.Filter // condition on a team: it has the principal as a member of the role
	related func(op *core.Op) bool                          // reports that a Visibility passes without a guard
	check   func(op *core.Op, guard core.Filter)
}

// asMember is the correct condition on a team: one membership has the principal and the role.
func asMember(op *core.Op, role core.Filter) core.Filter {
	return core.Related("members", core.And(is(op), role))
}

func (p membership) decorator() core.Decorator {
	if p.members == nil {
		p.members = asMember
	}
	if p.check == nil {
		p.check = func(op *core.Op, guard core.Filter) { op.Check = core.And(op.Check, guard) }
	}
	d := policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		writes := op.Kind.Writes()
		if p.writes != nil {
			writes = p.writes(op)
		}
		if p.related != nil && op.Kind == core.Visibility && p.related(op) {
			return next(ctx, op)
		}
		role := core.All()
		if writes {
			role = core.Eq("role", "admin")
		}
		documents := core.Related("team", p.members(op, role))
		if !writes {
			documents = core.Or(documents, core.Eq("public", true))
		}
		guard := core.None()
		switch op.Resource.Name() {
		case "document":
			guard = documents
		case "comment":
			guard = core.Related("document", documents)
		case "team":
			guard = p.members(op, core.All())
		case "member":
			guard = is(op)
		case "user":
			guard = core.Related("memberships", core.Related("team", p.members(op, core.All())))
		}
		if op.Resource.Name() != "document" && op.Resource.Name() != "comment" && writes {
			return core.Result{}, op.Resource.Forbidden()
		}
		if op.Kind == core.NextID {
			return next(ctx, op)
		}
		op.Using = core.And(op.Using, guard)
		p.check(op, guard)
		return next(ctx, op)
	})
	d.UsesRelated = true
	return d
}

// memberSpec is the spec of the membership policy for stacks with the decorators.
func memberSpec(decorators ...core.Decorator) policytest.PolicySpec {
	return policytest.PolicySpec{
		Model: teams(), Rows: teamRows(),
		Principals: []*core.Principal{{ID: core.IntValue(1)}, {ID: core.IntValue(2)}},
		Stack:      func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: decorators} },
		Decide:     decideByMembership,
		Grants: func(p *core.Principal, row core.Record) bool {
			return row.Resource().Name() == "member" && p.ID.IsSet() && row.Get("user") == p.ID
		},
		Denies: func(_ *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind.Writes() && r.Name() != "document" && r.Name() != "comment"
		},
	}
}

// decideByMembership makes the decisions of the membership policy with loops.
func decideByMembership(all reference.Records) policytest.Decisions {
	records := func(row core.Record, name string) func(func(core.Record) bool) {
		return all(row.Resource().Model().Resource(name))
	}
	inTeam := func(p *core.Principal, row core.Record, team core.Value, role string) bool {
		if !team.IsSet() || p == nil || !p.ID.IsSet() {
			return false
		}
		for member := range records(row, "member") {
			if member.Get("user") == p.ID && member.Get("team") == team && (role == "" || member.Get("role").Text() == role) {
				return true
			}
		}
		return false
	}
	document := func(row core.Record) core.Record {
		if row.Resource().Name() == "document" {
			return row
		}
		for doc := range records(row, "document") {
			if doc.Key() == row.Get("document") {
				return doc
			}
		}
		return core.Record{}
	}
	canWrite := func(p *core.Principal, _ core.Kind, row core.Record) bool {
		switch row.Resource().Name() {
		case "document", "comment":
			doc := document(row)
			return !doc.IsZero() && inTeam(p, row, doc.Get("team"), "admin")
		}
		return false
	}
	return policytest.Decisions{
		CanRead: func(p *core.Principal, row core.Record) bool {
			switch row.Resource().Name() {
			case "member":
				return p.ID.IsSet() && row.Get("user") == p.ID
			case "team":
				return inTeam(p, row, row.Key(), "")
			case "user":
				for member := range records(row, "member") {
					if member.Get("user") == row.Key() && inTeam(p, row, member.Get("team"), "") {
						return true
					}
				}
				return false
			}
			doc := document(row)
			return !doc.IsZero() && (doc.Get("public").Bool() || inTeam(p, row, doc.Get("team"), ""))
		},
		CanChange: canWrite, CanResultIn: canWrite,
	}
}

// ended is an effect: memberships with the role "ended" do not exist, for the conditions of policies too.
func ended(ignores func(op *core.Op) bool) core.Decorator {
	return kittest.Decorator("ended", core.KindEffect, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource != nil && op.Resource.Name() == "member" && !ignores(op) {
			op.Using = core.And(op.Using, core.Ne("role", "ended"))
		}
		return next(ctx, op)
	})
}

// endedSpec is the spec of the membership policy around an effect that ends memberships.
func endedSpec(effect core.Decorator) policytest.PolicySpec {
	spec := memberSpec(membership{}.decorator(), effect)
	isEnded := func(row core.Record) bool {
		return row.Resource().Name() == "member" && row.Get("role").Text() == "ended"
	}
	spec.Rows["member"][9] = map[string]any{"team": 3, "user": 1, "role": "ended"}
	spec.Rows["member"][10] = map[string]any{"team": 1, "user": 2, "role": "ended"}
	grants := spec.Grants
	spec.Grants = func(p *core.Principal, row core.Record) bool { return grants(p, row) && !isEnded(row) }
	spec.Decide = func(all reference.Records) policytest.Decisions {
		decisions := decideByMembership(func(r *core.Resource) iter.Seq[core.Record] {
			return func(yield func(core.Record) bool) {
				for row := range all(r) {
					if !isEnded(row) && !yield(row) {
						return
					}
				}
			}
		})
		canRead := decisions.CanRead
		decisions.CanRead = func(p *core.Principal, row core.Record) bool { return !isEnded(row) && canRead(p, row) }
		return decisions
	}
	return spec
}

// TestEndedMembershipGrantsNothing runs the rules on results: the store adds the condition of the effect behind all decorators,
// where the other rules look at ops, and the effect restricts the system.
func TestEndedMembershipGrantsNothing(t *testing.T) {
	spec := endedSpec(ended(func(*core.Op) bool { return false }))
	spec.Thin, spec.Operations = 10, 3_000
	for _, c := range policytest.GuardCases() {
		switch c.Name {
		case "reads return all readable rows", "pages are full", "hidden is indistinguishable from absent", "writes change allowed rows only", "decisions follow related rows":
			t.Run(c.Name, func(t *testing.T) { c.Check(t, kittest.OpenNaive, spec) })
		}
	}
	policytest.NonInterference(t, kittest.OpenNaive, spec)
}

func TestMembershipPolicyPassesGuard(t *testing.T) {
	policytest.Guard(t, kittest.OpenNaive, memberSpec(membership{}.decorator()))
}

func TestMembershipPolicyPassesNonInterference(t *testing.T) {
	policytest.NonInterference(t, kittest.OpenNaive, memberSpec(membership{}.decorator()))
}
