package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Violation is one reason why a record is not valid, in an [Error] of the code [ValidationFailed].
type Violation struct {
	Resource string // API name of the resource; empty in the result of [ResourceSpec.Validate]
	// Path leads to the value that breaks the rule: the API name of the field, and for the [FieldSpec.Schema] of a field
	// names of members and positions in lists as int. Package core/engine puts the way through the body before it. The
	// path is empty if the rule concerns no single field, or a hidden one.
	Path     []any
	Rule     string // such as "required", "max_length" or a name of the program's own
	Accepted string // accepted values, in words
	// Record is the position of the record among the arguments of the operation, from 0; -1 if the storage does not tell it.
	Record int
	// Keys are the keys of the records whose change breaks the rule, at most 100, if package core/engine makes one change of
	// many records; otherwise nil. The principal can read these records.
	Keys []Value

	change *stateChange // of a rejected transition
}

// stateChange is a rejected transition, whose accepted states depend on a value that the principal may be unable to read.
type stateChange struct {
	key    Value
	field  *Field
	before Value
}

// maxViolations bounds the violations that an error shows.
const maxViolations = 1000

// violationDetails returns at most 1,000 violations as JSON.
func violationDetails(violations []Violation) []any {
	details := make([]any, 0, min(len(violations), maxViolations))
	for _, v := range violations[:cap(details)] {
		path := append([]any{}, v.Path...) // a list, also without elements
		detail := map[string]any{"object_name": v.Resource, "path": path, "rule": v.Rule, "accepted": v.Accepted}
		if len(v.Keys) > 0 {
			ids := make([]any, len(v.Keys))
			for i, key := range v.Keys {
				ids[i] = key.Any()
			}
			detail["record_ids"] = ids
		}
		details = append(details, detail)
	}
	return details
}

// Violations returns the violations of the values that a record sets, by the rules for values. It checks neither
// Required, Transitions nor Validate.
func (r *Resource) Violations(rec Record) (found []Violation) {
	records := [...]Record{rec}
	for i := range r.rules.values {
		found = r.rules.values[i].check(found, records[:])
	}
	return found
}

// validate checks the records of an Insert or Update by the rules of the model. If a record breaks one, it first determines
// whether the guard of the op denies the write. With rejected it determines that in any case.
//
// Errors: [NotFound] and [Forbidden], as the backend returns them for the op; [ValidationFailed] with all violations;
// errors of a [ResourceSpec.Validate].
func (op *Op) validate(ctx context.Context, tx BackendTx, rejected bool) error {
	if op.isEmpty() || op.Kind != Insert && op.Kind != Update || !op.Resource.rules.any() {
		return nil
	}
	rules := &op.Resource.rules
	var found []Violation
	for _, column := range rules.required {
		for i := range op.Records {
			if t := op.Records[i].values[column].typ; t == typeNull || t == 0 && op.Kind == Insert {
				missing := op.Resource.columns[column].violation(ruleRequired, acceptedRequired)
				missing.Record = i
				found = append(found, missing)
			}
		}
	}
	for i := range rules.values {
		found = rules.values[i].check(found, op.Records)
	}
	if found == nil && !rejected && !op.needsBefore() && (op.Kind == Update || rules.validate == nil && len(rules.transitions) == 0) {
		return nil // most writes end here
	}
	before, err := op.beforeImages(ctx, tx)
	if err != nil {
		return err
	}
	changes, err := op.changeViolations(ctx, before)
	if err != nil {
		return err
	}
	if found = append(found, changes...); len(found) == 0 && !rejected {
		return nil
	}
	complete, err := op.withKeys(ctx, tx)
	if err != nil {
		return err
	}
	if err := complete.denies(ctx, tx.Read, before); err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return cmp.Compare(a.Record, b.Record) })
	return &Error{Code: ValidationFailed, Violations: found}
}

