package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Field is a field of a [Resource]. It is immutable and safe for concurrent use.
type Field struct {
	resource     *Resource
	spec         FieldSpec
	name         string
	apiName      string
	typ          Type
	column       int
	target       *Resource
	inverse      *Field
	near, far    *Field // see Through
	joins        bool   // a list goes through the to-one relation, see Through
	group        *Field
	unique       bool
	indexed      bool
	defaultValue Value
	parts        []*Field // see Parts
	own          []*Field // see OwnParts
	keyPart      bool
	elements     []Type // of the values of type Tuple
	rules        valueRules
}

// Resource returns the resource that the field belongs to.
func (f *Field) Resource() *Resource { return f.resource }

// Spec returns the declaration of the field. Names and flags that the model derives, such as the APIName of a field
// without one, are methods of Field.
func (f *Field) Spec() FieldSpec { return f.spec }

// Name returns the name for programs and backends.
func (f *Field) Name() string { return f.name }

// Was returns the former name of a renamed field; "" for other fields.
func (f *Field) Was() string { return f.spec.Was }

// APIName returns the name for clients.
func (f *Field) APIName() string { return f.apiName }

// Description describes the values to people; "" without a description.
func (f *Field) Description() string { return f.spec.Description }

// String returns the names of resource and field, joined by a dot.
func (f *Field) String() string { return f.resource.name + "." + f.name }

// Type returns the type of the field's values. A to-one relation has the type of the target's key, a to-many relation
// has type [List], and a computed field has the type of its declaration, or 0.
func (f *Field) Type() Type { return f.typ }

// Column returns the position of the field's value in a [Record]; -1 for a field that is not stored.
func (f *Field) Column() int { return f.column }

// Stored reports whether records hold the field. Computed fields and relations with an Inverse or Through are not stored.
func (f *Field) Stored() bool { return f.column >= 0 }

// Key reports whether the field is the primary key, see [Resource.Key].
func (f *Field) Key() bool { return f == f.resource.key }

// KeyPart reports whether the field is one of several Key fields of its resource.
func (f *Field) KeyPart() bool { return f.keyPart }

// Parts returns the stored fields that a derived field is computed from: the Key fields for a key of type [Tuple], and
// the fields that [FieldSpec.Via] names. It returns nil for other fields. A backend stores the parts, and leaves derived
// fields to [Resource.RecordOf]. The slice is shared and must not be modified.
func (f *Field) Parts() []*Field { return f.parts }

// OwnParts returns those of [Field.Parts] that belong to no other relation and not to the key. Setting the relation sets
// them. The slice is shared and must not be modified.
func (f *Field) OwnParts() []*Field { return f.own }

// ElementTypes returns the types of the elements of the field's [Tuple] values, and for a to-many relation of the
// target's keys; nil if they are no tuples. The slice is shared and must not be modified.
func (f *Field) ElementTypes() []Type { return f.elements }

// Assigned reports whether the model declares that the key is not generated. [Store.KeySource] also knows the
// backend.
func (f *Field) Assigned() bool { return f.spec.Assigned }

// Target returns the resource that a relation points at; nil for other fields.
func (f *Field) Target() *Resource { return f.target }

// Many reports whether the field is a to-many relation.
func (f *Field) Many() bool { return f.spec.ToMany != "" }

// Inverse returns the other side of a connected pair of relations, from either side; nil for other fields.
func (f *Field) Inverse() *Field { return f.inverse }

// Through returns the two relations of a to-many relation with [FieldSpec.Through], which the records of the join resource
// store: near points at the records that have the list, and far at the members of the list. They are nil for other fields.
func (f *Field) Through() (near, far *Field) { return f.near, f.far }

// OnDelete returns the effect of deleting the target of a stored to-one relation: the declared one, or the default.
func (f *Field) OnDelete() OnDelete {
	switch {
	case f.spec.OnDelete != Detach:
		return f.spec.OnDelete
	case f.joins || f.resource.join[0] == f || f.resource.join[1] == f:
		return Cascade
	case f.Detachable():
		return Detach
	}
	return Restrict
}

// Keeps reports whether a stored to-one relation may name a record that does not exist, see [Keep].
func (f *Field) Keeps() bool { return f.spec.OnDelete == Keep }

// Detachable reports whether a stored to-one relation can become null: it is neither in the key nor Required, and one with
// [FieldSpec.Via] has [Field.DetachedParts].
func (f *Field) Detachable() bool {
	return !f.keyPart && !f.spec.Required && (f.parts == nil || slices.ContainsFunc(f.own, nullable))
}

// DetachedParts returns those of [Field.OwnParts] that are not Required. Detaching the relation sets them to null.
func (f *Field) DetachedParts() []*Field {
	return slices.DeleteFunc(slices.Clone(f.own), (*Field).Required)
}

func nullable(f *Field) bool { return !f.Required() }

// Orphans returns the effect on a record that leaves the other side of its relation.
func (f *Field) Orphans() Orphans { return f.spec.Orphans }

// Partner returns the effect of setting a one-to-one relation to a partner that is taken.
func (f *Field) Partner() Partner { return f.spec.Partner }

// ReadOnly reports whether clients cannot set the field: its declaration says so, it is numbered, or a read-only resource
// stores the relation.
func (f *Field) ReadOnly() bool {
	return f.spec.ReadOnly || f.group != nil || f.spec.Inverse != "" && f.target != nil && f.target.readOnly ||
		f.near != nil && f.near.resource.readOnly
}

// NumberedBy returns the field by whose value the records are numbered, see [FieldSpec.NumberedBy]; nil for other fields.
func (f *Field) NumberedBy() *Field { return f.group }

