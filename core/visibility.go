package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A condition or an order of a caller on related records concerns only the related records that exist for the caller's principal,
// and a search of a caller looks into a field only of the records in which the principal may read the field. The store asks the
// chain for their condition by an op of kind [Visibility], once for each resource and set of fields, and keeps it beside the
// caller's condition as [Filter.Guard]. Conditions of policies see all records except the ones that an effect hides from every
// principal.

// guardRelated determines the guards of the caller's condition and order.
func (s session) guardRelated(ctx context.Context, op *Op) error {
	if !op.Where.needsGuards() && !op.OrderCrosses() {
		return nil
	}
	if s.store.unaware != "" {
		return op.refuseRelated(s.store.unaware)
	}
	ask := func(asked *Op) (Result, error) {
		asked.Final = false
		s.final = false
		return s.send(ctx, asked)
	}
	if !s.store.mayHide {
		ask = nil
	}
	err := guards{ask: ask, caller: true, deleted: s.deleted, intact: s.tx == nil || s.tx.info.ReadOnly}.op(op, &op.Where)
	if readDenied(err) {
		err = cmp.Or(s.ownDenial(ctx, op), err)
	}
	return err
}

// ownDenial returns the error of a policy that denies to read the resource of the op itself, or a field that its condition
// names. It takes precedence over the denial of a related resource.
func (s session) ownDenial(ctx context.Context, op *Op) error {
	probe := s.op(Select, op.Resource)
	probe.Order, probe.Fields, probe.Limit, probe.Final = op.Resource.keyOrder, []*Field{op.Resource.key}, 1, false
	for _, f := range op.Where.Fields() {
		if !f.Many() {
			probe.Where = And(probe.Where, f.Compare(FilterEq, Null))
		}
	}
	_, err := s.send(ctx, probe)
	return err
}

// refuseRelated returns the error for a caller's condition or order that crosses a relation although a decorator of the
// stack does not know such conditions.
func (op *Op) refuseRelated(decorator string) error {
	f := firstGuarded(op.Where)
	for _, o := range op.Order {
		if f == nil && o.Path != nil {
			f = (&related{relation: o.Path[0].Relation}).field()
		}
	}
	return &Error{
		Code: SearchForbidden, Resource: op.Resource.apiName, Field: f.apiName,
		Cause: fmt.Errorf("core: the decorator %q does not declare KnowsRelated", decorator),
	}
}

// needsGuards reports whether the filter has a part with guards: a condition on related records, or a search.
func (f Filter) needsGuards() bool { return f.n != nil && (f.n.crosses || f.n.looks) }

// firstGuarded returns the field of the first part of the filter that has guards.
func firstGuarded(f Filter) *Field {
	switch {
	case !f.needsGuards():
		return nil
	case f.n.related != nil:
		return f.n.related.field()
	case f.n.search != nil:
		return f.n.search.in[0].Field
	}
	for _, part := range f.n.parts {
		if found := firstGuarded(part); found != nil {
			return found
		}
	}
	return nil
}

// addExistence determines the guards that no caller's condition has: the conditions of policies and of decorators' own
// ops. They narrow to the records that exist for the program itself.
func (s *Store) addExistence(ctx context.Context, op *Op) error {
	if !s.effects || !op.Crosses() {
		return nil
	}
	program := system
	if op.Principal.SeesDeleted() {
		program = op.Principal
	}
	g := guards{intact: op.handle == nil || op.Tx.ReadOnly, ask: func(asked *Op) (Result, error) {
		asked.Principal, asked.origin, asked.handle, asked.Tx = program, s, op.handle, op.Tx
		return s.handler(WithPrincipal(ctx, program), asked)
	}}
	op.Conditions = slices.Clone(op.Conditions)
	filters := []*Filter{&op.Where, &op.Using, &op.Check}
	for i := range op.Conditions {
		filters = append(filters, &op.Conditions[i])
	}
	return g.op(op, filters...)
}

// guards determines the guards of one op.
type guards struct {
	ask     func(op *Op) (Result, error) // sends a Visibility; nil if nothing can hide records
	found   map[string]Filter            // by resource and fields
	caller  bool                         // the filters are a caller's: its searches look into readable fields only
	deleted bool                         // the filters are about deleted records, see Op.Deleted; related ones are never
	intact  bool                         // every reference has its target: the transaction has written nothing before
}

