package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Querier holds the operations on records that [Store] and [Transaction] share. Functions that work inside and
// outside of transactions take it as a parameter. The methods are described at [Store].
type Querier interface {
	Get(ctx context.Context, r *Resource, key Value) (Record, error)
	Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error)
	Select(ctx context.Context, r *Resource, q Query) (Page, error)
	Count(ctx context.Context, r *Resource, where Filter) (int, error)
	ReadsAll(ctx context.Context, r *Resource) (bool, error)
	CheckReadable(ctx context.Context, f *Field) error
	Aggregate(ctx context.Context, r *Resource, a Aggregation) ([]Group, error)
	Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error)
	Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error)
	Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error)
	Delete(ctx context.Context, r *Resource, keys ...Value) error
	NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error)
	Restore(ctx context.Context, r *Resource, keys ...Value) ([]Record, error)
	Deleted() Querier
}

var (
	_ Querier = (*Store)(nil)
	_ Querier = (*Transaction)(nil)
)

// session implements the operations of [Querier]: each in a transaction of its own, or in an open one.
type session struct {
	store   *Store
	tx      *transaction
	final   bool
	deleted bool // reads are about deleted records, see Store.Deleted
}

func (s session) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	if err := s.checkResource(r); err != nil {
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
	if err := s.checkResource(r); err != nil {
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
	if err := s.checkResource(r); err != nil {
		return Page{}, err
	}
	op := s.op(Select, r)
	at, err := q.fill(op)
	if err == nil && !at.complete() && s.tx == nil {
		return s.selectInTx(ctx, r, q)
	}
	position := &Op{Resource: r, Where: op.Where, Order: op.Order, scope: op.scope} // of the cursor: no guards
	if err == nil {
		err = s.guardRelated(ctx, op)
	}
	if err == nil && !at.complete() {
		op.After, err = s.keysetPosition(ctx, op, at)
	}
	if err != nil {
		return Page{}, err
	}
	res, err := s.send(ctx, op)
	if err != nil {
		return Page{}, err
	}
	return pageOf(position, res)
}

func (s session) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	if err := s.checkResource(r); err != nil {
		return 0, err
	}
	bound, err := r.Bind(where)
	if err != nil {
		return 0, err
	}
	op := s.op(Count, r)
	op.Where = bound
	if err := s.guardRelated(ctx, op); err != nil {
		return 0, err
	}
	res, err := s.send(ctx, op)
	return res.Count, err
}

func (s session) ReadsAll(ctx context.Context, r *Resource) (bool, error) {
	if err := s.checkResource(r); err != nil {
		return false, err
	}
	switch {
	case s.store.undeclared || s.store.backend.KeySource(r).Partial:
		return false, nil
	case !s.store.mayHide:
		return true, nil
	}
	s.final = false
	op := s.op(Visibility, r)
	op.Fields = []*Field{r.key}
	res, err := s.send(ctx, op)
	if readDenied(err) {
		return false, nil
	}
	return err == nil && res.Guard.n == nil, err
}

func (s session) CheckReadable(ctx context.Context, f *Field) error {
	if err := s.checkResource(f.resource); err != nil || !s.store.mayHide {
		return err
	}
	s.final = false
	op := s.op(Visibility, f.resource)
	op.Fields = []*Field{f}
	_, err := s.send(ctx, op)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == UnknownField && e.Field == f.apiName || err != nil && !readDenied(err) {
		return err
	}
	return nil
}

func (s session) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	if err := s.checkResource(r); err != nil {
		return nil, err
	}
	records = slices.Clone(records)
	if r.derived != nil {
		for i, rec := range records {
			err := checkRecord(r, rec)
			if err == nil {
				records[i], err = rec.WithParts()
			}
			if err != nil {
				return nil, err
			}
			for _, f := range r.derived { // policies see the fields that are set
				records[i].values[f.column] = Value{}
			}
		}
	}
	checked, err := checkInsert(ctx, r, records)
	if err != nil {
		return nil, err
	}
	op := s.op(Insert, r)
	op.Records, op.Requested = checked, records
	res, err := s.send(ctx, op)
	return checkLength(len(checked), res.Records, err)
}

func (s session) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return s.Replace(ctx, r, nil, changes...)
}

func (s session) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	if err := s.checkResource(r); err != nil {
		return nil, err
	}
	sorted, keys, err := checkUpdate(r, changes)
	if err != nil {
		return nil, err
	}
	op := s.op(Update, r)
	op.Records, op.Keys, op.Reset = sorted, keys, slices.Clone(reset)
	res, err := s.send(ctx, op)
	return checkLength(len(sorted), res.Records, positioned(err, keys, changes))
}

