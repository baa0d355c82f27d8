package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// draft is a body that was checked against the model and typed.
type draft struct {
	info        *resourceInfo
	level       int          // how deep the body is nested, from 1
	assignments []assignment // in the order of declaration
	// element is the place in the list of the request, from 1; 0 for a nested draft, and
	// for the only one.
	element int
	// plain: it can be written together with others in one operation.
	batchable bool
	// related: it names ids of other records or holds nested ones.
	namesRelated bool
	// partial holds the list sides of which the body says that its reader did not see
	// them to the end. A replacement keeps them.
	partialLists []*core.Field
	// before: what it changes depends on the record as it was.
	needsBefore bool
}

// assignment is what a body says of one field.
type assignment struct {
	field *core.Field
	value core.Value // of a scalar; null for a relation without items
	items []item     // of a relation
	raw   any        // of a computed field
	merge bool       // value is a patch of the stored one
}

// item is a member of a relation: a record that is there, or one to create.
type item struct {
	key    core.Value
	create *draft
}

// creates reports whether the assignment holds nested records.
func (a assignment) hasNested() bool {
	return slices.ContainsFunc(a.items, func(it item) bool { return it.create != nil })
}

// created counts the nested records.
func (a assignment) nestedCount() (n int) {
	for _, it := range a.items {
		if it.create != nil {
			n++
		}
	}
	return n
}

// add takes an assignment in and notes what it means for the whole.
func (d *draft) add(a assignment) {
	d.assignments = append(d.assignments, a)
	f := a.field
	d.needsBefore = d.needsBefore || f.HasWriteRule() || f.Computed() != nil || a.merge
	if f.Computed() != nil {
		d.batchable = false
	}
	d.namesRelated = d.namesRelated || len(a.items) > 0
	d.needsBefore = d.needsBefore || f.Inverse() != nil && f.Inverse().HasWriteRule()
	moves := f.Inverse() != nil && !f.Inverse().Many() // other records change with it
	d.batchable = d.batchable && !moves && !a.hasNested()
}

// key returns the key that the body names; absent if it names none.
func (d *draft) key() core.Value {
	return d.value(d.info.resource.Key())
}

// writes reports whether the draft sets columns of the record itself.
func (d *draft) writesColumns() bool {
	return slices.ContainsFunc(d.assignments, func(a assignment) bool { return a.field.Stored() })
}

// elementOf returns draft.element of the i-th body.
func elementIndex(bodies []map[string]any, i int) int {
	if len(bodies) == 1 {
		return 0
	}
	return i + 1
}

// wrong returns an error of the client with the element that is wrong; any other error
// as it is.
func (d *draft) errorAt(err error) error {
	if err == nil || d.element == 0 {
		return err
	}
	switch e := *core.AsError(err); e.Code {
	case core.ServerError, core.Unavailable, core.OutcomeUnknown:
		return err
	default:
		e.Element = d.element
		return &e
	}
}

// wrongOf returns the error of drafts that were written together: which one is wrong is
// known if there is only one.
func batchError(drafts []*draft, err error) error {
	if len(drafts) > 1 {
		return err
	}
	return drafts[0].errorAt(err)
}

// conflictError returns an error of drafts of one resource. A conflict, which may be found as
// late as by the commit, is that of the last draft with the value that is taken.
func conflictError(drafts []*draft, err error) error {
	e := core.AsError(err)
	if e == nil || e.Code != core.AlreadyExists || e.Element > 0 {
		return err
	}
	taken, _ := e.Value.(core.Value)
	if !taken.IsSet() {
		return err
	}
	for _, d := range slices.Backward(drafts) {
		if f := d.info.resource.FieldByAPIName(e.Field); e.Resource == d.info.resource.APIName() && f != nil && d.value(f) == taken {
			return d.errorAt(err)
		}
	}
	return err
}

// value returns what the body says of a field that the record stores; absent if it says
// nothing of it.
func (d *draft) value(f *core.Field) core.Value {
	for _, a := range d.assignments {
		if a.field == f {
			return a.value
		}
	}
	return core.Value{}
}

// ids calls yield for every id of a record that the draft and those in it name.
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
