package core

import (
	"context"
	"fmt"
	"iter"
)

// Collection is the typed face of one resource: its records as structs of type
// T, through the same chain as everything else. It is immutable and safe for
// concurrent use. [NewCollection] makes it.
//
//	type Cookie struct {
//		ID   int64
//		Type string
//		Jar  *int64
//	}
//	cookies, err := core.NewCollection[Cookie](store, "cookie")
//	muffin, err := cookies.Get(ctx, 1)
//
// Each exported field of T stands for the stored field that its tag names, as in
// `larder:"type"`, or that has its name but for case; a field tagged "-" stands
// for none, and an embedded struct without a tag for its fields. T must have the
// key, and need not have the others: they are not read and not changed.
//
// The Go types of fields, by type of the model: every integer for Int, floats
// for Float (a float32 rounds what it reads), strings for Text and UUID, bool,
// [time.Time], [16]byte for UUID, []byte for Bytes; for JSON and List, whatever
// encoding/json can decode into, with [json.Number] where that is any.
// Pointers to them hold null as nil. Without a pointer null reads as the zero
// value, and the zero value is written as it is, with three exceptions: the zero
// of a key means "the next one", that of a to-one relation and that of a
// time.Time mean null.
type Collection[T any] struct {
	querier  Querier
	resource *Resource
	mapping  *mapping
}

// NewCollection returns the collection of the named resource. The error names
// every field of T that does not fit the model.
func NewCollection[T any](s *Store, resource string) (*Collection[T], error) {
	r := s.model.Resource(resource)
	if r == nil {
		return nil, fmt.Errorf("collection: model %q has no resource %q", s.model.name, resource)
	}
	m, err := newMapping[T](r)
	if err != nil {
		return nil, fmt.Errorf("collection of %q: %w", resource, err)
	}
	return &Collection[T]{s, r, m}, nil
}

// In returns the same collection inside a transaction.
func (c *Collection[T]) In(tx *Transaction) *Collection[T] {
	return &Collection[T]{tx, c.resource, c.mapping}
}

// Final returns the same collection for the last operation of a transaction, as
// [Transaction.Final] does: when the operation succeeds, the transaction has
// committed.
func (c *Collection[T]) Final(tx *Transaction) *Collection[T] {
	return &Collection[T]{tx.Final(), c.resource, c.mapping}
}

// Get returns the record with that key, which is of any type that the key's
// type converts.
//
// Errors: [NotFound], [BadFieldValue].
func (c *Collection[T]) Get(ctx context.Context, key any) (T, error) {
	var row T
	k, err := c.resource.key.Convert(key)
	if err != nil {
		return row, err
	}
	rec, err := c.get(ctx, k)
	if err != nil {
		return row, err
	}
	err = write(c.mapping, &row, rec)
	return row, err
}

// get reads no more than T holds.
func (c *Collection[T]) get(ctx context.Context, key Value) (Record, error) {
	if c.mapping.projection == nil {
		return c.querier.Get(ctx, c.resource, key)
	}
	records, err := c.querier.Load(ctx, c.resource, []Value{key}, c.mapping.projection...)
	if err != nil {
		return Record{}, err
	}
	if len(records) == 0 {
		return Record{}, c.resource.NotFound(key)
	}
	return records[0], nil
}

// pageSize is how many records [Collection.All] holds at a time.
const pageSize = 256

// All returns the records that the query asks for, as they come. It reads page
// by page, continuing by key, so that it holds few records however many there
// are; outside a transaction each page is a transaction of its own, and records
// that change meanwhile may or may not be met. Query.Limit is the limit of the
// whole; Query.Fields must be empty, T says what is read.
//
// An error ends the sequence; it comes with the zero T.
func (c *Collection[T]) All(ctx context.Context, q Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := q          // each use of the sequence starts anew
		left := q.Limit // negative limits are refused by Page
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
				var none T
				yield(none, err)
				return
			}
			if left -= len(page); next == "" || limited && left == 0 {
				return
			}
			q.After = next
		}
	}
}

// Page returns one page of the query, of at most Query.Limit records, and the
// cursor that continues it, empty at the end. Query.Fields must be empty.
//
// Errors: those of [Store.Select].
func (c *Collection[T]) Page(ctx context.Context, q Query) ([]T, Cursor, error) {
	if q.Fields != nil {
		return nil, "", &Error{Code: BadRequest, Message: "a collection reads the fields of its type; Query.Fields must be empty"}
	}
	q.Fields = c.mapping.projection
	page, err := c.querier.Select(ctx, c.resource, q)
	if err != nil {
		return nil, "", err
	}
	rows := make([]T, len(page.Records))
	for i, rec := range page.Records {
		if err := write(c.mapping, &rows[i], rec); err != nil {
			return nil, "", err
		}
	}
	return rows, page.Next, nil
}

// Count returns how many records fulfil the filter.
//
// Errors: those of [Store.Count].
func (c *Collection[T]) Count(ctx context.Context, where Filter) (int, error) {
	return c.querier.Count(ctx, c.resource, where)
}

// Insert adds the records, all or none, and sets the rows to what they now are,
// with keys and defaults. A nil pointer takes the field's default.
//
// Errors: those of [Store.Insert].
func (c *Collection[T]) Insert(ctx context.Context, rows ...*T) error {
	records, err := read(c.mapping, rows, true)
	if err != nil {
		return err
	}
	inserted, err := c.querier.Insert(ctx, c.resource, records...)
	if err != nil {
		return err
	}
	for i, rec := range inserted {
		if err := write(c.mapping, rows[i], rec); err != nil {
			return err
		}
	}
	return nil
}

// Update writes all fields of the rows to the records with their keys, all or
// none, and sets the rows to what the records now are.
//
// Errors: those of [Store.Update].
func (c *Collection[T]) Update(ctx context.Context, rows ...*T) error {
	records, err := read(c.mapping, rows, false)
	if err != nil {
		return err
	}
	updated, err := c.querier.Update(ctx, c.resource, records...)
	if err != nil {
		return err
	}
	byKey := make(map[Value]Record, len(updated))
	for _, rec := range updated {
		byKey[rec.Key()] = rec
	}
	for i, rec := range records {
		if err := write(c.mapping, rows[i], byKey[rec.Key()]); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes the records with those keys, all or none.
//
// Errors: those of [Store.Delete].
func (c *Collection[T]) Delete(ctx context.Context, keys ...any) error {
	values := make([]Value, len(keys))
	for i, key := range keys {
		var err error
		if values[i], err = c.resource.key.Convert(key); err != nil {
			return err
		}
	}
	return c.querier.Delete(ctx, c.resource, values...)
}
