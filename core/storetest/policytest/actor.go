package policytest

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// actor is a principal for which operations are sent, with the decisions of the spec for it.
type actor struct {
	*scenario

	principal *core.Principal
	// derivedFrom is the principal of which this one is a copy without an id. The copy may read at most the
	// rows of the original.
	derivedFrom *core.Principal
	// decisions of the spec in one state of the store.
	decisions Decisions
	// mayBeDenied means that the stack may deny operations that the spec allows.
	mayBeDenied bool
}

func (t *scenario) actor(principal *core.Principal) actor {
	return actor{scenario: t, principal: principal, decisions: t.Decide(t.living(t.initial).of).filled()}
}

// in returns the actor with the decisions of the spec in another state of the store.
func (g actor) in(all rows) actor {
	if g.dependent {
		g.decisions = g.Decide(g.living(all).of).filled()
	}
	return g
}

// actors returns an actor for each principal of the spec. If the stack ignores principals, the anonymous caller and the
// system are among them.
func (t *scenario) actors() []actor {
	var all []actor
	for _, p := range t.allPrincipals() {
		all = append(all, t.actor(p))
	}
	return all
}

func (spec PolicySpec) allPrincipals() []*core.Principal {
	if !spec.IgnoresPrincipal {
		return spec.Principals
	}
	return append(slices.Clone(spec.Principals), nil, systemPrincipal)
}

// systemPrincipal is the principal of [core.System].
var systemPrincipal = core.PrincipalOf(core.System(context.Background()))

// mistypedActors returns copies of the principals without an id, and with an id of another type that has the same
// spelling.
func (t *scenario) mistypedActors() []actor {
	var all []actor
	for _, p := range t.Principals {
		for _, id := range []core.Value{{}, core.Null} {
			all = append(all, t.actor(withID(p, id)))
			all[len(all)-1].derivedFrom, all[len(all)-1].mayBeDenied = p, true
		}
		for _, id := range sameSpelling(p.ID) {
			all = append(all, t.actor(withID(p, id)))
			all[len(all)-1].mayBeDenied = true
		}
	}
	return all
}

func withID(p *core.Principal, id core.Value) *core.Principal {
	return &core.Principal{ID: id, Roles: p.Roles, Claims: p.Claims}
}

// sameSpelling returns values of other types that a careless comparison takes for id.
func sameSpelling(id core.Value) []core.Value {
	var all []core.Value
	for _, typ := range []core.Type{core.Int, core.Text, core.UUID, core.Float, core.JSON, core.List, core.Bool, core.Bytes} {
		for _, raw := range []any{id.Any(), id.String(), []any{id.Any()}, id.String() == "1"} {
			v, err := typ.Convert(raw)
			if err == nil && v.IsSet() && v != id && !slices.Contains(all, v) && v != core.BoolValue(false) {
				all = append(all, v)
			}
		}
	}
	return all
}

// unrestricted reports whether the spec restricts the actor in nothing: it is the system, and the stack does not ignore
// principals.
func (g actor) unrestricted() bool { return g.principal.IsSystem() && !g.IgnoresPrincipal }

// anonymous reports whether the actor has no principal and is therefore denied everything.
func (g actor) anonymous() bool { return g.principal == nil && !g.IgnoresPrincipal }

// allowed applies a rule of the spec to the principal.
func (g actor) allowed(rule func(p *core.Principal) bool) bool {
	switch {
	case g.unrestricted():
		return true
	case g.anonymous():
		return false
	}
	return rule(g.principal) && (g.derivedFrom == nil || rule(g.derivedFrom))
}

func (g actor) canRead(row core.Record) bool { return !g.isDeleted(row) && g.canReadLiving(row) }

func (g actor) canReadLiving(row core.Record) bool {
	return g.allowed(func(p *core.Principal) bool { return g.decisions.CanRead(p, row) })
}

// canRestore reports whether the actor may read a deleted row as such, and restore it.
func (g actor) canRestore(row core.Record) bool {
	return g.canChange(core.Restore, row) && g.canReadLiving(row)
}

// sees reports whether the actor may read the row, among the others or among the deleted ones.
func (g actor) sees(row core.Record) bool { return g.canRead(row) || g.canRestore(row) }

// canChange reports whether the actor may change the row by an op of the kind. A Restore changes deleted rows only.
func (g actor) canChange(kind core.Kind, row core.Record) bool {
	if g.isDeleted(row) != (kind == core.Restore) {
		return false
	}
	return g.allowed(func(p *core.Principal) bool { return g.decisions.CanChange(p, kind, row) })
}

// canResultIn reports whether an op of the kind of the actor may result in the row. A Delete of a kept row results in it.
func (g actor) canResultIn(kind core.Kind, row core.Record) bool {
	if kind != core.Delete && g.isDeleted(row) {
		return false
	}
	return g.allowed(func(p *core.Principal) bool { return g.decisions.CanResultIn(p, kind, row) })
}

// grants reports whether decisions about other rows may depend on the row.
func (g actor) grants(row core.Record) bool {
	return g.principal != nil && g.Grants(g.principal, row)
}

func (g actor) canReadField(f *core.Field) bool {
	return g.allowed(func(p *core.Principal) bool { return g.CanReadField(p, f) })
}

func (g actor) denied(kind core.Kind, r *core.Resource) bool {
	return g.anonymous() || g.Denies(g.principal, kind, r)
}

// readable returns the rows of all resources that the actor may read.
func (g actor) readable(all rows) rows {
	some := make(rows, len(all))
	for i := range all {
		some[i] = g.readableRows(all[i])
	}
	return some
}

// readableRows returns the rows that the actor may read.
func (g actor) readableRows(all []core.Record) []core.Record {
	return slices.DeleteFunc(slices.Clone(all), func(row core.Record) bool { return !g.canRead(row) })
}

// withoutUnreadable returns the row without the fields that the actor may not read.
func (g actor) withoutUnreadable(row core.Record) core.Record {
	for i, f := range row.Resource().Columns() {
		if !g.canReadField(f) {
			row = row.With(i, core.Value{})
		}
	}
	return row
}
