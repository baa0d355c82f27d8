package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// CountersName is the name of the resource in [Model.Stored] that holds the counters of numbered fields, and of its
// table in a database.
const CountersName = "larder_number"

// addCounters declares the resource of the counters if the model has numbered fields. Its records have the name of the
// field with the value of the group as key, and the last number.
func (b *builder) addCounters() {
	m := b.model
	numbered := func(r *Resource) bool { return len(r.numbers) > 0 }
	m.stored = m.resources
	switch {
	case !slices.ContainsFunc(m.resources, numbered):
		return
	case m.byName[CountersName] != nil:
		b.failf("resource %q: the name belongs to the counters of numbered fields; choose another", CountersName)
		return
	}
	m.counters = b.addPrivate(CountersName, FieldSpec{Name: "id", Type: Text, Key: true}, FieldSpec{Name: "last", Type: Int})
}

// addPrivate adds a resource that only backends meet.
func (b *builder) addPrivate(name string, fields ...FieldSpec) *Resource {
	m := b.model
	r := &Resource{
		model: m, index: len(m.stored), name: name, apiName: name,
		byName: make(map[string]*Field), byAPIName: make(map[string]*Field),
	}
	b.addFields(r, fields)
	for i, f := range r.fields {
		f.column = i
	}
	r.columns, r.keyOrder = r.fields, []Order{{Field: r.key}}
	m.stored = append(slices.Clone(m.stored), r)
	return r
}

// PrivateName reports whether the name is [CountersName] or [AnswersName]. A backend that shows or imports its content
// leaves out these resources: their records mean nothing to people.
func PrivateName(name string) bool { return name == CountersName || name == AnswersName }

// linkNumber sets the group of a numbered field.
func (b *builder) linkNumber(f *Field) {
	s := f.spec
	if s.NumberedBy == "" {
		return
	}
	group := f.resource.byName[s.NumberedBy]
	switch {
	case s.Type != Int || !f.Stored() || s.Key || s.Default != nil || s.Unique || s.Unordered:
		b.failField(f, "only a stored int can have NumberedBy, without Key, Default, Unique and Unordered")
	case group == nil || group == f || !group.Stored() || !group.indexed && !group.spec.Key:
		b.failField(f, "NumberedBy %q must be a stored to-one relation or an Indexed field of the resource", s.NumberedBy)
	default:
		f.group = group
		f.resource.numbers = append(f.resource.numbers, f)
	}
}

// numbering is the change of one counter by an operation: the group gets a record with the number atLeast, and the
// records at the positions get the next numbers.
type numbering struct {
	field     *Field
	group     Value
	atLeast   int64
	positions []int
}

// numberings are the changes of counters by an operation, by the key of the counter.
type numberings map[Value]*numbering

// counterKey returns the key of the counter. It is also the name of its lock.
func counterKey(field string, r *Resource, group Value) Value {
	return TextValue(string(group.AppendJSON([]byte(r.name + "." + field + " "))))
}

// of returns the numbering of the group that the record belongs to.
func (n numberings) of(f *Field, rec Record) *numbering {
	group := groupOf(f, rec)
	key := counterKey(f.name, f.resource, group)
	if n[key] == nil {
		n[key] = &numbering{field: f, group: group}
	}
	return n[key]
}

// raise makes the counter continue after the number of the record.
func (n numberings) raise(f *Field, rec Record) {
	c := n.of(f, rec)
	c.atLeast = max(c.atLeast, rec.At(f.column).Int())
}

// countingConflict is a conflict of a transaction that has used counters. Another attempt takes their locks before its
// snapshot.
type countingConflict struct {
	error

	locks []string
}

func (e *countingConflict) Unwrap() error { return e.error }

// withLocks adds the locks of counters to a conflict.
func withLocks(err error, locks []string) error {
	if len(locks) == 0 || !errors.Is(err, ErrConflict) {
		return err
	}
	return &countingConflict{err, locks}
}

// missingLocks returns the locks that another attempt should take.
func missingLocks(err error) []string {
	if conflict, ok := errors.AsType[*countingConflict](err); ok {
		return conflict.locks
	}
	return nil
}

// insertNumbered performs an Insert into a resource with numbered fields: records without a number get the next one of
// their group.
func insertNumbered(ctx context.Context, tx BackendTx, op *Op) ([]Record, error) {
	all := make(numberings)
	for i, rec := range op.Records {
		for _, f := range op.Resource.numbers {
			if rec.At(f.column).IsSet() {
				all.raise(f, rec)
				continue
			}
			c := all.of(f, rec)
			c.positions = append(c.positions, i)
		}
	}
	records := slices.Clone(op.Records)
	err := all.count(ctx, tx, op, func(c *numbering, last int64) {
		for _, i := range c.positions {
			last++
			records[i] = records[i].With(c.field.column, IntValue(last))
		}
	})
	if err != nil {
		return nil, err
	}
	op.Records = records
	uncommitted := *op
	uncommitted.Final = false // a commit together with the statement would come before the check of the groups
	inserted, err := tx.Insert(ctx, &uncommitted)
	if err != nil {
		return nil, err
	}
	for i, rec := range inserted {
		for _, f := range op.Resource.numbers {
			if groupOf(f, rec) != groupOf(f, records[i]) {
				return nil, &Error{Code: ServerError, Cause: fmt.Errorf("%s numbers %s, which the backend has changed in an insert; remove its default and triggers", f, f.group)}
			}
		}
	}
	return inserted, nil
}

