package core

import (
	"fmt"
	"slices"
	"strings"
)

// Record holds the stored fields of one row of a resource. There are three kinds of records:
//
//   - a record that was read has a value or null in every column; after a projection, the other columns are absent;
//   - a record to insert may leave columns absent, which then take their default; an absent key is generated;
//   - a patch, the argument of an update, has the key and the changed columns.
//
// A Record is immutable, like a string: it may be kept and used by several goroutines, and methods that change it return
// a changed copy. Programs name fields with [Record.Value], [Record.Set] and [Record.Get]; backends use the positions of
// [Resource.Columns] with [Record.At] and [Record.With].
//
// The zero Record belongs to no resource, and all its values are absent.
type Record struct {
	resource *Resource
	values   []Value
}

// NewRecord returns a record with the named fields, each converted to its type with [Field.Convert]; nil is null. Other
// fields are absent.
//
// Errors: [UnknownField], also for a field that is not stored; [BadFieldValue].
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

// Patch returns a record with the key and nothing else, to be completed with [Record.Set] and passed to [Store.Update]:
//
//	store.Update(ctx, cookie, cookie.Patch(key).Set(price, core.FloatValue(2)))
func (r *Resource) Patch(key Value) Record {
	values := make([]Value, len(r.columns))
	values[r.key.column] = key
	return Record{r, values}
}

// RecordOf returns a record with one value per column; zero values are absent. The values must have the types of their
// columns. Absent values of fields with [Field.Parts] are computed from these, if none is absent. The record owns the slice. RecordOf panics
// if the number of values is wrong. It is for backends and decorators that have typed values.
func (r *Resource) RecordOf(values []Value) Record {
	if len(values) != len(r.columns) {
		panic("core: a record of " + r.name + " needs one value per column")
	}
	if r.derived != nil {
		r.deriveAbsent(values)
	}
	return Record{r, values}
}

// Resource returns the resource that the record belongs to; nil for the zero Record.
func (r Record) Resource() *Resource { return r.resource }

// Len returns the number of columns; 0 for the zero Record.
func (r Record) Len() int { return len(r.values) }

// IsZero reports whether r is the zero Record.
func (r Record) IsZero() bool { return r.resource == nil }

// Key returns the value of the primary key; absent for a record without a key.
func (r Record) Key() Value {
	if r.resource == nil {
		return Value{}
	}
	return r.values[r.resource.key.column]
}

// Value returns the value of the field; absent for the zero Record. It panics if f is not a stored field of the record's
// resource.
func (r Record) Value(f *Field) Value {
	if r.resource == nil {
		return Value{}
	}
	return r.values[r.column(f)]
}

// Set returns a copy of the record in which the field holds v, which must be of the field's type, null or absent. It
// panics if f is not a stored field of the record's resource.
func (r Record) Set(f *Field, v Value) Record { return r.With(r.column(f), v) }

// Get returns the value of the named field; absent for the zero Record. It panics if the resource has no stored field of
// this name: [Resource.Field] tests names that are not constants.
func (r Record) Get(name string) Value {
	if r.resource == nil {
		return Value{}
	}
	f := r.resource.Field(name)
	if f == nil {
		panic(fmt.Sprintf("core: resource %q has no field %q", r.resource.name, name))
	}
	return r.values[r.column(f)]
}

// column returns the position of the field, or panics.
func (r Record) column(f *Field) int {
	switch {
	case f != nil && f.resource == r.resource && f.column >= 0:
		return f.column
	case f == nil:
		panic(fmt.Sprintf("core: nil field for a record of resource %q", r.resource))
	case r.resource == nil:
		panic(fmt.Sprintf("core: field %s in the zero record", f))
	case f.resource != r.resource:
		panic(fmt.Sprintf("core: field %s does not belong to resource %q", f, r.resource.name))
	}
	panic(fmt.Sprintf("core: field %s is not stored in records", f))
}

// At returns the value of column i; absent for the zero Record. It panics if there is no column i.
func (r Record) At(i int) Value {
	if r.resource == nil {
		return Value{}
	}
	return r.values[i]
}

// With returns a copy of the record in which column i holds v, which must be of the column's type, null or absent. It
// panics if there is no column i.
func (r Record) With(i int, v Value) Record {
	values := append([]Value(nil), r.values...)
	values[i] = v
	return Record{r.resource, values}
}

// Merge returns the after image of an update: a copy of the record in which the values of the patch replace the old
// ones. Absent values of the patch replace nothing. Relations with [FieldSpec.Via] follow their fields. If one of the records is the zero Record, Merge returns the
// other.
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
	if r.resource.derived != nil {
		r.resource.rederive(values)
	}
	return Record{r.resource, values}
}

// WithParts returns a copy of the record in which the absent [Field.Parts] of its derived fields have their values. A null
// relation with [FieldSpec.Via] makes its [Field.DetachedParts] null. It is for programs that make records from foreign data: the
// store does it for the records of Insert and Update.
//
// Errors: [BadRequest] if a derived field and one of its parts contradict each other.
func (r Record) WithParts() (Record, error) {
	if r.resource == nil {
		return r, nil
	}
	values := slices.Clone(r.values)
	for _, f := range r.resource.derived {
		v := values[f.column]
		switch {
		case v.IsSet():
			for i, part := range f.Split(v) {
				if values[f.parts[i].column].IsAbsent() {
					values[f.parts[i].column] = part
				}
			}
		case v.IsNull() && f != r.resource.key:
			for _, part := range f.DetachedParts() {
				if values[part.column].IsAbsent() {
					values[part.column] = Null
				}
			}
		}
		if derived := f.derive(values); !v.IsAbsent() && !derived.IsAbsent() && derived != v {
			return r, &Error{Code: BadRequest, Message: fmt.Sprintf("%s of %s contradicts %s", f.apiName, r.resource.apiName, apiNames(f.parts))}
		}
	}
	return Record{r.resource, values}, nil
}

// Project returns a copy of the record with only the key and the given fields, which must be stored fields of its
// resource; other fields are absent. With nil it returns the record itself.
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

// Equal reports whether both records belong to the same resource and hold the same values.
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

// Map returns a new map from field names to values, as [Value.Any] returns them, without absent ones.
func (r Record) Map() map[string]any {
	m := make(map[string]any, len(r.values))
	for i, v := range r.values {
		if !v.IsAbsent() {
			m[r.resource.columns[i].name] = v.Any()
		}
	}
	return m
}

// String returns the resource and the values that are not absent, for messages of tests. Logs must not contain it, because
// it shows every value.
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