func (g guards) op(op *Op, filters ...*Filter) (err error) {
	g.found = make(map[string]Filter)
	for _, f := range filters {
		guarded, err := g.filter(*f)
		if err != nil {
			return err
		}
		*f = guarded
	}
	if !op.OrderCrosses() {
		return nil
	}
	order := slices.Clone(op.Order)
	for i := range order {
		if order[i].Path, err = g.path(order[i]); err != nil {
			return err
		}
	}
	op.Order = order
	return nil
}

// filter returns the filter with guards in all parts that have none.
func (g guards) filter(f Filter) (_ Filter, err error) {
	if !f.needsGuards() {
		return f, nil
	}
	n := *f.n
	if n.search != nil {
		return g.search(*n.search)
	}
	if n.related == nil {
		n.parts = make([]Filter, len(f.n.parts))
		for i, part := range f.n.parts {
			if n.parts[i], err = g.filter(part); err != nil {
				return Filter{}, err
			}
			n.crosses = n.crosses || n.parts[i].Crosses()
		}
		return Filter{&n}, nil
	}
	rel := *n.related
	g.deleted = false
	if rel.where, err = g.filter(rel.where); err != nil {
		return Filter{}, err
	}
	if !rel.guarded {
		rel.guarded = true
		if rel.guard, err = g.visible(&rel, nil); err != nil {
			return Filter{}, err
		}
	} else if rel.guard, err = g.filter(rel.guard); err != nil {
		return Filter{}, err
	}
	if direct, ok := rel.direct(); ok && g.intact {
		return direct, nil
	}
	return newRelated(n.name, rel), nil
}

// search returns the search with the guards of its fields. A field that the principal may read in no record is left out.
func (g guards) search(s search) (Filter, error) {
	guard := func(in SearchField) (Filter, error) { return g.filter(in.Guard) }
	if !s.guarded && g.caller {
		guard = func(in SearchField) (Filter, error) { return g.readable(in.Field) }
	}
	all := s.in
	s.in = nil
	for _, in := range all {
		var err error
		in.Guard, err = guard(in)
		switch e, ok := errors.AsType[*Error](err); {
		case err == nil:
			s.in = append(s.in, in)
		case !ok || e.Code != UnknownField || e.Resource != s.resource.apiName || e.Field != in.Field.apiName:
			return Filter{}, err
		}
	}
	if s.in == nil {
		return Filter{}, s.resource.notSearchable()
	}
	s.guarded = s.guarded || g.caller
	return newSearch(s), nil
}

// readable returns the condition under which the principal may read the field of a record.
func (g guards) readable(f *Field) (Filter, error) {
	if g.ask == nil {
		return All(), nil
	}
	id := strings.Join([]string{f.resource.name, f.name}, "\x00")
	if g.deleted {
		id += "\x00~"
	}
	if guard, ok := g.found[id]; ok {
		return guard, nil
	}
	res, err := g.ask(&Op{Kind: Visibility, Resource: f.resource, Fields: []*Field{f}, Deleted: g.deleted})
	if err == nil {
		g.found[id] = res.Guard
	}
	return res.Guard, err
}

// direct returns the condition on the stored to-one relation that is equal to a comparison with the key of its target, if
// every target exists for the caller. References are enforced when a transaction commits.
func (r *related) direct() (Filter, bool) {
	stored, f := r.relation.Stored, r.where.Field()
	if r.guard.n != nil || r.relation.Reverse || stored.Many() || stored.Keeps() || f == nil || !f.Key() ||
		f.resource != stored.target || r.where.Kind() == FilterNe || slices.Contains(r.where.Values(), Null) {
		return Filter{}, false
	}
	return stored.Compare(r.where.Kind(), r.where.Values()...), true
}