// withKeys returns the op with generated keys in its new records, if Check depends on the key: without one, Check would deny
// every invalid record. The keys are not used again.
func (op *Op) withKeys(ctx context.Context, tx BackendTx) (*Op, error) {
	r, complete := op.Resource, *op
	if op.Kind != Insert || !slices.Contains(op.Check.Fields(), r.key) {
		return op, nil
	}
	complete.Records = slices.Clone(op.Records)
	for i, rec := range complete.Records {
		if rec.Key().IsSet() {
			continue
		}
		keys, err := tx.NextIDs(ctx, &Op{Kind: NextID, Resource: r, N: 1, Principal: op.Principal, Tx: op.Tx, origin: op.origin, handle: op.handle})
		if err != nil {
			return nil, err
		}
		complete.Records[i] = rec.Set(r.key, keys[0])
	}
	return &complete, nil
}

// needsBefore reports whether a rule for the records of an Update concerns their before images.
func (op *Op) needsBefore() bool {
	if op.Kind != Update {
		return false
	}
	rules := &op.Resource.rules
	return rules.validate != nil || slices.ContainsFunc(rules.transitions, func(f *Field) bool {
		return slices.ContainsFunc(op.Records, func(rec Record) bool { return !rec.values[f.column].IsAbsent() })
	})
}

// beforeImages returns the records that an Update changes, in the order of its keys, and zero Records for an Insert.
//
// Errors: [NotFound] for the first key without a record that the op can change.
func (op *Op) beforeImages(ctx context.Context, tx BackendTx) ([]Record, error) {
	if op.Kind == Insert {
		return make([]Record, len(op.Records)), nil
	}
	res, err := tx.Read(ctx, &Op{
		Kind: Load, Resource: op.Resource, Keys: op.Keys, Using: op.Using, Principal: op.Principal, Tx: op.Tx, origin: op.origin, handle: op.handle,
	})
	if err != nil {
		return nil, err
	}
	for i, key := range op.Keys {
		if i >= len(res.Records) || res.Records[i].Key() != key {
			return nil, op.Resource.NotFound(key)
		}
	}
	return res.Records, nil
}

// changeViolations returns the violations of the rules that concern before and after images.
func (op *Op) changeViolations(ctx context.Context, before []Record) (found []Violation, _ error) {
	r := op.Resource
	for i, rec := range op.Records {
		n := len(found)
		for _, f := range r.rules.transitions {
			was, v := before[i].Value(f), rec.values[f.column]
			if op.Kind == Insert {
				was = Null
			}
			if !v.IsAbsent() && !f.mayFollow(was, v) {
				at := f.violation(ruleTransition, "a state that may follow the present one")
				if !f.Hidden() {
					at.change = &stateChange{before[i].Key(), f, was}
				}
				found = append(found, at)
			}
		}
		if r.rules.validate != nil {
			own, err := r.rules.validate(ctx, before[i], op.after(i, before[i]))
			if err != nil {
				return nil, err
			}
			for _, v := range own {
				found = append(found, r.ownViolation(v))
			}
		}
		for ; n < len(found); n++ {
			found[n].Record = i
		}
	}
	return found, nil
}

// ownViolation returns a violation of [ResourceSpec.Validate] with the API name of its field. If the field is hidden, the
// violation names neither the field nor the rule.
func (r *Resource) ownViolation(v Violation) Violation {
	v.Resource, v.change = r.apiName, nil
	if len(v.Path) == 0 {
		return v
	}
	name, _ := v.Path[0].(string)
	f := r.byName[name]
	switch {
	case f == nil:
		return v
	case f.Hidden():
		return f.violation(v.Rule, v.Accepted)
	}
	v.Path = slices.Clone(v.Path)
	v.Path[0] = f.apiName
	return v
}

// after returns the after image of the record at the position i of an Insert or Update.
func (op *Op) after(i int, before Record) Record {
	if op.Kind == Insert {
		return op.Records[i]
	}
	return op.AfterImage(i, before)
}

// denies returns [Forbidden] if an after image does not match Check. Values that the backend would add to a new record count
// as null.
func (op *Op) denies(ctx context.Context, read readFunc, before []Record) error {
	if op.Check.n == nil {
		return nil
	}
	related := op.relatedReader(ctx, read)
	for i := range op.Records {
		values := slices.Clone(op.after(i, before[i]).values)
		for j, v := range values {
			if v.IsAbsent() {
				values[j] = Null
			}
		}
		is, err := op.Check.Match(Record{op.Resource, values}, related)
		if err != nil {
			return err
		}
		if !is {
			return op.Resource.Forbidden()
		}
	}
	return nil
}