// Hidden reports whether clients cannot see, set or search the field.
func (f *Field) Hidden() bool { return f.spec.Hidden }

// OnDemand reports whether an answer shows the field only to a request that names it.
func (f *Field) OnDemand() bool { return f.spec.OnDemand }

// Unique reports whether no two records may have the same value, other than null.
func (f *Field) Unique() bool { return f.unique }

// Indexed reports whether backends keep an index on the field.
func (f *Field) Indexed() bool { return f.indexed }

// Ordered reports whether queries can sort by the field and compare it by order: its type has an order, and the field is
// not [FieldSpec.Unordered].
func (f *Field) Ordered() bool { return f.typ.Ordered() && !f.spec.Unordered }

// Computed returns the functions of a computed field; nil for other fields.
func (f *Field) Computed() *Computed { return f.spec.Computed }

// Writable reports whether the field of this record may change.
func (f *Field) Writable(rec Record) bool {
	return f.spec.Writable == nil || f.spec.Writable(rec)
}

// HasWriteRule reports whether the model has a [FieldSpec.Writable] for the field, so that [Field.Writable] may
// return false.
func (f *Field) HasWriteRule() bool { return f.spec.Writable != nil }

// Default returns the value of the field in new records that do not set it; absent without a default.
//
// A function of the default gets the context.
//
// Errors: [ServerError] if the value of a default function does not fit the type.
func (f *Field) Default(ctx context.Context) (Value, error) {
	var raw any
	switch compute := f.spec.Default.(type) {
	case func() any:
		raw = compute()
	case func(context.Context) any:
		raw = compute(ctx)
	default:
		return f.defaultValue, nil
	}
	v, err := f.Convert(raw)
	if err != nil {
		return Value{}, &Error{Code: ServerError, Cause: fmt.Errorf("default of %s: a %T does not fit the type %s", f, raw, f.typ)}
	}
	return v, nil
}

// ConstantDefault returns the default if it is a constant; absent without a default or with a default function.
func (f *Field) ConstantDefault() Value { return f.defaultValue }

// HasDefaultFunc reports whether the default is a function. Such a default applies to new records only: a replacement
// of a record keeps the stored value.
func (f *Field) HasDefaultFunc() bool {
	switch f.spec.Default.(type) {
	case func() any, func(context.Context) any:
		return true
	}
	return false
}

// Convert is [Type.Convert] with an error that names the field. A to-many relation accepts a list of keys of its
// target and returns it sorted and without duplicates. A text key rejects "", "." and "..", which a URL cannot
// address. A field of type [Tuple] accepts the text of a tuple.
//
// Errors: [BadFieldValue].
func (f *Field) Convert(raw any) (Value, error) {
	v, err := f.convertType(raw)
	switch {
	case err != nil:
	case f.spec.Scale != nil && len(fractionOf(v)) > *f.spec.Scale:
		err = errScale
	case f.Many():
		v, err = f.keyList(v)
	case f.Key() && !addressable(v):
		err = errNoKey
	}
	if err != nil {
		return Value{}, f.badValue(raw, err)
	}
	return v, nil
}

// convertType is [Type.Convert] for the type of the field.
func (f *Field) convertType(raw any) (Value, error) {
	if f.typ != Tuple {
		return f.typ.Convert(raw)
	}
	return convertTuple(raw, f.elements)
}

// accepts reports whether the field can hold the value, apart from its content.
func (f *Field) accepts(v Value) bool {
	return v.typ == f.typ && (f.typ != Tuple || tupleFits(v, f.elements) == nil)
}

// TargetKey returns raw as a key of the related resource: the value of a to-one relation, or an element of a to-many one.
//
// Errors: [BadFieldValue].
func (f *Field) TargetKey(raw any) (Value, error) {
	key := f.target.key
	v, err := key.convertType(raw)
	if err != nil {
		return Value{}, &Error{
			Code: BadFieldValue, Resource: f.resource.apiName, Field: f.apiName, Type: key.typ, Value: raw,
			Accepted: key.acceptedKey(), Cause: err,
		}
	}
	return v, nil
}

// Elements returns the keys in the value of a to-many relation; nil for a value that is no [List].
//
// Errors: [BadFieldValue] for an element that is no key of the target.
func (f *Field) Elements(v Value) ([]Value, error) {
	if f.elements == nil {
		return v.Elements(f.target.key.typ)
	}
	texts, err := v.Elements(Text)
	for i, text := range texts {
		if texts[i], err = convertTuple(text, f.elements); err != nil {
			return nil, &Error{Code: BadFieldValue, Type: Tuple, Value: text}
		}
	}
	return texts, err
}

func (f *Field) badValue(raw any, cause error) error {
	e := &Error{Code: BadFieldValue, Resource: f.resource.apiName, Field: f.apiName, Type: f.typ, Value: raw, Cause: cause}
	if f.typ == Tuple {
		key := f
		if f.target != nil {
			key = f.target.key
		}
		e.Accepted = key.acceptedKey()
	}
	return e
}

var errScale = errors.New("has more digits after the point than the scale of the field")

var errNoKey = errors.New(`"", "." and ".." cannot be keys: a URL cannot address them`)

// addressable reports whether a URL can address a record with the key.
func addressable(key Value) bool { return key.typ != Text || key.str != "" && !isDotSegment(key.str) }

// isDotSegment reports whether a name is a dot segment of a URL path (RFC 3986, section 5.2.4).
func isDotSegment(name string) bool { return name == "." || name == ".." }

// keyList returns the list with its elements converted to keys of the target, sorted and without duplicates.
func (f *Field) keyList(v Value) (Value, error) {
	keys, err := f.Elements(v)
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
