package core

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// Store is the one way to the records of a backend: every operation passes the
// chain of decorators. It is safe for concurrent use. [New] makes it.
//
// Every operation sends one [Op] through the chain, after checking and converting its arguments. It is a transaction of
// its own, repeated when it conflicts with others; [Store.Tx] runs several operations in one. Resources must be of the
// store's model. [Querier] is the interface of the operations.
//
// An operation on nothing, such as a Load without keys, passes the chain too, so
// that policies answer it; outside a transaction it asks the backend with a Ping.
//
// All methods return an [*Error]. Besides the codes that they name: those that
// decorators add, of the usual ones [Unauthorized], [Forbidden] and [ReadOnly];
// [Unavailable], when the backend is out of reach, a conflict outlasts its
// retries (errors.Is finds [ErrConflict]) or the context ended (errors.Is finds
// its error); [ServerError] for everything else.
type Store struct {
	model       *Model
	backend     Backend
	handler     Handler
	description Description
	readOnly    []func(r *Resource) bool // of the decorators that have one
	closed      atomic.Bool
}

// New composes a store: the backend, and around it the decorators, outermost
// first. It binds the backend to the model, and it fails if the backend cannot
// hold the model, if a decorator does not fit it, or if the order of the
// decorators breaks a promise; the error then says which order would do. The
// backend belongs to the store from now on, and is closed if New fails.
func New(ctx context.Context, model *Model, backend Backend, decorators ...Decorator) (*Store, error) {
	switch {
	case backend == nil:
		return nil, errors.New("core: a store needs a backend")
	case model == nil:
		return nil, errors.Join(errors.New("core: a store needs a model"), backend.Close())
	}
	s := &Store{model: model, backend: backend, description: describe(model, backend, decorators)}
	for _, d := range decorators {
		if d.ReadOnly != nil {
			s.readOnly = append(s.readOnly, d.ReadOnly)
		}
	}
	var err error
	if s.handler, err = chain(model, decorators, s.innermost); err == nil {
		err = backend.Bind(ctx, model)
	}
	if err != nil {
		return nil, errors.Join(err, backend.Close())
	}
	return s, nil
}

// Model returns the model that the store holds.
func (s *Store) Model() *Model { return s.model }

// ReadOnly reports whether a decorator says that it refuses all writes of the resource
// at the time. Whether a write is refused is known only by trying it.
func (s *Store) ReadOnly(r *Resource) bool {
	return slices.ContainsFunc(s.readOnly, func(says func(*Resource) bool) bool { return says(r) })
}

// Ping reports whether the store can be used: it reaches the backend, and returns nil
// if a transaction that writes can begin there. It is for checks of readiness. It is
// no operation: decorators do not see it, and it needs no principal. ctx bounds how
// long it takes.
//
// Errors, as an [*Error]: [Unavailable], with [ErrClosed] after Close.
func (s *Store) Ping(ctx context.Context) error {
	if s.closed.Load() {
		return &Error{Code: Unavailable, Cause: ErrClosed}
	}
	return wrap(s.backend.Ping(ctx))
}

// Close closes the backend. Operations that are still running may fail; later
// ones fail with [ErrClosed], and so does a second Close.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return &Error{Code: Unavailable, Cause: ErrClosed}
	}
	return wrap(s.backend.Close())
}