// positioned returns the error of an update with the violations at the positions of the caller's changes.
func positioned(err error, keys []Value, changes []Record) error {
	e, ok := err.(*Error) //nolint:errorlint // send returns no other error
	if !ok || e.Code != ValidationFailed {
		return err
	}
	moved := *e
	moved.Violations = slices.Clone(e.Violations)
	positions := make(map[Value]int, len(changes))
	for i, rec := range changes {
		positions[rec.Key()] = i
	}
	for i := range moved.Violations {
		v := &moved.Violations[i]
		if v.Record >= 0 && v.Record < len(keys) {
			v.Record = positions[keys[v.Record]]
		}
	}
	slices.SortStableFunc(moved.Violations, func(a, b Violation) int { return cmp.Compare(a.Record, b.Record) })
	return &moved
}

func (s session) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	if err := s.checkResource(r); err != nil {
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
	if err := s.checkResource(r); err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, &Error{Code: BadRequest, Message: "number of keys must not be negative"}
	}
	op := s.op(NextID, r)
	op.N = n
	res, err := s.send(ctx, op)
	return checkLength(n, res.Keys, err)
}

// checkLength rejects a result of the wrong length: a decorator may have answered the op incompletely.
func checkLength[T Record | Value](n int, results []T, err error) ([]T, error) {
	if err == nil && len(results) != n {
		return nil, &Error{Code: ServerError, Cause: fmt.Errorf("the operation returned %d records or keys instead of %d", len(results), n)}
	}
	return results, err
}

// checkResource rejects nil and resources of other models.
func (s session) checkResource(r *Resource) error {
	if r == nil || r.model != s.store.model {
		return &Error{Code: ServerError, Cause: errForeignResource}
	}
	return nil
}

func (s session) op(kind Kind, r *Resource) *Op {
	return &Op{Kind: kind, Resource: r, Final: s.final}
}

var errForeignRecord = errors.New("record belongs to another resource")

func checkKey(r *Resource, key Value) error {
	if key.typ == r.key.typ && wellFormed(key) && r.key.accepts(key) {
		return nil
	}
	return r.key.badValue(key.Any(), nil)
}

// checkKeys returns a sorted copy of the keys without duplicates.
func checkKeys(r *Resource, keys []Value) ([]Value, error) {
	for _, key := range keys {
		if err := checkKey(r, key); err != nil {
			return nil, err
		}
	}
	return SortKeys(slices.Clone(keys)), nil
}

// checkRecord rejects a record that does not fit the resource.
func checkRecord(r *Resource, rec Record) error {
	if rec.resource != r {
		return &Error{Code: ServerError, Cause: errForeignRecord}
	}
	for i, f := range r.columns {
		if v := rec.values[i]; v.IsSet() && (!f.accepts(v) || !wellFormed(v)) {
			return f.badValue(v.Any(), nil)
		}
	}
	return nil
}

// checkInsert returns the records with the model's defaults.
func checkInsert(ctx context.Context, r *Resource, records []Record) ([]Record, error) {
	checked := make([]Record, len(records))
	for i, rec := range records {
		filled, err := withDefaults(ctx, r, rec)
		if err != nil {
			return nil, err
		}
		if err := checkRecord(r, filled); err != nil {
			return nil, err
		}
		if r.derived != nil {
			filled = r.RecordOf(slices.Clone(filled.values))
		}
		if key := filled.Key(); !addressable(key) {
			return nil, r.key.badValue(key.Any(), errNoKey)
		}
		checked[i] = filled
	}
	return checked, nil
}

func withDefaults(ctx context.Context, r *Resource, rec Record) (Record, error) {
	if rec.resource != r {
		return rec, nil // checkRecord rejects it
	}
	var values []Value
	set := func(i int, v Value) {
		if values == nil {
			values = slices.Clone(rec.values)
		}
		values[i] = v
	}
	for i, f := range r.columns {
		switch {
		case f == r.key && rec.values[i].IsNull():
			set(i, Value{})
		case rec.values[i].IsAbsent() && f.spec.Default != nil:
			v, err := f.Default(ctx)
			if err != nil {
				return rec, err
			}
			set(i, v)
		}
	}
	if values == nil {
		return rec, nil
	}
	return Record{r, values}, nil
}

// checkUpdate returns the changes sorted by key, and their keys.
func checkUpdate(r *Resource, changes []Record) ([]Record, []Value, error) {
	sorted := slices.Clone(changes)
	for i, rec := range sorted {
		if err := checkRecord(r, rec); err != nil {
			return nil, nil, err
		}
		if err := checkKey(r, rec.Key()); err != nil {
			return nil, nil, err
		}
		if r.derived != nil {
			var err error
			if sorted[i], err = r.spreadPatch(rec); err != nil {
				return nil, nil, err
			}
		}
	}
	slices.SortFunc(sorted, func(a, b Record) int { return Compare(a.Key(), b.Key()) })
	keys := make([]Value, len(sorted))
	for i, rec := range sorted {
		if keys[i] = rec.Key(); i > 0 && keys[i] == keys[i-1] {
			return nil, nil, &Error{Code: BadRequest, Message: "update changes " + r.apiName + " " + keys[i].String() + " twice; merge the changes"}
		}
	}
	return sorted, keys, nil
}
