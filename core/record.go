package core

import "strings"

// Record holds the stored fields of one row of a resource, by position: the
// value at index i belongs to [Resource.Columns][i]. The kinds of records:
//
//   - as read: every column has a value or null; with a projection, columns
//     that were not asked for are absent;
//   - to insert: absent columns take their default, an absent key is handed out;
//   - to update: the key and the changed columns, the others absent.
//
// A Record is immutable: it can be kept, shared and used by several goroutines.
// The zero Record belongs to no resource, and every value of it is absent.
type Record struct {
	resource *Resource
	values   []Value
}

// NewRecord returns a record of r with the named fields, each converted to its
// type as [Type.Convert] does; a nil value is null. Fields that are not stored
// cannot be given.
//
// Errors: [UnknownField], [BadFieldValue].
func (r *Resource) NewRecord(fields map[string]any) (Record, error) {
	values := make([]Value, len(r.columns))
	for name, raw := range fields {
		f := r.Field(name)
		if f == nil || f.column < 0 {
			return Record{}, &Error{Code: UnknownField, Resource: r.apiName, Field: name}
		}
		v, err := f.Convert(raw)
		if err != nil {
			return Record{}, err
		}
		values[f.column] = v
	}
	return Record{r, values}, nil
}

// RecordOf returns a record of r with the given values, one per column, absent
// where there is none. The values must already have their columns' types; the
// slice belongs to the record from now on. It is meant for backends and
// decorators, which have typed values at hand.
func (r *Resource) RecordOf(values []Value) Record {
	if len(values) != len(r.columns) {
		panic("core: a record of " + r.name + " needs one value per column")
	}
	return Record{r, values}
}

// Resource returns the resource that the record belongs to; nil for the zero
// Record.
func (r Record) Resource() *Resource { return r.resource }

// Len returns the number of columns.
func (r Record) Len() int { return len(r.values) }

// IsZero reports whether r is the zero Record.
func (r Record) IsZero() bool { return r.resource == nil }

// At returns the value of column i; absent for the zero Record.
func (r Record) At(i int) Value {
	if r.resource == nil {
		return Value{}
	}
	return r.values[i]
}

// Key returns the value of the primary key; absent if there is none.
func (r Record) Key() Value {
	if r.resource == nil {
		return Value{}
	}
	return r.values[r.resource.key.column]
}

// Get returns the value of the named field; absent if there is no such stored
// field.
func (r Record) Get(name string) Value {
	if r.resource == nil {
		return Value{}
	}
	if f := r.resource.Field(name); f != nil && f.column >= 0 {
		return r.values[f.column]
	}
	return Value{}
}

// With returns a copy of the record in which column i holds v.
func (r Record) With(i int, v Value) Record {
	values := append([]Value(nil), r.values...)
	values[i] = v
	return Record{r.resource, values}
}

// Merge returns the record with the columns that patch holds replaced by its
// values: the after image of an update. The zero Record is neutral on either side.
func (r Record) Merge(patch Record) Record {
	if r.resource == nil {
		return patch
	}
	values := append([]Value(nil), r.values...)
	for i, v := range patch.values {
		if v.typ != 0 {
			values[i] = v
		}
	}
	return Record{r.resource, values}
}

// Project returns the record with only the columns of the given fields and the
// key; with no fields, the record itself.
func (r Record) Project(fields []*Field) Record {
	if fields == nil || r.resource == nil {
		return r
	}
	values := make([]Value, len(r.values))
	k := r.resource.key.column
	values[k] = r.values[k]
	for _, f := range fields {
		values[f.column] = r.values[f.column]
	}
	return Record{r.resource, values}
}

// Equal reports whether both records belong to the same resource and hold the
// same values.
func (r Record) Equal(o Record) bool {
	if r.resource != o.resource || len(r.values) != len(o.values) {
		return false
	}
	for i, v := range r.values {
		if v != o.values[i] {
			return false
		}
	}
	return true
}

// Map returns the values that are not absent by field name, as [Value.Any]
// gives them. The map is the caller's.
func (r Record) Map() map[string]any {
	m := make(map[string]any, len(r.values))
	for i, v := range r.values {
		if !v.IsAbsent() {
			m[r.resource.columns[i].name] = v.Any()
		}
	}
	return m
}

// String returns the record in text, for messages of tests; it shows every
// value, so it has no place in a log.
func (r Record) String() string {
	if r.resource == nil {
		return "{}"
	}
	var b strings.Builder
	b.WriteString(r.resource.name)
	sep := "{"
	for i, v := range r.values {
		if v.IsAbsent() {
			continue
		}
		b.WriteString(sep + r.resource.columns[i].name + ":" + v.String())
		sep = " "
	}
	if sep == "{" {
		b.WriteString(sep)
	}
	return b.String() + "}"
}
