package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// Store gives access to the records of a backend, through the chain of decorators. It is safe for concurrent use.
// [New] returns one.
//
// Every operation checks and converts its arguments, and sends one [Op] through the chain. It is a transaction of its
// own, and repeated when it conflicts with others; [Store.Tx] runs several operations in one. Resources must be of
// the store's model. [Querier] is the interface of the operations.
//
// An operation without keys or records, such as a Load of no keys, passes the chain too, so that policies decide
// about it; outside a transaction it pings the backend.
//
// Every error is an [*Error], except an error of the function of [Store.Tx]. Besides the codes that a method names,
// the Error may have:
//
//   - a code that a decorator adds, often [Unauthorized], [Forbidden] or [ReadOnly];
//   - [Forbidden], or [Unauthorized] for an anonymous caller, instead of [NotFound] for a write that a policy excludes from a
//     record which the caller can read; the store looks the record up by a Load through all decorators, in the same
//     transaction where the backend can still read in it;
//   - ReadOnly for a write of a read-only resource or in a read-only transaction;
//   - [Unavailable] if the backend cannot be reached, if an operation still conflicts after all its attempts
//     (errors.Is finds [ErrConflict]), or if the context has ended (errors.Is finds its error);
//   - [OutcomeUnknown] for a commit that was sent and not acknowledged;
//   - [QueryTooExpensive] for an operation that exceeds the backend's limit of time;
//   - [ServerError] for every other failure, such as a resource or a record of another model.
type Store struct {
	model       *Model
	backend     Backend
	handler     Handler
	description Description
	readOnly    []func(r *Resource) bool // functions of the decorators
	sets        []func(f *Field) bool    // functions of the decorators
	keeps       []func(r *Resource) bool // functions of the decorators
	unaware     string                   // name of a decorator that does not know conditions on related records
	mayHide     bool                     // a decorator may hide records
	undeclared  bool                     // a decorator that may hide records does not know the kind Visibility
	effects     bool                     // a decorator may hide records from every principal
	closed      atomic.Bool
}

// New composes a store of the backend and the decorators around it, outermost first, and binds the backend to the
// model. It fails if the backend cannot store the model, if a decorator does not fit it, or if the order of the
// decorators breaks a promise; the error then names a correct order. The store owns the backend; New closes it on an
// error. The context bounds New, not the store.
//
// Errors: those of [Backend.Bind] and of the decorators; errors.Is finds their codes, such as [Unavailable] for a server
// that cannot be reached.
func New(ctx context.Context, model *Model, backend Backend, decorators ...Decorator) (*Store, error) {
	switch {
	case backend == nil:
		return nil, errors.New("core: a store needs a backend")
	case model == nil:
		return nil, errors.Join(errors.New("core: a store needs a model"), backend.Close())
	}
	s := &Store{model: model, backend: backend, description: describe(model, backend, decorators)}
	s.mayHide = s.description.MayHide()
	for _, d := range decorators {
		if d.ReadOnly != nil {
			s.readOnly = append(s.readOnly, d.ReadOnly)
		}
		if d.Sets != nil {
			s.sets = append(s.sets, d.Sets)
		}
		if d.Keeps != nil {
			s.keeps = append(s.keeps, d.Keeps)
		}
		if d.unaware() {
			s.unaware = cmp.Or(s.unaware, d.Name)
		}
		s.effects = s.effects || d.Kind == KindEffect
		s.undeclared = s.undeclared || d.Wrap != nil && !d.knowsRelated()
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

// Model returns the model of the store.
func (s *Store) Model() *Model { return s.model }

// ReadOnly reports whether all writes of the resource are currently rejected, because the model declares it read-only or
// a decorator says so. Other writes may be rejected, too.
func (s *Store) ReadOnly(r *Resource) bool {
	return r.readOnly || slices.ContainsFunc(s.readOnly, func(says func(*Resource) bool) bool { return says(r) })
}

// Sets reports whether a decorator declares that it sets the field of new records that leave it out, see [Decorator].
func (s *Store) Sets(f *Field) bool {
	return slices.ContainsFunc(s.sets, func(says func(*Field) bool) bool { return says(f) })
}

// Keeps reports whether a decorator keeps the records of the resource that are deleted, see [Decorator]. [Store.Restore] and
// [Store.Deleted] then work for the resource.
func (s *Store) Keeps(r *Resource) bool {
	return slices.ContainsFunc(s.keeps, func(says func(*Resource) bool) bool { return says(r) })
}

// Deleted returns the reads of the records that were deleted and that a decorator keeps, see [Store.Keeps]. They return only
// records that the principal may read and may restore. Conditions and orders on related records do not see deleted ones.
// Restore is as usual, and other writes fail.
//
// Errors: [BadRequest] for a resource of which no decorator keeps records; [Forbidden] and [Unauthorized] for a principal that
// may restore no records of the resource.
func (s *Store) Deleted() Querier { return s.session().Deleted() }

// Ping returns nil if a writing transaction can begin on the backend, for readiness checks. It is no operation:
// decorators do not see it, and it needs no principal.
//
// Errors: [Unavailable], with [ErrClosed] after Close.
func (s *Store) Ping(ctx context.Context) error {
	if s.closed.Load() {
		return &Error{Code: Unavailable, Cause: ErrClosed}
	}
	return wrap(s.backend.Ping(ctx))
}

// Close closes the backend. Running operations may fail, and later ones fail with [ErrClosed], as does a second
// Close.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return &Error{Code: Unavailable, Cause: ErrClosed}
	}
	return wrap(s.backend.Close())
}

