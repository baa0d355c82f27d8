package core

import (
	"context"
	"fmt"
	"slices"
)

// session sends operations through the chain: in a transaction of their own each, or in an open one. Its methods are the
// operations of [Querier], described at [Store].
type session struct {
	store *Store
	tx    *transaction
	final bool
}

func (s session) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
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
		return Record{}, &Error{Code: NotFound, Resource: r.apiName, Key: key}
	}
	return res.Records[0], nil
}

func (s session) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
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

func (s session) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
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

func (s session) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
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

func (s session) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
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

func (s session) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return s.Replace(ctx, r, nil, changes...)
}

func (s session) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
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

func (s session) Delete(ctx context.Context, r *Resource, keys ...Value) error {
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

func (s session) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	if err := s.owns(r); err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, &Error{Code: BadRequest, Message: "a number of ids cannot be negative"}
	}
	op := s.op(NextID, r)
	op.N = n
	res, err := s.send(ctx, op)
	return eachOf(n, res.Keys, err)
}

// eachOf makes sure that there is one record for each of n that were asked for, on
// which callers rely: an answer in the backend's place may have forgotten them.
func eachOf[T Record | Value](n int, results []T, err error) ([]T, error) {
	if err == nil && len(results) != n {
		return nil, &Error{Code: ServerError, Cause: fmt.Errorf("the operation returned %d records or keys instead of %d", len(results), n)}
	}
	return results, err
}

// owns refuses resources of other models, and the nil that [Model.Resource]
// returns for a name that it does not know.
func (s session) owns(r *Resource) error {
	if r == nil || r.model != s.store.model {
		return &Error{Code: ServerError, Cause: errForeignResource}
	}
	return nil
}

func (s session) op(kind Kind, r *Resource) *Op {
	return &Op{Kind: kind, Resource: r, Final: s.final}
}
