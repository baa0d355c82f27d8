package core

import (
	"errors"
	"fmt"
)

// Field is one field of a [Resource], immutable like it.
type Field struct {
	resource     *Resource
	spec         FieldSpec
	name         string
	apiName      string
	typ          Type
	column       int
	target       *Resource
	inverse      *Field
	unique       bool
	indexed      bool
	defaultValue Value
}

// Resource returns the resource that the field belongs to.
func (f *Field) Resource() *Resource { return f.resource }

// Spec returns the declaration of the field. Names and flags that the model derives, such as the APIName of a field
// without one, are methods of Field.
func (f *Field) Spec() FieldSpec { return f.spec }

// Name returns the name that the program uses.
func (f *Field) Name() string { return f.name }

// Was returns the name that the field had before it was renamed, "" if there is none.
func (f *Field) Was() string { return f.spec.Was }

// APIName returns the name that clients use.
func (f *Field) APIName() string { return f.apiName }

// String returns resource and field with a dot between them.
func (f *Field) String() string { return f.resource.name + "." + f.name }

// Type returns the type of the field's values: a scalar's own, for a to-one
// relation that of the target's key, for a to-many relation [List], for a
// computed field what its declaration says or 0.
func (f *Field) Type() Type { return f.typ }

// Column returns the position of the field's value in a [Record], -1 for a
// field that is not stored.
func (f *Field) Column() int { return f.column }

// Stored reports whether records hold the field.
func (f *Field) Stored() bool { return f.column >= 0 }

// Key reports whether the field is the primary key.
func (f *Field) Key() bool { return f.spec.Key }

// Assigned reports whether the model declares that nothing generates the key; see
// [Store.KeySource] for what holds in a store.
func (f *Field) Assigned() bool { return f.spec.Assigned }

// Target returns the resource that a relation points at, nil for fields that
// are no relations.
func (f *Field) Target() *Resource { return f.target }

// Many reports whether the field is a to-many relation.
func (f *Field) Many() bool { return f.spec.ToMany != "" }

// Inverse returns the other side of a connected pair, from either side; nil
// for fields that are not connected.
func (f *Field) Inverse() *Field { return f.inverse }

// Cascade reports whether the record dies with what the field points at.
func (f *Field) Cascade() bool { return f.spec.Cascade }

// ReadOnly reports whether clients cannot set the field.
func (f *Field) ReadOnly() bool { return f.spec.ReadOnly }

// Hidden reports whether the field does not exist for clients.
func (f *Field) Hidden() bool { return f.spec.Hidden }

// Unique reports whether no two records may hold the same value.
func (f *Field) Unique() bool { return f.unique }

// Indexed reports whether backends keep an index on the field.
func (f *Field) Indexed() bool { return f.indexed }

// Computed returns the functions of a computed field, nil for others.
func (f *Field) Computed() *Computed { return f.spec.Computed }

// Writable reports whether the field of this record may change.
func (f *Field) Writable(rec Record) bool {
	return f.spec.Writable == nil || f.spec.Writable(rec)
}

// HasWriteRule reports whether the model has a [FieldSpec.Writable] for the field,
// so that [Field.Writable] may say no.
func (f *Field) HasWriteRule() bool { return f.spec.Writable != nil }

// Default returns the value of a new record that does not name the field; it is
// absent if the model says nothing.
//
// Errors: [ServerError], when a default function returned something that does not
// fit: that is the program's mistake, of which clients learn nothing.
func (f *Field) Default() (Value, error) {
	compute, ok := f.spec.Default.(func() any)
	if !ok {
		return f.defaultValue, nil
	}
	raw := compute()
	v, err := f.Convert(raw)
	if err != nil {
		return Value{}, &Error{Code: ServerError, Cause: fmt.Errorf("default of %s: a %T does not fit the type %s", f, raw, f.typ)}
	}
	return v, nil
}

// ConstantDefault is [Field.Default] of a field whose default is the same for every
// record; absent if there is none, or if it is a function.
func (f *Field) ConstantDefault() Value { return f.defaultValue }

// HasDefaultFunc reports whether the default is a function: it applies to new records
// only, and a replacement of the whole record keeps the stored value.
func (f *Field) HasDefaultFunc() bool {
	_, ok := f.spec.Default.(func() any)
	return ok
}

// Convert is [Type.Convert] with an error that names the field. A to-many
// relation takes a list of keys of its target, duplicates collapse. The texts "", "." and
// ".." are no keys.
//
// Errors: [BadFieldValue].
func (f *Field) Convert(raw any) (Value, error) {
	v, err := f.typ.Convert(raw)
	switch {
	case err != nil:
	case f.Many():
		v, err = f.keyList(v)
	case f.Key() && f.typ == Text && v.IsSet() && (v.str == "" || isDotSegment(v.str)):
		err = errNoKey
	}
	if err != nil {
		return Value{}, f.badValue(raw, err)
	}
	return v, nil
}

func (f *Field) badValue(raw any, cause error) error {
	return &Error{Code: BadFieldValue, Resource: f.resource.apiName, Field: f.apiName, Type: f.typ, Value: raw, Cause: cause}
}

var errNoKey = errors.New(`"", "." and ".." cannot be keys: a URL cannot address them`)

// dots reports whether a name is a dot segment of a path (RFC 3986, section 5.2.4).
func isDotSegment(name string) bool { return name == "." || name == ".." }

// keyList returns the list with its elements converted, sorted and unique.
func (f *Field) keyList(v Value) (Value, error) {
	keys, err := v.Elements(f.target.key.typ)
	if err != nil {
		return Value{}, err
	}
	for _, k := range keys {
		if !k.IsSet() {
			return Value{}, errLossy
		}
	}
	if v.typ != List {
		return v, nil
	}
	return ListOf(SortKeys(keys)...), nil
}
