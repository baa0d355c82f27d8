package access

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// fieldList is the list of fields of a rule. nil lists all fields. Every list has the key.
type fieldList struct {
	has    []bool // by column
	fields []*core.Field
}

// newFieldList returns the list of the columns that has marks, and marks the key.
func newFieldList(r *core.Resource, has []bool) *fieldList {
	has[r.Key().Column()] = true
	l := &fieldList{has: has}
	for i, f := range r.Columns() {
		if has[i] {
			l.fields = append(l.fields, f)
		}
	}
	return l
}

func (l *fieldList) lists(f *core.Field) bool { return l == nil || l.has[f.Column()] }

// project returns the record without the columns that are not listed.
func (l *fieldList) project(rec core.Record) core.Record {
	if l == nil {
		return rec
	}
	for i, has := range l.has {
		if !has && !rec.At(i).IsAbsent() {
			return rec.Project(l.fields)
		}
	}
	return rec
}

// intersect returns the fields that are listed, at least the key. nil stands for all fields, as in [core.Op].
func (l *fieldList) intersect(fields []*core.Field) []*core.Field {
	if l == nil {
		return fields
	}
	if fields == nil {
		return l.fields
	}
	if l.unlisted(fields) == nil {
		return fields
	}
	var kept []*core.Field
	for _, f := range fields {
		if l.lists(f) {
			kept = append(kept, f)
		}
	}
	if len(kept) == 0 {
		kept = append(kept, fields[0].Resource().Key())
	}
	return kept
}

// unlisted returns a field that is not listed, or nil.
func (l *fieldList) unlisted(fields []*core.Field) *core.Field {
	for _, f := range fields {
		if !l.lists(f) {
			return f
		}
	}
	return nil
}

// unlistedInQuery returns a field that the op filters, sorts or groups by, computes a measure of, or that another op asks about,
// and that is not listed, or nil.
func (l *fieldList) unlistedInQuery(op *core.Op) *core.Field {
	if l == nil {
		return nil
	}
	for _, o := range op.Order {
		f := o.Field
		if o.Path != nil {
			if o.Path[0].Relation.Reverse { // the related resource stores the relation
				continue
			}
			f = o.Path[0].Relation.Stored
		}
		if !l.lists(f) {
			return f
		}
	}
	if op.Kind == core.Visibility || op.Kind == core.Aggregate {
		if f := l.unlisted(op.Fields); f != nil {
			return f
		}
	}
	return l.unlisted(op.Where.Fields())
}

// unlistedInRecords returns a field that a write of the records sets and that is not listed, or nil.
func (l *fieldList) unlistedInRecords(records []core.Record, o Operation) *core.Field {
	if l == nil {
		return nil
	}
	return l.unlisted(o.fieldsOf(records))
}

// equal reports whether both lists have the same fields.
func (l *fieldList) equal(o *fieldList) bool {
	if l == nil || o == nil {
		return l == o
	}
	for i, has := range l.has {
		if has != o.has[i] {
			return false
		}
	}
	return true
}

// mark marks the listed columns in has.
func (l *fieldList) mark(has []bool) {
	for i := range has {
		has[i] = has[i] || l.has[i]
	}
}

// sets reports whether a write of a record with the value sets the field. An Insert that gives a field the fixed default of
// the model does not.
func (o Operation) sets(f *core.Field, v core.Value) bool {
	if v.IsAbsent() || !o.has(Insert|ChooseKey) {
		return !v.IsAbsent()
	}
	return f.ConstantDefault() != v
}

// fieldsOf returns the fields that a write of the records sets, each once.
func (o Operation) fieldsOf(records []core.Record) (fields []*core.Field) {
	for _, rec := range records {
		for i, f := range rec.Resource().Columns() {
			if o.sets(f, rec.At(i)) && !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}
