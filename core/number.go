package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
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
	records, err := withNumbers(ctx, tx, op, make([]Record, len(op.Records)))
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

// updateNumbered performs an Update that may move records with a number to another group, or change numbers. A record whose
// number it sets to null gets the next number of its group. The counter of the new group continues after a number that a record
// keeps or that the Update sets.
func updateNumbered(ctx context.Context, tx BackendTx, op *Op) ([]Record, error) {
	before, err := op.beforeImages(ctx, tx)
	if err != nil {
		return nil, err
	}
	update := *op
	update.Final = false // the counters follow
	if update.Records, err = withNumbers(ctx, tx, op, before); err != nil {
		return nil, err
	}
	updated, err := tx.Update(ctx, &update)
	if err != nil {
		return nil, err
	}
	all := make(numberings)
	for i, rec := range updated {
		for _, f := range op.Resource.numbers {
			was, asked := before[i], op.Records[i].At(f.column)
			if !asked.IsNull() && rec.At(f.column).IsSet() && (was.Value(f) != rec.Value(f) || was.Value(f.group) != rec.Value(f.group)) {
				all.raise(f, rec)
			}
		}
	}
	return updated, all.count(ctx, tx, op, nil)
}

// withNumbers returns the records of the op with the next numbers of their groups, for new records without a number and for
// numbers that an Update sets to null.
func withNumbers(ctx context.Context, tx BackendTx, op *Op, before []Record) ([]Record, error) {
	all := make(numberings)
	for i, rec := range op.Records {
		for _, f := range op.Resource.numbers {
			switch number := rec.At(f.column); {
			case number.IsNull(), number.IsAbsent() && op.Kind == Insert:
				c := all.of(f, before[i].Merge(rec))
				c.positions = append(c.positions, i)
			case op.Kind == Insert:
				all.raise(f, rec)
			}
		}
	}
	records := slices.Clone(op.Records)
	return records, all.count(ctx, tx, op, func(c *numbering, last int64) {
		for _, i := range c.positions {
			last++
			records[i] = records[i].With(c.field.column, IntValue(last))
		}
	})
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
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Text()
	}
	op.counted = union(op.counted, names)
	if err := tx.Lock(ctx, names); err != nil {
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

// AnswersName is the name of the private resource for remembered answers, and of its table in a database. A model that
// declares a resource with this name and nothing else remembers answers, see [Transaction.Remember]:
//
//	core.ResourceSpec{Name: core.AnswersName}
//
// The resource is no part of [Model.Resources]: no decorator, engine or client meets it.
const AnswersName = "larder_answer"

// declaresAnswers reports whether the spec is the declaration of remembered answers.
func declaresAnswers(spec ResourceSpec) bool {
	return spec.Name == AnswersName && len(spec.Fields) == 0
}

// withoutAnswers returns the declared resources without that of remembered answers, and the number of its declarations.
func withoutAnswers(specs []ResourceSpec) (others []ResourceSpec, declared int) {
	others = slices.DeleteFunc(slices.Clone(specs), declaresAnswers)
	return others, len(specs) - len(others)
}

// addAnswers adds the resource of remembered answers if it is declared.
func (b *builder) addAnswers(declared int) {
	switch {
	case declared == 0:
		return
	case declared > 1 || b.model.byName[AnswersName] != nil:
		b.failf("resource %q: declared twice", AnswersName)
		return
	}
	b.model.answers = b.addPrivate(AnswersName,
		FieldSpec{Name: "id", Type: Text, Key: true}, FieldSpec{Name: "answer", Type: Text},
		FieldSpec{Name: "expires", Type: Time, Indexed: true})
}

// Causes of errors of remembered answers.
var (
	errForgetful = errors.New("the model remembers no answers; declare core.ResourceSpec{Name: core.AnswersName}")
	errNoOwner   = errors.New("a remembered answer needs a principal with an ID")
)

// Recall returns the answer that [Transaction.Remember] has stored for the principal of the context under the key; found is
// false if there is none, or if it has expired. Call it as the first operation of the transaction: it locks the key until
// the transaction ends, so that transactions with one key and principal run one after another, also in several processes.
// No decorator sees it. The answer of another principal is out of reach.
//
// An answer that is found is written again, unless the transaction is read-only: the commit that stored it may be one of unknown
// outcome, which a backend that replicates commits can still lose. If this transaction commits, the first one is kept too.
//
// Errors: [ServerError] for a model without [AnswersName], and for a principal without an ID; those of [Store].
func (t *Transaction) Recall(ctx context.Context, key string) (answer string, found bool, err error) {
	s := t.session
	id, err := s.answerID(ctx, key)
	if err != nil {
		return "", false, err
	}
	if err := s.tx.lock(ctx, AnswersName+" "+id.Text()); err != nil {
		return "", false, wrap(err)
	}
	res, err := s.tx.run(ctx, s.answerOp(Load, id))
	if err != nil || len(res.Records) == 0 {
		return "", false, wrap(err)
	}
	rec := res.Records[0]
	found = rec.At(2).Time().After(time.Now())
	switch {
	case s.tx.info.ReadOnly:
	case found: // a transaction without a write would not wait for replicas when it commits
		op := s.answerOp(Update, id)
		op.Records = res.Records
		_, err = s.tx.run(ctx, op)
	default: // makes room for the next answer
		_, err = s.tx.run(ctx, s.answerOp(Delete, id))
	}
	if err != nil || !found {
		return "", false, wrap(err)
	}
	return rec.At(1).Text(), true, nil
}

// Remember stores an answer for the principal of the context under the key, until it expires. It follows a
// [Transaction.Recall] that has found nothing. The answer is stored if the transaction commits, and only then. No decorator
// sees it, and no other principal can recall it. [Store.Forget] deletes expired answers.
//
// Errors: [ServerError] for a model without [AnswersName], and for a principal without an ID; [ReadOnly] in a read-only
// transaction; those of [Store].
func (t *Transaction) Remember(ctx context.Context, key, answer string, expires time.Time) error {
	s := t.session
	id, err := s.answerID(ctx, key)
	if err != nil {
		return err
	}
	if s.tx.info.ReadOnly {
		return &Error{Code: ReadOnly}
	}
	at, err := Time.Convert(expires)
	if err != nil {
		return &Error{Code: ServerError, Cause: err}
	}
	op := s.answerOp(Insert)
	op.Records = []Record{op.Resource.RecordOf([]Value{id, TextValue(answer), at})}
	_, err = s.tx.run(ctx, op)
	if errors.Is(err, AlreadyExists) { // inserted after the snapshot
		err = fmt.Errorf("%w: both remember an answer under one key", ErrConflict)
	}
	return wrap(err)
}

// Forget deletes at most limit expired answers of all principals, see [Transaction.Remember], and returns their number. It is
// a short transaction of its own, and fails with [ErrConflict] instead of disturbing others for long. Expired answers cost
// only space, so it is enough to call it now and then. It needs no principal, and does nothing without [AnswersName].
//
// Errors: those of [Store].
func (s *Store) Forget(ctx context.Context, limit int) (deleted int, err error) {
	r := s.model.answers
	if r == nil || limit <= 0 {
		return 0, nil
	}
	now, err := Time.Convert(time.Now())
	if err != nil {
		return 0, &Error{Code: ServerError, Cause: err}
	}
	err = s.TxWith(System(ctx), TxOptions{Attempts: 1}, func(ctx context.Context, tx *Transaction) error {
		if tx.session.tx.info.ReadOnly {
			return &Error{Code: ReadOnly}
		}
		find := tx.session.answerOp(Select)
		expires := r.fields[2]
		find.Where, find.Order, find.Limit = expires.Compare(FilterLe, now), []Order{{Field: expires}, {Field: r.key}}, limit
		found, err := tx.session.tx.run(ctx, find)
		if err != nil || len(found.Records) == 0 {
			return err
		}
		keys := make([]Value, len(found.Records))
		for i, rec := range found.Records {
			keys[i] = rec.Key()
		}
		deleted = len(keys)
		_, err = tx.session.tx.run(ctx, tx.session.answerOp(Delete, SortKeys(keys)...))
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// answerID returns the key of the record for an answer of the principal: a hash, which has one length for keys of all
// lengths, and which the key of another principal cannot have.
func (s session) answerID(ctx context.Context, key string) (Value, error) {
	p := PrincipalOf(ctx)
	switch {
	case s.store.model.answers == nil:
		return Value{}, &Error{Code: ServerError, Cause: errForgetful}
	case p == nil || !p.ID.IsSet(): // the program itself has no ID either
		return Value{}, &Error{Code: ServerError, Cause: errNoOwner}
	}
	owner := p.ID.AppendJSON(nil) // ends before the key: it is one JSON value
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", p.ID.Type(), owner, key))
	return TextValue(hex.EncodeToString(sum[:])), nil
}

// answerOp returns an op on remembered answers for [transaction.run].
func (s session) answerOp(kind Kind, keys ...Value) *Op {
	return &Op{Kind: kind, Resource: s.store.model.answers, Keys: keys, origin: s.store, handle: s.tx, Tx: s.tx.info}
}
