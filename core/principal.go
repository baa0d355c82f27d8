package core

import (
	"context"
	"slices"
)

// Principal is who an operation runs for. It must not be changed once it is in
// a context, because concurrent operations share it.
type Principal struct {
	// ID identifies the principal. Its type counts: the number 1 and the text
	// "1" are different principals.
	ID Value
	// Roles that the principal has.
	Roles []string
	// Claims are further facts, as a JSON decoder leaves them.
	Claims map[string]any

	system bool
}

var system = &Principal{system: true}

// HasRole reports whether the principal has the role. Nobody, the nil
// Principal, has none.
func (p *Principal) HasRole(role string) bool {
	return p != nil && slices.Contains(p.Roles, role)
}

// IsSystem reports whether this is the program itself, see [System].
func (p *Principal) IsSystem() bool { return p != nil && p.system }

// String returns the id, "system" for the program, "anonymous" for nil.
func (p *Principal) String() string {
	switch {
	case p == nil:
		return "anonymous"
	case p.system:
		return "system"
	}
	return p.ID.String()
}

// WithPrincipal returns a context whose operations run for p; nil means nobody.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	s := *stateOf(ctx)
	s.principal = p
	return context.WithValue(ctx, stateKey{}, &s)
}

// System returns a context whose operations run for the program itself, which
// policies let pass. It is the one explicit way round them; whoever serves
// clients must not hand it on.
func System(ctx context.Context) context.Context { return WithPrincipal(ctx, system) }

// PrincipalOf returns who operations with this context run for; nil means
// nobody.
func PrincipalOf(ctx context.Context) *Principal { return stateOf(ctx).principal }

// state is everything that the core keeps in a context, under one key, so that
// an operation looks it up once.
type state struct {
	principal *Principal
	inside    *Store // the store one of whose transactions this context belongs to
	outer     *state // of the context that the transaction was begun with
}

type stateKey struct{}

var noState = &state{}

func stateOf(ctx context.Context) *state {
	if s, ok := ctx.Value(stateKey{}).(*state); ok {
		return s
	}
	return noState
}

// within reports whether the state belongs to a transaction of s.
func (st *state) within(s *Store) bool {
	for ; st != nil; st = st.outer {
		if st.inside == s {
			return true
		}
	}
	return false
}