// session returns the operations outside transactions.
func (s *Store) session() session { return session{store: s} }

// Get returns the record with the key.
//
// Errors: [NotFound]; [BadFieldValue] for a key of another type.
func (s *Store) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	return s.session().Get(ctx, r, key)
}

// Load returns the existing records with the keys, each once, ascending by key. Keys without a record are left out.
// If fields are named, columns other than these fields and the key may be absent.
//
// Errors: [BadFieldValue] for a key of another type; [UnknownField].
func (s *Store) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
	return s.session().Load(ctx, r, keys, fields...)
}

// Select returns a page of the records that the query selects.
//
// Errors: as for [Resource.Bind] for the filter; [UnknownField] and [SearchForbidden] for order and fields; [BadParam]
// for a negative limit, for more than 16 fields in the order, and for a cursor of another query.
func (s *Store) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
	return s.session().Select(ctx, r, q)
}

// Count returns the number of records that match the filter.
//
// Errors: as for [Resource.Bind].
func (s *Store) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	return s.session().Count(ctx, r, where)
}

// ReadsAll reports whether the caller can read every record that a to-one relation to the resource can lead to. The key that
// a record stores in such a relation may then be shown without reading the target. ReadsAll asks the decorators by an op of
// kind [Visibility] and reads no records. Like every guard, the answer holds for the operations that follow at once; it must
// not be kept.
//
// It is false unless that is certain: if a decorator narrows or denies reads of the resource or does not declare
// [Decorator.KnowsRelated], and if reads of the backend may lack targets, see [KeySource.Partial].
//
// Errors: those of a decorator, except the codes of a denial.
func (s *Store) ReadsAll(ctx context.Context, r *Resource) (bool, error) {
	return s.session().ReadsAll(ctx, r)
}

// CheckReadable checks that the policies let the caller read the stored field in some records, as far as they can tell without
// reading records. It asks the decorators by an op of kind [Visibility], and costs no operation of the backend. Use it where
// the name of an unreadable field must be answered like a name that does not exist.
//
// Errors: [UnknownField] naming the field; failures of decorators. A policy that denies the whole resource is no error here.
func (s *Store) CheckReadable(ctx context.Context, f *Field) error {
	return s.session().CheckReadable(ctx, f)
}

// Aggregate returns figures about the records that match a condition, for each group of them, ascending by the keys of the
// groups. Without Group it returns one group, also if no record matches.
//
// Errors: as for [Resource.Bind] for the filter; [UnknownField]; [SearchForbidden] for a field that cannot form groups (a
// list, JSON, a key of several fields) or a measure that the field does not have (sum of a Float, for one: the result would
// depend on the order of the records); [BadParam] for more than [MaxGroups] groups and for more than 16 fields in Group;
// [BadRequest] for more than 32 measures, and for a sum of more than 1,000 digits; [TooLarge] for groups with more than
// [MaxGroupBytes] of text.
func (s *Store) Aggregate(ctx context.Context, r *Resource, a Aggregation) ([]Group, error) {
	return s.session().Aggregate(ctx, r, a)
}

// Insert adds the records, all or none, and returns their after images in the same order, with keys, defaults and
// everything else that the backend adds. A record without a key gets a generated one.
//
// Errors: [BadRequest] for a record without a key if keys are not generated; [AlreadyExists] for a key or unique
// value of another record; [NotFound] for a to-one relation to a record that does not exist; [BadFieldValue] for a
// value of another type than its field, and for a text key that a URL cannot address: "", "." and "..".
func (s *Store) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	return s.session().Insert(ctx, r, records...)
}

// Update changes records, all or none, and returns their after images, ascending by key. Each argument has a key and
// the changed columns, see [Resource.Patch].
//
// Errors: [NotFound] for a key without a record, and for a to-one relation to a record that does not exist;
// [AlreadyExists] for a unique value of another record; [BadFieldValue] for a value or a key of another type, and for
// a change without a key; [BadRequest] for two changes of one record.
func (s *Store) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return s.session().Update(ctx, r, changes...)
}

// Replace is [Store.Update] for a replacement of whole records: null in a field of reset stands for a field that the
// caller does not name. A backend with a constant default of its own writes that default, a backend with an
// expression as default, such as now(), keeps the stored value, and other backends write null.
//
// Errors: as for [Store.Update].
func (s *Store) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	return s.session().Replace(ctx, r, reset, changes...)
}

// Delete removes the records with the keys, all or none. It does not change records that reference them: the
// transaction cannot commit while there are any.
//
// Errors: [NotFound]; [StillReferenced] for a record that others reference; [BadFieldValue] for a key of another
// type.
func (s *Store) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	return s.session().Delete(ctx, r, keys...)
}

// Restore makes records present again that were deleted and that a decorator keeps, all or none, with the records that were
// deleted together with them, and returns their after images, ascending by key. See decorators/softdelete.
//
// Errors: [NotFound] for a key without a deleted record that the principal may restore, and naming the target of a relation
// whose rule is [Cascade] or [Restrict] if it is deleted or does not exist; [AlreadyExists] for a unique value that another record
// has now; [BadFieldValue] for a key of another type; [BadRequest] for a resource of which no decorator keeps records.
func (s *Store) Restore(ctx context.Context, r *Resource, keys ...Value) ([]Record, error) {
	return s.session().Restore(ctx, r, keys...)
}

// NextIDs allocates n keys. No record of the resource has had such a key, and NextIDs has not returned it before.
//
// Errors: [BadRequest] for a negative n, and for a resource with assigned keys, see [Store.KeySource].
func (s *Store) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	return s.session().NextIDs(ctx, r, n)
}
