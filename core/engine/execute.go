package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// execution runs the steps of a plan in a transaction.
type execution struct {
	*writer

	plan    *plan
	changes []*change // by index in plan.records; nil before the step that begins the record
	setters map[setterCall]*execution
}

// setterCall identifies the setter of a computed field in the body of a record.
type setterCall struct {
	record int
	field  *core.Field
}

// execute runs the plan and returns the keys of the records of the request. root is the change of an existing record, or
// nil if the plan creates its records.
func (w *writer) execute(ctx context.Context, p *plan, root *change) ([]core.Value, error) {
	ex := w.execution(p, root)
	if err := ex.run(ctx, p.steps); err != nil {
		return nil, err
	}
	keys := make([]core.Value, p.roots)
	for i := range keys {
		keys[i] = ex.changes[i].key()
	}
	return keys, nil
}

func (w *writer) execution(p *plan, root *change) *execution {
	ex := &execution{writer: w, plan: p, changes: make([]*change, len(p.records))}
	if root != nil {
		ex.changes[0] = root
		root.relations = append(root.relations, p.records[0].relations...)
	}
	return ex
}

func (ex *execution) run(ctx context.Context, steps []step) error {
	for i := range steps {
		if err := ctx.Err(); err != nil {
			return core.AsError(err)
		}
		if err := ex.step(ctx, &steps[i]); err != nil {
			return errorAt(ex.withUnreached(err, steps[i+1:]), steps[i].element)
		}
	}
	return nil
}

func (ex *execution) step(ctx context.Context, s *step) error {
	c := ex.changes[s.record]
	switch s.kind {
	case stepBegin:
		ex.begin(s.record)
	case stepSet:
		for _, a := range s.assignments {
			c.set(a.field, a.value)
		}
	case stepMerge:
		return ex.mergeJSON(c, s.assignments[0])
	case stepSetter:
		return ex.setter(ctx, s)
	case stepLink:
		f := s.assignments[0].field
		c.set(f, storedValue(f, ex.keys(s.members)))
	case stepInsert:
		batch := make([]*change, len(s.batch))
		for i, n := range s.batch {
			batch[i] = ex.changes[n]
		}
		return ex.insertChanges(ctx, batch, nil)
	case stepClear:
		return ex.clearRelations(ctx, c)
	case stepUpdate:
		return ex.saveColumns(ctx, c)
	case stepMembers:
		a := s.assignments[0]
		return ex.setMembers(ctx, c, relationValue{field: a.field, keys: ex.keys(s.members), nested: a.nestedCount()})
	case stepSetterRelations:
		sub := ex.setters[setterCall{s.record, s.assignments[0].field}]
		if sub == nil {
			return nil // the setter did not run
		}
		return sub.run(ctx, sub.plan.steps[sub.plan.deferred:])
	}
	return nil
}

// begin starts the change of a new record.
func (ex *execution) begin(n int) {
	r := &ex.plan.records[n]
	c := newChange(r.info, r.level)
	c.isNew, c.path = true, r.path
	if r.given.field != nil {
		c.give(r.given.field, ex.key(r.given.value))
	}
	ex.changes[n] = c
}

// setter runs a setter and the steps of the fields that it returns, except the deferred ones.
func (ex *execution) setter(ctx context.Context, s *step) error {
	c := ex.changes[s.record]
	if done, err := ex.showsAlready(ctx, c, s); done || err != nil {
		return err
	}
	d, err := ex.runSetter(ctx, c, s.assignments[0])
	if err != nil {
		return err
	}
	d.path = c.path
	p := planSetter(d, c.isNew)
	if err := ex.checkRelated(ctx, p.related); err != nil {
		return err
	}
	sub := ex.execution(p, c)
	if ex.setters == nil {
		ex.setters = make(map[setterCall]*execution)
	}
	ex.setters[setterCall{s.record, s.assignments[0].field}] = sub
	return sub.run(ctx, p.steps[:p.deferred])
}

func (ex *execution) key(r ref) core.Value {
	if r.key.IsSet() {
		return r.key
	}
	return ex.changes[r.record].key()
}

// keys returns the keys of the members, ascending and distinct.
func (ex *execution) keys(members []ref) []core.Value {
	keys := make([]core.Value, len(members))
	for i, m := range members {
		keys[i] = ex.key(m)
	}
	return core.SortKeys(keys)
}

// withUnreached adds the violations of records that the execution has not written when a step finds the first ones, so that a
// client learns of all of them at once. It knows the values of the body only: rules about other values are left out.
func (ex *execution) withUnreached(err error, rest []step) error {
	e := core.AsError(err)
	if e.Code != core.ValidationFailed {
		return err
	}
	all := *e
	for _, s := range rest {
		switch s.kind {
		case stepInsert:
			for _, n := range s.batch {
				all.Violations = append(all.Violations, ex.unreached(n)...)
			}
		case stepUpdate:
			all.Violations = append(all.Violations, ex.unreached(s.record)...)
		}
	}
	return &all
}

// unreached returns the violations of the values that the body has for a record of the plan.
func (ex *execution) unreached(n int) (found []core.Violation) {
	planned := &ex.plan.records[n]
	r := planned.info.resource
	values := make([]core.Value, len(r.Columns()))
	if ex.changes[n] != nil {
		copy(values, ex.changes[n].values)
	}
	complete, linked := planned.isNew, []*core.Field{planned.given.field} // no setter sets fields of the record
	for _, s := range ex.plan.steps {
		switch {
		case s.record != n:
		case s.kind == stepSet:
			for _, a := range s.assignments {
				values[a.field.Column()] = a.value
			}
		case s.kind == stepLink && len(s.members) > 0:
			values[s.assignments[0].field.Column()] = core.Value{}
			linked = append(linked, s.assignments[0].field)
		case s.kind == stepSetter:
			complete = false
		}
	}
	for _, f := range r.Columns() {
		v := values[f.Column()]
		missing := v.IsAbsent() && complete && ex.engine.MustName(f) && !slices.Contains(linked, f)
		if f.Required() && v.IsNull() || missing {
			found = append(found, f.Violated("required").Violations...)
		}
	}
	found = append(found, r.Violations(r.RecordOf(values))...)
	for i := range found {
		found[i].Path = slices.Concat(planned.path, found[i].Path)
	}
	return found
}
