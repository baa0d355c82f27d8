package policytest

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// guest is a principal that operations are sent for, and what the rules let it do.
type actor struct {
	*scenario

	principal *core.Principal
	// like is the principal that who was made of by leaving out the id, which
	// lets nobody see more.
	derivedFrom *core.Principal
	// doubtful guests may be refused where the rules would let them pass.
	mayBeDenied bool
}

func (t *scenario) actor(who *core.Principal) actor { return actor{scenario: t, principal: who} }

// guests are the principals of the settings, and nobody and the program where
// they are like everybody.
func (t *scenario) actors() []actor {
	var all []actor
	for _, p := range t.allPrincipals() {
		all = append(all, t.actor(p))
	}
	return all
}

func (g PolicySpec) allPrincipals() []*core.Principal {
	if !g.IgnoresPrincipal {
		return g.Principals
	}
	return append(slices.Clone(g.Principals), nil, systemPrincipal)
}

// itself is the principal of the program itself.
var systemPrincipal = core.PrincipalOf(core.System(context.Background()))

// strangers are made of the principals: the same without an id, and with an id
// that is another value of the same spelling.
func (t *scenario) mistypedActors() []actor {
	var all []actor
	for _, p := range t.Principals {
		for _, id := range []core.Value{{}, core.Null} {
			all = append(all, actor{scenario: t, principal: withID(p, id), derivedFrom: p, mayBeDenied: true})
		}
		for _, id := range sameSpelling(p.ID) {
			all = append(all, actor{scenario: t, principal: withID(p, id), mayBeDenied: true})
		}
	}
	return all
}

func withID(p *core.Principal, id core.Value) *core.Principal {
	return &core.Principal{ID: id, Roles: p.Roles, Claims: p.Claims}
}

// mistakable returns values of other types that a loose comparison takes for id.
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

// unbound guests meet every row: the program, unless it is like everybody.
func (g actor) unrestricted() bool { return g.principal.IsSystem() && !g.IgnoresPrincipal }

// nobody guests meet nothing.
func (g actor) anonymous() bool { return g.principal == nil && !g.IgnoresPrincipal }

func (g actor) allowed(rule func(p *core.Principal) bool) bool {
	switch {
	case g.unrestricted():
		return true
	case g.anonymous():
		return false
	}
	return rule(g.principal) && (g.derivedFrom == nil || rule(g.derivedFrom))
}

func (g actor) canRead(row core.Record) bool {
	return g.allowed(func(p *core.Principal) bool { return g.CanRead(p, row) })
}

func (g actor) canChange(kind core.Kind, row core.Record) bool {
	return g.allowed(func(p *core.Principal) bool { return g.CanChange(p, kind, row) })
}

func (g actor) canResultIn(kind core.Kind, row core.Record) bool {
	return g.allowed(func(p *core.Principal) bool { return g.CanResultIn(p, kind, row) })
}

func (g actor) canReadField(f *core.Field) bool {
	return g.allowed(func(p *core.Principal) bool { return g.CanReadField(p, f) })
}

func (g actor) denied(kind core.Kind, r *core.Resource) bool {
	return g.anonymous() || g.Denies(g.principal, kind, r)
}

// seen returns the rows of a resource that the guest sees.
func (g actor) readableRows(all []core.Record) []core.Record {
	return slices.DeleteFunc(slices.Clone(all), func(row core.Record) bool { return !g.canRead(row) })
}

// shown returns the row with what the guest reads of it.
func (g actor) withoutUnreadable(row core.Record) core.Record {
	for i, f := range row.Resource().Columns() {
		if !g.canReadField(f) {
			row = row.With(i, core.Value{})
		}
	}
	return row
}
