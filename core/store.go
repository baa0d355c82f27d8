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

// session returns the store's operations outside transactions.
func (s *Store) session() session { return session{store: s} }

// Get returns the record with that key.
//
// Errors: [NotFound], [BadFieldValue] for a key of the wrong type.
func (s *Store) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	return s.session().Get(ctx, r, key)
}

// Load returns the records with those keys that are there, ascending by key and
// each once. With names of fields, others may be absent from the records, but
// for the key.
//
// Errors: [BadFieldValue] for a key of the wrong type, [UnknownField].
func (s *Store) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
	return s.session().Load(ctx, r, keys, fields...)
}

// Select returns the records that the query asks for.
//
// Errors: [UnknownField], [SearchForbidden] and [BadFieldValue] for what the
// query names, [BadParam] for its limit and cursor.
func (s *Store) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
	return s.session().Select(ctx, r, q)
}

// Count returns how many records fulfil the filter.
//
// Errors: those of [Resource.Bind].
func (s *Store) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	return s.session().Count(ctx, r, where)
}

// Insert adds the records, all or none, and returns them as they now are, in
// the same order: with keys, defaults and whatever else the backend adds. A
// record without a key gets the next one; a key that is given is kept.
//
// Errors: [BadRequest] for a record without a key where nothing generates one, [AlreadyExists] for a key or unique value
// that another record holds, [NotFound] for a to-one relation whose target does not exist, [BadFieldValue].
func (s *Store) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	return s.session().Insert(ctx, r, records...)
}

// Update changes records, all or none. Each of those given holds a key and the
// columns to change, the others absent. It returns the records as they now
// are, ascending by key.
//
// Errors: [NotFound] for a key that is not there and for a to-one relation
// whose target is not, [AlreadyExists] for a unique value that is taken,
// [BadFieldValue], [BadRequest] for two changes to one record.
func (s *Store) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return s.session().Update(ctx, r, changes...)
}

// Replace is [Store.Update] for a replacement of whole records: null in one of the
// fields of reset stands for a field that the caller does not name. A backend with a
// constant default of its own writes that, one whose default is an expression such as
// now() keeps the stored value, and all others write null.
//
// Errors: those of Update.
func (s *Store) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	return s.session().Replace(ctx, r, reset, changes...)
}

// Delete removes the records with those keys, all or none. It does not touch
// records that point at them: the transaction cannot commit while there are any.
//
// Errors: [NotFound], [FieldUpdateForbidden] for a record that others point at,
// [BadFieldValue] for a key of the wrong type.
func (s *Store) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	return s.session().Delete(ctx, r, keys...)
}

// NextIDs hands out n keys that no record of the resource has, had or was
// promised.
//
// Errors: [BadRequest] for a negative n and for a resource whose keys nothing
// generates, see [Store.KeySource].
func (s *Store) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	return s.session().NextIDs(ctx, r, n)
}