// denyFirst returns [Forbidden] instead of [AlreadyExists] for an Insert that Check denies, because a backend may find a taken
// key before it evaluates Check. The conflict would tell the principal of a record that it may neither see nor create. A Check
// with conditions on related records is decided by [Store.deniesTaken].
func (op *Op) denyFirst(ctx context.Context, tx BackendTx, err error) error {
	if op.Kind != Insert || op.Check.n == nil || op.Check.Crosses() || !errors.Is(err, AlreadyExists) {
		return err
	}
	return cmp.Or(op.denies(ctx, tx.Read, make([]Record, len(op.Records))), err)
}

// readFunc runs an op that reads, past the chain.
type readFunc func(ctx context.Context, op *Op) (Result, error)

// relatedReader returns a reader of the records that are related to an after image before the op has written it.
func (op *Op) relatedReader(ctx context.Context, read readFunc) RelatedReader {
	return func(rec Record, to Relation, where Filter) (Record, error) {
		target := to.Target()
		var link Filter
		switch {
		case to.Reverse && to.Stored.Many():
			link = All() // the loop below decides
		case to.Reverse:
			link = to.Stored.Equals(rec.Key())
		case to.Stored.Many():
			keys, err := to.Stored.Elements(rec.At(to.Stored.column))
			if err != nil {
				return Record{}, err
			}
			link = target.key.Compare(FilterIn, keys...)
		default:
			link = target.key.Equals(rec.At(to.Stored.column))
		}
		if link.Kind() == FilterNone {
			return Record{}, nil
		}
		res, err := read(ctx, &Op{
			Kind: Select, Resource: target, Where: And(link, where), Order: target.keyOrder, origin: op.origin, handle: op.handle, Tx: op.Tx,
			Principal: op.Principal,
		})
		if err != nil {
			return Record{}, err
		}
		for _, related := range res.Records {
			if to.Joins(rec, related) {
				return related, nil
			}
		}
		return Record{}, nil
	}
}

// nameStates completes the error of a rejected transition: it names the accepted states of a record to a principal that can
// read the present one, which a Load through the whole chain decides.
func (s *Store) nameStates(ctx context.Context, op *Op, err error) error {
	e, ok := err.(*Error) //nolint:errorlint // made by validate
	if !ok || e.Code != ValidationFailed {
		return err
	}
	named := *e
	named.Violations = slices.Clone(e.Violations)
	for _, f := range op.Resource.rules.transitions {
		var keys []Value
		for _, v := range e.Violations {
			if v.change != nil && v.change.field == f && v.change.key.IsSet() {
				keys = append(keys, v.change.key)
			}
		}
		readable := s.readable(ctx, op, f, SortKeys(keys))
		for i := range named.Violations {
			v := &named.Violations[i]
			if c := v.change; c != nil && c.field == f && (op.Kind == Insert || readable == nil || readable[c.key] == c.before) {
				v.Accepted, v.change = listed(f.rules.transitions[c.before]), nil
			}
		}
	}
	return &named
}

// readable returns the values of the field that the principal can read, by key; nil if nothing can hide them.
func (s *Store) readable(ctx context.Context, op *Op, f *Field, keys []Value) map[Value]Value {
	if op.Principal.IsSystem() || !s.description.MayHide() {
		return nil
	}
	values := make(map[Value]Value, len(keys))
	if len(keys) == 0 {
		return values
	}
	load := Op{Kind: Load, Resource: op.Resource, Keys: keys, Fields: []*Field{op.Resource.key, f}, Principal: op.Principal, origin: s}
	res, err := s.readAfterFailure(ctx, op, load)
	if err != nil {
		return values
	}
	for _, rec := range res.Records {
		values[rec.Key()] = rec.Value(f)
	}
	return values
}
