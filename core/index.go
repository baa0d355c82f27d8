package core

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Index declares an index over several fields of a resource, or over some of its records. [FieldSpec.Indexed] and
// [FieldSpec.Unique] declare indexes over one field and all records.
//
// A backend uses the index for conditions that name one value for each of the first fields, alone or followed by an order
// by the remaining fields and the key. The index on "org" and "-updated" serves the newest records of one org.
type Index struct {
	// Fields names stored fields of ordered types, at most 16, with "-" in front for descending order. Only the last one can
	// be the key; without it, the key breaks ties in ascending order.
	Fields []string
	// Where restricts the index to the records that match. It is a comparison with [Eq], [In] or [Ne], or several joined
	// by [And]. Eq and In take values of fields of type [Bool], [Int], [Text] and [UUID]; Eq and Ne take nil for every ordered
	// type. The index serves operations whose conditions contain it. The zero Filter means all records.
	Where Filter
	// Unique means that no two records of the index may have the same values in all of Fields. As in SQL, records with
	// null in one of Fields may repeat. A unique index has no directions and does not contain the key.
	Unique bool

	resource *Resource
	order    []Order
}

// Order returns the fields and directions of an index of [Resource.Indexes]. The slice is shared and must not be
// modified.
func (x *Index) Order() []Order { return x.order }

// String returns the fields and the condition, for messages.
func (x *Index) String() string {
	text := strings.Join(x.Fields, ", ")
	if x.Where.Kind() != FilterAll {
		text += " where " + x.Where.String()
	}
	return text
}

// Claim returns the values of Fields that no other record of a unique index may have: the value of a single field,
// otherwise a [List]. It is absent if the record does not match Where or has null in one of Fields. Claims of one index
// are equal if and only if the values are.
func (x *Index) Claim(rec Record) Value {
	if in, err := x.Where.Match(rec, nil); !in || err != nil { // the condition crosses no relation, so it is decided
		return Value{}
	}
	values := make([]Value, len(x.order))
	for i, o := range x.order {
		if values[i] = rec.At(o.Field.column); !values[i].IsSet() {
			return Value{}
		}
	}
	if len(values) == 1 {
		return values[0]
	}
	return ListOf(values...)
}

// AlreadyExists returns the error for values of a unique index that another record has. It names all fields that are not
// hidden.
func (x *Index) AlreadyExists() *Error {
	fields := make([]*Field, len(x.order))
	for i, o := range x.order {
		fields[i] = o.Field
	}
	return x.resource.duplicate(fields)
}

// AlreadyExistsWith is [Index.AlreadyExists] with the [Index.Claim] of the records, which clients do not see.
func (x *Index) AlreadyExistsWith(claim Value) *Error {
	e := x.AlreadyExists()
	e.Value = claim
	return e
}

// isOfLiving reports whether the index has all records in which a hidden time is null, as it is in records that are not deleted
// where a decorator keeps deleted ones.
func (x *Index) isOfLiving() bool {
	f := x.Where.Field()
	return f != nil && x.Where.Kind() == FilterEq && x.Where.Values()[0].IsNull() && f.Hidden() && f.typ == Time
}

// maxIndexFields bounds the fields of an index, below the limit of PostgreSQL.
const maxIndexFields = 16

// addIndexes resolves the indexes of a resource.
func (b *builder) addIndexes(r *Resource, spec ResourceSpec) {
	declared := make([]Index, 0, len(spec.Unique)+len(spec.Indexes))
	for _, fields := range spec.Unique {
		declared = append(declared, Index{Fields: fields, Unique: true})
	}
	known := make(map[string]bool)
	for _, x := range append(declared, spec.Indexes...) {
		x.resource, x.order = r, nil
		if err := x.resolve(); err != nil {
			b.failf("resource %q: index %q: %w", r.name, strings.Join(x.Fields, ", "), err)
			continue
		}
		if text := fmt.Sprint(x.String(), x.Unique); known[text] {
			b.failf("resource %q: index %q: declared twice", r.name, x.String())
		} else {
			known[text] = true
		}
		r.indexes = append(r.indexes, &x)
	}
}

var (
	errIndexSize    = errors.New("must have 1 to 16 fields")
	errIndexSingle  = errors.New("has one field, all records and no direction; set Indexed or Unique on the field")
	errIndexUnique  = errors.New("is unique and has a direction; remove it, or declare a second index")
	errIndexKey     = errors.New("only the last field of an index that is not unique can be the key")
	errIndexWhere   = errors.New("the condition must be Eq, In, or Ne with nil, or several of them joined by And")
	errIndexOperand = errors.New("the condition must compare fields of type bool, int, text or uuid, or any ordered type with nil")
)

// resolve sets the order and binds the condition.
func (x *Index) resolve() (err error) {
	if len(x.Fields) == 0 || len(x.Fields) > maxIndexFields {
		return errIndexSize
	}
	x.Fields = slices.Clone(x.Fields)
	for i, name := range x.Fields {
		o := Order{Field: x.resource.Field(name)}
		if rest, desc := strings.CutPrefix(name, "-"); o.Field == nil && desc {
			o = Order{Field: x.resource.Field(rest), Desc: true}
		}
		switch {
		case o.Field == nil:
			return fmt.Errorf("field %q does not exist", name)
		case !o.Field.Stored() || !o.Field.typ.Ordered():
			return fmt.Errorf("field %q must be a stored field of an ordered type", name)
		case o.Field.Key() && (x.Unique || i < len(x.Fields)-1):
			return errIndexKey
		case o.Desc && x.Unique:
			return errIndexUnique
		case slices.ContainsFunc(x.order, func(other Order) bool { return other.Field == o.Field }):
			return fmt.Errorf("field %q occurs twice", name)
		}
		x.order = append(x.order, o)
	}
	if x.Where, err = x.resource.Bind(x.Where); err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	if x.Where.Kind() == FilterAll && len(x.order) == 1 && !x.order[0].Desc {
		return errIndexSingle
	}
	return x.checkWhere(x.Where)
}

// checkWhere rejects conditions other than those that [Index.Where] lists.
func (x *Index) checkWhere(f Filter) error {
	switch f.Kind() {
	case FilterAll:
		return nil
	case FilterAnd:
		for _, part := range f.Filters() {
			if err := x.checkWhere(part); err != nil {
				return err
			}
		}
		return nil
	case FilterEq, FilterIn, FilterNe:
	default:
		return errIndexWhere
	}
	null := slices.Contains(f.Values(), Null)
	if len(f.Values()) == 0 || f.Kind() == FilterNe && !null || f.Kind() == FilterIn && null {
		return errIndexWhere
	}
	switch f.Field().typ {
	case Bool, Int, Text, UUID:
		return nil
	}
	if !null || !f.Field().typ.Ordered() {
		return errIndexOperand
	}
	return nil
}
