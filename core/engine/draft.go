package engine

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// draft is a body after validation against the model, with typed values.
type draft struct {
	info        *resourceInfo
	level       int          // nesting level of the body, from 1
	assignments []assignment // in order of declaration
	// element is the position of the body in the request, from 1. It is 0 for a nested draft and for the only
	// body.
	element int
	// path leads to the body in the request; nil for a nested draft and for the only body.
	path []any
	// batchable: the record can be inserted together with others in one operation.
	batchable bool
	// namesRelated: the draft names ids of related records or holds nested records.
	namesRelated bool
	// partialLists are the list sides that come with a member NAME@next: the client has not seen them in full, so
	// a replacement keeps them.
	partialLists []*core.Field
	// repeated are the members for fields that the client cannot set.
	repeated []repeatedMember
	// needsBefore: the change depends on the record before the request.
	needsBefore bool
}

// assignment is the value that a body has for one field.
type assignment struct {
	field *core.Field
	value core.Value // scalar fields; null for a relation without items
	items []item     // relations
	raw   any        // computed fields
	merge bool       // value is a merge patch for the stored value
}

// item is a member of a relation: the key of an existing record, or a record to create.
type item struct {
	key    core.Value
	create *draft
}

// hasNested reports whether the assignment creates records.
func (a assignment) hasNested() bool {
	return slices.ContainsFunc(a.items, func(it item) bool { return it.create != nil })
}

// nestedCount returns the number of records that the assignment creates.
func (a assignment) nestedCount() (n int) {
	for _, it := range a.items {
		if it.create != nil {
			n++
		}
	}
	return n
}

// add appends an assignment and updates the flags of the draft.
func (d *draft) add(a assignment) {
	d.assignments = append(d.assignments, a)
	f := a.field
	d.needsBefore = d.needsBefore || f.HasWriteRule() || f.Computed() != nil || a.merge || len(d.info.via) > 0
	if f.Computed() != nil {
		d.batchable = false
	}
	d.namesRelated = d.namesRelated || len(a.items) > 0
	d.needsBefore = d.needsBefore || f.Inverse() != nil && f.Inverse().HasWriteRule() || f.Target() != nil && len(d.info.ruledLists) > 0
	moves := f.Target() != nil && !f.Stored() || f.Inverse() != nil && !f.Inverse().Many() // other records change too
	d.batchable = d.batchable && !moves && !a.hasNested()
	if len(d.info.via) > 0 { // the field may be part of a relation
		d.batchable, d.namesRelated = false, true
	}
}

// checkLists rejects new links beside the list through them: the links are created before that list is set.
func (d *draft) checkLists() error {
	for _, a := range d.assignments {
		if a.field.Target() == nil || a.field.Stored() || !a.hasNested() || a.field.Inverse() == nil {
			continue
		}
		for _, b := range d.assignments {
			if near, _ := b.field.Through(); near != nil && near == a.field.Inverse() {
				return &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
					"%s of %s creates records while %s sets the same relation; name one of them", a.field.APIName(), d.info.resource.APIName(), b.field.APIName())}
			}
		}
	}
	return nil
}

// addRepeated appends a member, which is compared with the record before the request.
func (d *draft) addRepeated(m repeatedMember) {
	d.repeated = append(d.repeated, m)
	d.needsBefore = true
}

// key returns the key in the body, absent if the body names none or not all of its parts.
func (d *draft) key() core.Value {
	key := d.info.resource.Key()
	if key.Parts() == nil {
		return d.part(key)
	}
	parts := make([]core.Value, len(key.Parts()))
	for i, f := range key.Parts() {
		parts[i] = d.part(f)
	}
	return core.TupleOf(parts...)
}

// part returns the value of a single key, or of one of several key fields: its own, or that in a relation which the field
// is part of.
func (d *draft) part(f *core.Field) core.Value {
	v := d.named(f)
	for _, rel := range d.info.via {
		i := slices.Index(rel.Parts(), f)
		if to := d.named(rel); v.IsAbsent() && i >= 0 && to.IsSet() {
			v = rel.Split(to)[i]
		}
	}
	return v
}

// writesColumns reports whether the draft sets columns of the record itself.
func (d *draft) writesColumns() bool {
	return slices.ContainsFunc(d.assignments, func(a assignment) bool { return a.field.Stored() })
}

// elementIndex returns draft.element for the i-th body.
func elementIndex(bodies []map[string]any, i int) int {
	if len(bodies) == 1 {
		return 0
	}
	return i + 1
}

// errorAt adds the position of the body to an error that the client caused. Other errors are returned unchanged.
func errorAt(err error, element int) error {
	if err == nil || element == 0 {
		return err
	}
	switch e := *core.AsError(err); e.Code {
	case core.ValidationFailed: // the violations have paths
		return err
	case core.ServerError, core.Unavailable, core.OutcomeUnknown, core.QueryTooExpensive, core.TooManyRequests:
		return err
	default:
		e.Element = element
		return &e
	}
}

// batchError returns the error of drafts that were written together. Its position is known only for a single
// draft.
func batchError(drafts []*draft, err error) error {
	if len(drafts) > 1 {
		return err
	}
	return errorAt(err, drafts[0].element)
}

// conflictError adds the position of a body to a conflict of drafts of one resource, which may be as late as the
// commit. The position is that of the last draft with the conflicting value, if the backend reports the value.
func conflictError(drafts []*draft, err error) error {
	e := core.AsError(err)
	if e == nil || e.Code != core.AlreadyExists || e.Element > 0 {
		return err
	}
	value, _ := e.Value.(core.Value)
	if !value.IsSet() {
		return err
	}
	for _, d := range slices.Backward(drafts) {
		if e.Resource == d.info.resource.APIName() && d.holds(e, value) {
			return errorAt(err, d.element)
		}
	}
	return err
}

// holds reports whether the body has the value of a conflict in the field of the error, or the values of a list in its
// fields.
func (d *draft) holds(e *core.Error, value core.Value) bool {
	var values []core.Value
	for _, name := range append(slices.Clone(e.Fields), e.Field) {
		if f := d.info.resource.FieldByAPIName(name); f != nil {
			values = append(values, d.value(f))
		}
	}
	switch {
	case value.Type() == core.Tuple && d.key() == value:
		return true
	case len(values) == 1:
		return values[0] == value
	}
	return core.ListOf(values...) == value
}

// value returns the value in the body of a field that the record stores. It is absent if the body does not name it, or
// names a record to create.
func (d *draft) value(f *core.Field) core.Value {
	if f.Key() {
		return d.key()
	}
	return d.named(f)
}

// named returns the value in the body of a field that the body itself names.
func (d *draft) named(f *core.Field) core.Value {
	for _, a := range d.assignments {
		switch {
		case a.field != f:
		case len(a.items) == 1 && !f.Many():
			return a.items[0].key
		default:
			return a.value
		}
	}
	return core.Value{}
}

// relatedIDs calls yield for every id that the draft and its nested drafts name.
func (d *draft) relatedIDs(yield func(s *core.Resource, key core.Value)) {
	for _, a := range d.assignments {
		for _, it := range a.items {
			if it.create != nil {
				it.create.relatedIDs(yield)
			} else {
				yield(a.field.Target(), it.key)
			}
		}
	}
}

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
		if v.Resource != r.APIName() || v.Record < 0 {
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
