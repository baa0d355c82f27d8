package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// located returns the error of an operation on records of r with the paths of its violations in the body of the request:
// path leads to the record at a position, and own means that the body has the fields of the record itself. A violation of
// another resource, in a record that a decorator wrote, has no path.
func located(err error, r *core.Resource, path func(record int) (_ []any, own bool)) error {
	e := core.AsError(err)
	if e == nil || e.Code != core.ValidationFailed {
		return err
	}
	at := *e
	at.Violations = slices.Clone(e.Violations)
	for i := range at.Violations {
		v := &at.Violations[i]
		if v.Resource != r.APIName() {
			v.Path = nil
			continue
		}
		if before, own := path(v.Record); own {
			v.Path = slices.Concat(before, v.Path)
		} else {
			v.Path = before
		}
	}
	return &at
}

// locate returns the path of a record of the set, see [located].
func (updates *updateSet) locate(record int) (path []any, own bool) {
	return updates.path, record < len(updates.keys) && updates.keys[record] == updates.own
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
	complete := planned.isNew && !ex.engine.mayHide // nothing else sets fields of the record
	for _, s := range ex.plan.steps {
		switch {
		case s.record != n:
		case s.kind == stepSet:
			for _, a := range s.assignments {
				values[a.field.Column()] = a.value
			}
		case s.kind == stepLink && len(s.members) > 0:
			values[s.assignments[0].field.Column()] = core.Value{}
			complete = false
		case s.kind == stepSetter:
			complete = false
		}
	}
	for _, f := range r.Columns() {
		v := values[f.Column()]
		missing := v.IsAbsent() && complete && f != planned.given.field && !f.HasDefaultFunc() && f.ConstantDefault().IsAbsent()
		if f.Required() && (v.IsNull() || missing) {
			found = append(found, f.Violated("required").Violations...)
		}
	}
	found = append(found, r.Violations(r.RecordOf(values))...)
	for i := range found {
		found[i].Path = slices.Concat(planned.path, found[i].Path)
	}
	return found
}
