package core

import (
	"context"
	"slices"
)

// Principal is the user or program for which an operation runs. The nil Principal is anonymous. A Principal must not
// be changed once it is in a context, because concurrent operations share it.
type Principal struct {
	// ID identifies the principal. Its type counts: the number 1 and the text "1" are different principals.
	ID Value
	// Roles of the principal.
	Roles []string
	// Claims are further facts about the principal, as decoded from JSON.
	Claims map[string]any

	system      bool
	seesDeleted bool
}

var (
	system    = &Principal{system: true}
	archivist = &Principal{system: true, seesDeleted: true}
)

// HasRole reports whether the principal has the role. An anonymous caller has no roles.
func (p *Principal) HasRole(role string) bool {
	return p != nil && slices.Contains(p.Roles, role)
}

// IsSystem reports whether the principal is the program itself, see [System].
func (p *Principal) IsSystem() bool { return p != nil && p.system }

// String returns the ID, "system" for the program itself, or "anonymous" for nil.
func (p *Principal) String() string {
	switch {
	case p == nil:
		return "anonymous"
	case p.system:
		return "system"
	}
	return p.ID.String()
}

// WithPrincipal returns a context with the principal p for its operations. nil means anonymous.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	s := *stateOf(ctx)
	s.principal = p
	return context.WithValue(ctx, stateKey{}, &s)
}

// System returns a context for operations of the program itself. Policies do not apply to them: this is the one
// explicit bypass. A server must not use such a context for the requests of clients.
func System(ctx context.Context) context.Context { return WithPrincipal(ctx, system) }

// SeesDeleted reports whether the principal is the program itself, and records that a decorator keeps although they were deleted
// exist for it, see [WithDeleted].
func (p *Principal) SeesDeleted() bool { return p != nil && p.seesDeleted }

// WithDeleted is [System] for operations to which deleted records exist like others: they read and change records that a
// decorator keeps although they were deleted, see [Decorator] Keeps, and a Delete removes records for good. A server must not use
// such a context for the requests of clients.
func WithDeleted(ctx context.Context) context.Context { return WithPrincipal(ctx, archivist) }

// PrincipalOf returns the principal of the context; nil for an anonymous one.
func PrincipalOf(ctx context.Context) *Principal { return stateOf(ctx).principal }

// state holds everything that core keeps in a context, under one key, so that an operation needs one lookup.
type state struct {
	principal *Principal
	inside    *Store // store of the transaction that the context belongs to; nil outside one
	outer     *state // state of the context that the transaction was begun with
}

type stateKey struct{}

var noState = &state{}

func stateOf(ctx context.Context) *state {
	if s, ok := ctx.Value(stateKey{}).(*state); ok {
		return s
	}
	return noState
}

// within reports whether the context belongs to a transaction of s.
func (st *state) within(s *Store) bool {
	for ; st != nil; st = st.outer {
		if st.inside == s {
			return true
		}
	}
	return false
}
