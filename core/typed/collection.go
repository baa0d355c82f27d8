package typed

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/larder-go/larder/core"
)

// Collection reads and writes the records of one resource as structs of type T. It is immutable and safe for concurrent
// use. [New] returns one; the package comment describes how T maps to the resource.
//
// A collection adds no access of its own: every method calls a method of the [core.Store] or [core.Transaction], and
// returns its errors.
type Collection[T any] struct {
	store    *core.Store
	querier  core.Querier
	resource *core.Resource
	mapping  *mapping
}

// New returns the collection of the named resource of the store's model. It returns an error if the store is nil or if
// the model has no such resource. Another error lists every field of T that does not fit the model.
func New[T any](store *core.Store, resource string) (*Collection[T], error) {
	if store == nil {
		return nil, errors.New("typed: the store is nil; pass the result of core.New")
	}
	r := store.Model().Resource(resource)
	if r == nil {
		return nil, fmt.Errorf("typed: model %q has no resource %q", store.Model().Name(), resource)
	}
	m, err := newMapping[T](r)
	if err != nil {
		return nil, fmt.Errorf("typed: collection of %q: %w", resource, err)
	}
	return &Collection[T]{store, store, r, m}, nil
}

// In returns the collection inside the transaction. It panics if the transaction belongs to another store than the
// collection.
func (c *Collection[T]) In(tx *core.Transaction) *Collection[T] {
	if !tx.BelongsTo(c.store) {
		panic("typed: the transaction belongs to another store than the collection")
	}
	return &Collection[T]{c.store, tx, c.resource, c.mapping}
}

// Final returns the collection for the last operation of the transaction: when the operation succeeds, the transaction
// has committed. See [core.Transaction.Final]. It panics as In does.
func (c *Collection[T]) Final(tx *core.Transaction) *Collection[T] { return c.In(tx.Final()) }

// Get returns the record with the key, which may have any type that [core.Field.Convert] accepts for the key field.
//
// Errors: [core.NotFound]; [core.BadFieldValue] for a key of another type, and for a value that the field of T cannot
// hold.
func (c *Collection[T]) Get(ctx context.Context, key any) (T, error) {
	var row T
	k, err := c.resource.Key().Convert(key)
	if err != nil {
		return row, err
	}
	rec, err := c.get(ctx, k)
	if err != nil {
		return row, err
	}
	err = scan(c.mapping, &row, rec)
	return row, err
}

// get reads only the fields that T has.
func (c *Collection[T]) get(ctx context.Context, key core.Value) (core.Record, error) {
	if c.mapping.projection == nil {
		return c.querier.Get(ctx, c.resource, key)
	}
	records, err := c.querier.Load(ctx, c.resource, []core.Value{key}, c.mapping.projection...)
	if err != nil {
		return core.Record{}, err
	}
	if len(records) == 0 {
		return core.Record{}, c.resource.NotFound(key)
	}
	return records[0], nil
}

// pageSize is the number of records that [Collection.All] reads at a time.
const pageSize = 256

// All returns an iterator over the records of the query. It reads pages of 256 records, so it needs little memory for
// any number of records. Query.Limit bounds the whole sequence; 0 means no limit. Query.Fields must be nil: T
// determines the fields.
//
// Outside a transaction each page is a transaction of its own; a record that changes during the iteration may be
// returned or not.
//
// An error ends the sequence and comes with the zero T. Errors: as for [Collection.Page].
func (c *Collection[T]) All(ctx context.Context, q core.Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := q          // the sequence may be used several times
		left := q.Limit // Page rejects negative limits
		for limited := left != 0; ; {
			if q.Limit = pageSize; limited {
				q.Limit = min(left, pageSize)
			}
			page, next, err := c.Page(ctx, q)
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if left -= len(page); next == "" || limited && left == 0 {
				return
			}
			q.After = next
		}
	}
}

// Page returns at most Query.Limit records of the query, or all of them for 0, and the cursor of the next page, which is
// empty after the last page. Query.Fields must be nil: T determines the fields.
//
// Errors: as for [core.Store.Select]; [core.BadRequest] for a query with Fields; [core.BadFieldValue] for a value that
// the field of T cannot hold.
func (c *Collection[T]) Page(ctx context.Context, q core.Query) ([]T, core.Cursor, error) {
	if q.Fields != nil {
		return nil, "", &core.Error{
			Code: core.BadRequest, Message: "a collection reads the fields of its Go type; leave Query.Fields empty",
		}
	}
	q.Fields = c.mapping.projection
	page, err := c.querier.Select(ctx, c.resource, q)
	if err != nil {
		return nil, "", err
	}
	rows := make([]T, len(page.Records))
	for i, rec := range page.Records {
		if err := scan(c.mapping, &rows[i], rec); err != nil {
			return nil, "", err
		}
	}
	return rows, page.Next, nil
}

// Count returns the number of records that match the filter.
//
// Errors: as for [core.Store.Count].
func (c *Collection[T]) Count(ctx context.Context, where core.Filter) (int, error) {
	return c.querier.Count(ctx, c.resource, where)
}

// Insert adds the rows, all or none, and sets each row to the stored record, with its key and defaults. A field that
// holds null, such as a nil pointer, takes the default of the model.
//
// Errors: as for [core.Store.Insert]; [core.BadRequest] for a nil row; [core.BadFieldValue] for a stored value that the
// field of T cannot hold, such as a default of the database. After this last error the records are stored, unless the
// transaction is rolled back.
func (c *Collection[T]) Insert(ctx context.Context, rows ...*T) error {
	records, err := recordsOf(c.mapping, rows, true)
	if err != nil {
		return err
	}
	inserted, err := c.querier.Insert(ctx, c.resource, records...)
	if err != nil {
		return err
	}
	for i, rec := range inserted {
		if err := scan(c.mapping, rows[i], rec); err != nil {
			return err
		}
	}
	return nil
}

// Update writes all fields of the rows to the records with their keys, all or none, and sets each row to the stored
// record. Fields of the resource that T does not have keep their values.
//
// Errors: as for [core.Store.Update]; [core.BadRequest] for a nil row; [core.BadFieldValue] as for Insert.
func (c *Collection[T]) Update(ctx context.Context, rows ...*T) error {
	records, err := recordsOf(c.mapping, rows, false)
	if err != nil {
		return err
	}
	updated, err := c.querier.Update(ctx, c.resource, records...)
	if err != nil {
		return err
	}
	byKey := make(map[core.Value]core.Record, len(updated))
	for _, rec := range updated {
		byKey[rec.Key()] = rec
	}
	for i, rec := range records {
		if err := scan(c.mapping, rows[i], byKey[rec.Key()]); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes the records with the keys, all or none. Keys may have any type that [core.Field.Convert] accepts for
// the key field.
//
// Errors: as for [core.Store.Delete].
func (c *Collection[T]) Delete(ctx context.Context, keys ...any) error {
	values := make([]core.Value, len(keys))
	for i, key := range keys {
		var err error
		if values[i], err = c.resource.Key().Convert(key); err != nil {
			return err
		}
	}
	return c.querier.Delete(ctx, c.resource, values...)
}