// groupOf returns the value of the group of a record; null for an absent value.
func groupOf(f *Field, rec Record) Value {
	if v := rec.At(f.group.column); v.IsSet() {
		return v
	}
	return Null
}

// updateNumbered performs an Update that may move records with a number to another group, or change numbers. The counter
// of the new group continues after the number.
func updateNumbered(ctx context.Context, tx BackendTx, op *Op) ([]Record, error) {
	r := op.Resource
	before, err := tx.Read(ctx, &Op{Kind: Load, Resource: r, Keys: op.Keys, origin: op.origin})
	if err != nil {
		return nil, err
	}
	old := make(map[Value]Record, len(before.Records))
	for _, rec := range before.Records {
		old[rec.Key()] = rec
	}
	update := *op
	update.Final = false // the counters follow
	updated, err := tx.Update(ctx, &update)
	if err != nil {
		return nil, err
	}
	all := make(numberings)
	for _, rec := range updated {
		for _, f := range r.numbers {
			was := old[rec.Key()]
			if rec.At(f.column).IsSet() && (was.Value(f) != rec.Value(f) || was.Value(f.group) != rec.Value(f.group)) {
				all.raise(f, rec)
			}
		}
	}
	return updated, all.count(ctx, tx, op, nil)
}

// setsNumbers reports whether the records of an Update name a numbered field, or the group of one or a part of that.
func (op *Op) setsNumbers() bool {
	return slices.ContainsFunc(op.Resource.numbers, func(f *Field) bool {
		return slices.ContainsFunc(op.Records, func(rec Record) bool {
			named := func(f *Field) bool { return !rec.At(f.column).IsAbsent() }
			return named(f) || named(f.group) || slices.ContainsFunc(f.group.parts, named)
		})
	})
}

// count locks, reads and changes the counters. It calls assign with each counter and the number that precedes the
// numbers of its positions.
func (n numberings) count(ctx context.Context, tx BackendTx, op *Op, assign func(c *numbering, last int64)) error {
	if len(n) == 0 {
		return nil
	}
	keys := make([]Value, 0, len(n))
	for key := range n {
		keys = append(keys, key)
	}
	SortKeys(keys)
	op.counted = make([]string, len(keys))
	for i, key := range keys {
		op.counted[i] = key.Text()
	}
	if err := tx.Lock(ctx, op.counted); err != nil {
		return err
	}
	counters := op.Resource.model.counters
	found, err := tx.Read(ctx, &Op{Kind: Load, Resource: counters, Keys: keys, origin: op.origin})
	if err != nil {
		return err
	}
	var inserts, updates []Record
	var updated []Value
	for _, key := range keys {
		c := n[key]
		at := slices.IndexFunc(found.Records, func(rec Record) bool { return rec.Key() == key })
		var before int64
		if at >= 0 {
			before = found.Records[at].At(1).Int()
		} else if before, err = c.highest(ctx, tx, op); err != nil {
			return err
		}
		last := max(before, c.atLeast)
		if int64(len(c.positions)) > math.MaxInt64-last {
			return &Error{Code: ServerError, Cause: fmt.Errorf("%s: no numbers are left below the largest 64-bit integer", key.Text())}
		}
		if assign != nil {
			assign(c, last)
		}
		last += int64(len(c.positions))
		rec := counters.RecordOf([]Value{key, IntValue(last)})
		switch {
		case at < 0:
			inserts = append(inserts, rec)
		case last > before:
			updates, updated = append(updates, rec), append(updated, key)
		}
	}
	if len(updates) > 0 {
		if _, err := tx.Update(ctx, &Op{Kind: Update, Resource: counters, Keys: updated, Records: updates, origin: op.origin}); err != nil {
			return err
		}
	}
	if len(inserts) == 0 {
		return nil
	}
	_, err = tx.Insert(ctx, &Op{Kind: Insert, Resource: counters, Records: inserts, origin: op.origin})
	if errors.Is(err, AlreadyExists) { // inserted after the snapshot
		err = fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return err
}

// highest returns the highest number of the records of a group without a counter. The counter of a renamed field
// continues.
func (c *numbering) highest(ctx context.Context, tx BackendTx, op *Op) (int64, error) {
	f := c.field
	var last int64
	if f.spec.Was != "" {
		key := counterKey(f.spec.Was, f.resource, c.group)
		res, err := tx.Read(ctx, &Op{Kind: Load, Resource: f.resource.model.counters, Keys: []Value{key}, origin: op.origin})
		if err != nil {
			return 0, err
		}
		for _, rec := range res.Records {
			last = rec.At(1).Int()
		}
	}
	res, err := tx.Read(ctx, &Op{
		Kind: Select, Resource: f.resource, Limit: 1, origin: op.origin,
		Where: And(f.group.Compare(FilterEq, c.group), f.Compare(FilterGt, IntValue(last))),
		Order: []Order{{Field: f, Desc: true}, {Field: f.resource.key}},
	})
	for _, rec := range res.Records {
		last = rec.At(f.column).Int()
	}
	return last, err
}
