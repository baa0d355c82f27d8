package policytest

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// guest is a principal that operations are sent for, and what the rules let it do.
type guest struct {
	*theatre

	who *core.Principal
	// like is the principal that who was made of by leaving out the id, which
	// lets nobody see more.
	like *core.Principal
	// doubtful guests may be refused where the rules would let them pass.
	doubtful bool
}

func (t *theatre) guest(who *core.Principal) guest { return guest{theatre: t, who: who} }

// guests are the principals of the settings, and nobody and the program where
// they are like everybody.
func (t *theatre) guests() []guest {
	var all []guest
	for _, p := range t.everybody() {
		all = append(all, t.guest(p))
	}
	return all
}

func (g PolicySpec) everybody() []*core.Principal {
	if !g.IgnoresPrincipal {
		return g.Principals
	}
	return append(slices.Clone(g.Principals), nil, itself)
}

// itself is the principal of the program itself.
var itself = core.PrincipalOf(core.System(context.Background()))

// strangers are made of the principals: the same without an id, and with an id
// that is another value of the same spelling.
func (t *theatre) strangers() []guest {
	var all []guest
	for _, p := range t.Principals {
		for _, id := range []core.Value{{}, core.Null} {
			all = append(all, guest{theatre: t, who: withID(p, id), like: p, doubtful: true})
		}
		for _, id := range mistakable(p.ID) {
			all = append(all, guest{theatre: t, who: withID(p, id), doubtful: true})
		}
	}
	return all
}

func withID(p *core.Principal, id core.Value) *core.Principal {
	return &core.Principal{ID: id, Roles: p.Roles, Claims: p.Claims}
}

// mistakable returns values of other types that a loose comparison takes for id.
func mistakable(id core.Value) []core.Value {
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
func (g guest) unbound() bool { return g.who.IsSystem() && !g.IgnoresPrincipal }

// nobody guests meet nothing.
func (g guest) nobody() bool { return g.who == nil && !g.IgnoresPrincipal }

func (g guest) may(rule func(p *core.Principal) bool) bool {
	switch {
	case g.unbound():
		return true
	case g.nobody():
		return false
	}
	return rule(g.who) && (g.like == nil || rule(g.like))
}

func (g guest) sees(row core.Record) bool {
	return g.may(func(p *core.Principal) bool { return g.CanRead(p, row) })
}

func (g guest) changes(kind core.Kind, row core.Record) bool {
	return g.may(func(p *core.Principal) bool { return g.CanChange(p, kind, row) })
}

func (g guest) leaves(kind core.Kind, row core.Record) bool {
	return g.may(func(p *core.Principal) bool { return g.CanResultIn(p, kind, row) })
}

func (g guest) reads(f *core.Field) bool {
	return g.may(func(p *core.Principal) bool { return g.CanReadField(p, f) })
}

func (g guest) refused(kind core.Kind, r *core.Resource) bool {
	return g.nobody() || g.Denies(g.who, kind, r)
}

// seen returns the rows of a resource that the guest sees.
func (g guest) seen(all []core.Record) []core.Record {
	return slices.DeleteFunc(slices.Clone(all), func(row core.Record) bool { return !g.sees(row) })
}

// shown returns the row with what the guest reads of it.
func (g guest) shown(row core.Record) core.Record {
	for i, f := range row.Resource().Columns() {
		if !g.reads(f) {
			row = row.With(i, core.Value{})
		}
	}
	return row
}
