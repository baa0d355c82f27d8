package core

import (
	"context"
	"fmt"
	"slices"
)

// Session is the operations on records, which [Store] and [Transaction] share.
// Every method sends one [Op] through the chain of decorators; all arguments
// are checked and converted before. Resources must be of the store's model.
//
// An operation on nothing, such as a Load without keys, passes the chain too, so
// that policies answer it; outside a transaction it asks the backend with a Ping.
//
// All methods return an [*Error]. Besides the codes that they name: those that
// decorators add, of the usual ones [Unauthorized], [Forbidden] and [ReadOnly];
// [Unavailable], when the backend is out of reach, a conflict outlasts its
// retries (errors.Is finds [ErrConflict]) or the context ended (errors.Is finds
// its error); [ServerError] for everything else.
type Session struct {
	store *Store
	tx    *transaction
	final bool
}

// Get returns the record with that key.
//
// Errors: [NotFound], [BadFieldValue] for a key of the wrong type.
func (s Session) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	if err := s.owns(r); err != nil {
		return Record{}, err
	}
	if err := checkKey(r, key); err != nil {
		return Record{}, err
	}
	op := s.op(Load, r)
	op.key[0] = key
	op.Keys = op.key[:1]
	res, err := s.send(ctx, op)
	if err != nil {
		return Record{}, err
	}
	if len(res.Records) == 0 {
		return Record{}, &Error{Code: NotFound, Resource: r.external, Key: key}
	}
	return res.Records[0], nil
}

// Load returns the records with those keys that are there, ascending by key and
// each once. With names of fields, others may be absent from the records, but
// for the key.
//
// Errors: [BadFieldValue] for a key of the wrong type, [UnknownField].
func (s Session) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
	if err := s.owns(r); err != nil {
		return nil, err
	}
	sorted, err := checkKeys(r, keys)
	if err != nil {
		return nil, err
	}
	var projection []*Field
	if len(fields) > 0 {
		if projection, err = r.projection(fields, nil); err != nil {
			return nil, err
		}
	}
	op := s.op(Load, r)
	op.Keys, op.Fields = sorted, projection
	res, err := s.send(ctx, op)
	return res.Records, err
}

// Select returns the records that the query asks for.
//
// Errors: [UnknownField], [SearchForbidden] and [BadFieldValue] for what the
// query names, [BadParam] for its limit and cursor.
func (s Session) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
	if err := s.owns(r); err != nil {
		return Page{}, err
	}
	op := s.op(Select, r)
	at, err := q.fill(op)
	if err == nil && !at.whole() {
		if s.tx == nil {
			return s.selectInTx(ctx, r, q)
		}
		op.After, err = s.findMark(ctx, op, at)
	}
	if err != nil {
		return Page{}, err
	}
	position := Op{Resource: r, Where: op.Where, Order: op.Order, scope: op.scope}
	res, err := s.send(ctx, op)
	if err != nil {
		return Page{}, err
	}
	return pageOf(&position, res)
}

// Count returns how many records fulfil the filter.
//
// Errors: those of [Resource.Bind].
func (s Session) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	if err := s.owns(r); err != nil {
		return 0, err
	}
	bound, err := r.Bind(where)
	if err != nil {
		return 0, err
	}
	op := s.op(Count, r)
	op.Where = bound
	res, err := s.send(ctx, op)
	return res.Count, err
}

// Insert adds the records, all or none, and returns them as they now are, in
// the same order: with keys, defaults and whatever else the backend adds. A
// record without a key gets the next one; a key that is given is kept.
//
// Errors: [BadRequest] for a record without a key where nothing generates one; [AlreadyExists] for a key or unique value that is taken, [NotFound]
// for a to-one relation whose target is not there, [BadFieldValue].
func (s Session) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	if err := s.owns(r); err != nil {
		return nil, err
	}
	checked, err := checkInsert(r, records)
	if err != nil {
		return nil, err
	}
	op := s.op(Insert, r)
	op.Records, op.Requested = checked, slices.Clone(records)
	res, err := s.send(ctx, op)
	return eachOf(len(checked), res.Records, err)
}

// Update changes records, all or none. Each of those given holds a key and the
// columns to change, the others absent. It returns the records as they now
// are, ascending by key.
//
// Errors: [NotFound] for a key that is not there and for a to-one relation
// whose target is not, [AlreadyExists] for a unique value that is taken,
// [BadFieldValue], [BadRequest] for two changes to one record.
func (s Session) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return s.Replace(ctx, r, nil, changes...)
}

// Replace is [Session.Update] for a replacement of whole records: null in one of the
// fields of reset stands for a field that the caller does not name. A backend with a
// constant default of its own writes that, one whose default is an expression such as
// now() keeps the stored value, and all others write null.
//
// Errors: those of Update.
func (s Session) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	if err := s.owns(r); err != nil {
		return nil, err
	}
	sorted, keys, err := checkUpdate(r, changes)
	if err != nil {
		return nil, err
	}
	op := s.op(Update, r)
	op.Records, op.Keys, op.Reset = sorted, keys, slices.Clone(reset)
	res, err := s.send(ctx, op)
	return eachOf(len(sorted), res.Records, err)
}

// Delete removes the records with those keys, all or none. It does not touch
// records that point at them: the transaction cannot commit while there are any.
//
// Errors: [NotFound], [FieldUpdateForbidden] for a record that others point at,
// [BadFieldValue] for a key of the wrong type.
func (s Session) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	if err := s.owns(r); err != nil {
		return err
	}
	sorted, err := checkKeys(r, keys)
	if err != nil {
		return err
	}
	op := s.op(Delete, r)
	op.Keys = sorted
	_, err = s.send(ctx, op)
	return err
}

// NextIDs hands out n keys that no record of the resource has, had or was
// promised.
//
// Errors: [BadRequest] for a negative n and for a resource whose keys nothing
// generates, see [Store.KeySource].
func (s Session) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	if err := s.owns(r); err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, &Error{Code: BadRequest, Message: "a number of ids cannot be negative"}
	}
	op := s.op(NextID, r)
	op.N = n
	res, err := s.send(ctx, op)
	records, err := eachOf(n, res.Records, err)
	if err != nil {
		return nil, err
	}
	keys := make([]Value, n)
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	return keys, nil
}

// eachOf makes sure that there is one record for each of n that were asked for, on
// which callers rely: an answer in the backend's place may have forgotten them.
func eachOf(n int, records []Record, err error) ([]Record, error) {
	if err == nil && len(records) != n {
		return nil, &Error{Code: ServerError, Cause: fmt.Errorf("%d records came back for %d", len(records), n)}
	}
	return records, err
}

// owns refuses resources of other models, and the nil that [Model.Resource]
// returns for a name that it does not know.
func (s Session) owns(r *Resource) error {
	if r == nil || r.model != s.store.model {
		return &Error{Code: ServerError, Cause: errForeignResource}
	}
	return nil
}

func (s Session) op(kind Kind, r *Resource) *Op {
	return &Op{Kind: kind, Resource: r, Final: s.final}
}