// path returns the path of the order with guards in all steps that have none.
func (g guards) path(o Order) (_ []Hop, err error) {
	path := slices.Clone(o.Path)
	for i := range path {
		hop := &path[i]
		if hop.guarded {
			if hop.Guard, err = g.filter(hop.Guard); err != nil {
				return nil, err
			}
			continue
		}
		named := o.Field
		if i+1 < len(path) {
			named = path[i+1].Relation.Stored
		}
		hop.guarded = true
		if hop.Guard, err = g.visible(&related{relation: hop.Relation}, named); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// visible returns the condition under which the related records of a step exist, for a condition that names the fields of
// its where and the given one.
func (g guards) visible(step *related, asked *Field) (Filter, error) {
	if g.ask == nil {
		return All(), nil
	}
	to, where := step.relation, step.where
	target := to.Target()
	var further []*Field
	if to.Reverse {
		further = append(further, to.Stored)
	}
	if asked != nil && asked.resource == target && !slices.Contains(further, asked) {
		further = append(further, asked)
	}
	named := []string{target.name}
	for _, f := range target.columns {
		if slices.Contains(further, f) || slices.Contains(where.Fields(), f) {
			named = append(named, f.name)
		}
		if where.comparesOrder(f) { // a policy may deny it, because it compares ids of hidden records
			named = append(named, "<")
		}
	}
	id := strings.Join(named, "\x00")
	if guard, ok := g.found[id]; ok {
		return guard, nil
	}
	res, err := g.ask(&Op{Kind: Visibility, Resource: target, Where: where, Fields: further})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == UnknownField && e.Resource == target.apiName && step.storedIn(e.Field) {
		return Filter{}, &Error{Code: UnknownField, Resource: to.Source().apiName, Field: step.field().apiName, Cause: e}
	}
	if err != nil {
		return Filter{}, err
	}
	g.found[id] = res.Guard
	return res.Guard, nil
}

// storedIn reports whether a field of the step's target, given by its API name, stores the relation of the step.
func (r *related) storedIn(name string) bool {
	return r.relation.Reverse && r.relation.Stored.apiName == name || r.through != nil && r.through.far.apiName == name
}

// answerVisibility returns the result of a Visibility that has passed the chain.
func (op *Op) answerVisibility() (Result, error) {
	if op.Using.Crosses() && op.origin.unaware != "" {
		return Result{}, errUnaware(op.origin.unaware)
	}
	return Result{Guard: op.Using}, nil
}

// errUnaware is the error of an op with a policy's condition on related records, although a decorator of the stack does
// not know such conditions.
func errUnaware(decorator string) error {
	return &Error{Code: ServerError, Cause: fmt.Errorf("a policy has a condition on related records, which the decorator %q does not know; "+
		"set UsesRelated in the decorator that writes the condition, and KnowsRelated in %q once it treats them", decorator, decorator)}
}

// afterImages are the parts of a write that the store decides by reading the records again, because a statement does not
// see the records that it writes: a Check and Conditions on related records.
type afterImages struct {
	check      Filter
	conditions []Filter
}

// afterImages returns these parts of the op, and whether there are any.
func (op *Op) afterImages() (a afterImages, needed bool) {
	if op.Kind != Insert && op.Kind != Update {
		return a, false
	}
	a.conditions = op.Conditions
	if op.Check.Crosses() {
		a.check = op.Check
	}
	return a, a.check.n != nil || len(a.conditions) > 0
}

// write performs the op and then decides the parts. The backend gets the parts of Check that concern one record only.
func (a afterImages) write(ctx context.Context, tx BackendTx, op *Op) (Result, error) {
	bare := *op
	bare.Conditions, bare.Check, bare.Final = nil, op.Check.onRecord(), false
	res, err := perform(ctx, tx, &bare)
	op.counted = bare.counted
	if err == nil {
		err = a.verify(ctx, tx, op, &res)
	}
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

// onRecord returns the parts of a conjunction that concern one record only.
func (f Filter) onRecord() Filter {
	if !f.Crosses() {
		return f
	}
	if f.Kind() != FilterAnd {
		return All()
	}
	var kept []Filter
	for _, part := range f.n.parts {
		kept = append(kept, part.onRecord())
	}
	return And(kept...)
}

// verify decides the parts on the records that the write has returned.
//
// Errors: [Forbidden] if a record does not match the check.
func (a afterImages) verify(ctx context.Context, tx BackendTx, op *Op, res *Result) error {
	keys := make([]Value, len(res.Records))
	for i, rec := range res.Records {
		keys[i] = rec.Key()
	}
	load := &Op{ // a commit together with the statement would come before the check
		Kind: Load, Resource: op.Resource, Keys: SortKeys(keys), Using: a.check, Conditions: a.conditions, Fields: []*Field{op.Resource.key},
		Principal: op.Principal, Tx: op.Tx, Final: op.Final && a.check.n == nil, origin: op.origin, handle: op.handle,
	}
	again, err := tx.Read(ctx, load)
	switch {
	case err != nil:
		return err
	case len(again.Records) != len(load.Keys):
		return op.Resource.Forbidden()
	case len(a.conditions) == 0:
		return nil
	case len(again.Conditions) != len(again.Records):
		return errNoConditions
	}
	answers := make(map[Value][]bool, len(again.Records))
	for i, rec := range again.Records {
		answers[rec.Key()] = again.Conditions[i]
	}
	for _, rec := range res.Records {
		res.Conditions = append(res.Conditions, answers[rec.Key()])
	}
	return nil
}

var errNoConditions = &Error{Code: ServerError, Cause: errors.New("the result does not have the answers to the conditions of the op")}
