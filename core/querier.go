package core

import "context"

// Querier is the operations on records that [Store] and [Transaction] share: the parameter of a function that works inside
// and outside of transactions. The methods are described at [Store].
type Querier interface {
	Get(ctx context.Context, r *Resource, key Value) (Record, error)
	Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error)
	Select(ctx context.Context, r *Resource, q Query) (Page, error)
	Count(ctx context.Context, r *Resource, where Filter) (int, error)
	Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error)
	Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error)
	Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error)
	Delete(ctx context.Context, r *Resource, keys ...Value) error
	NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error)
}

var (
	_ Querier = (*Store)(nil)
	_ Querier = (*Transaction)(nil)
)

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

// Get is [Store.Get] in the transaction.
func (t *Transaction) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	return t.session.Get(ctx, r, key)
}

// Load is [Store.Load] in the transaction.
func (t *Transaction) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
	return t.session.Load(ctx, r, keys, fields...)
}

// Select is [Store.Select] in the transaction.
func (t *Transaction) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
	return t.session.Select(ctx, r, q)
}

// Count is [Store.Count] in the transaction.
func (t *Transaction) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	return t.session.Count(ctx, r, where)
}

// Insert is [Store.Insert] in the transaction.
func (t *Transaction) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	return t.session.Insert(ctx, r, records...)
}

// Update is [Store.Update] in the transaction.
func (t *Transaction) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return t.session.Update(ctx, r, changes...)
}

// Replace is [Store.Replace] in the transaction.
func (t *Transaction) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	return t.session.Replace(ctx, r, reset, changes...)
}

// Delete is [Store.Delete] in the transaction.
func (t *Transaction) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	return t.session.Delete(ctx, r, keys...)
}

// NextIDs is [Store.NextIDs] in the transaction.
func (t *Transaction) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	return t.session.NextIDs(ctx, r, n)
}
