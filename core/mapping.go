package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// mapping knows where the fields of a struct type are and how to move values in
// and out. It is made with reflection, once, and used without.
type mapping struct {
	resource   *Resource
	slots      []slot
	projection []string // nil when the struct has every column
}

// slot is one field of the struct.
type slot struct {
	field    *Field
	offset   uintptr
	accessor accessor
}

// accessor moves values in and out of memory of one Go type.
type accessor struct {
	// load returns the value at p; Null for what the type holds as null.
	load func(p unsafe.Pointer) (Value, error)
	// store sets the memory at p.
	store func(p unsafe.Pointer, v Value) error
}

func newMapping[T any](r *Resource) (*mapping, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	m := &mapping{resource: r}
	var errs []error
	for _, sf := range mappedFields(t) {
		if err := m.add(t, sf); err != nil {
			errs = append(errs, fmt.Errorf("%s.%s: %w", t, sf.Name, err))
		}
	}
	if len(errs) == 0 && m.slotOf(r.key) == nil {
		errs = append(errs, fmt.Errorf("%s: no field for the key %q", t, r.key.name))
	}
	if len(m.slots) < len(r.columns) {
		for _, s := range m.slots {
			m.projection = append(m.projection, s.field.name)
		}
	}
	return m, errors.Join(errs...)
}

// mappedFields returns the fields of a struct that stand for fields of the
// resource: exported, not tagged "-", not below an embedded struct that is. An
// embedded struct without a tag stands for its fields.
func mappedFields(t reflect.Type) []reflect.StructField {
	var mapped []reflect.StructField
	var skipped [][]int
	for _, sf := range reflect.VisibleFields(t) {
		tag := sf.Tag.Get("larder")
		below := slices.ContainsFunc(skipped, func(index []int) bool {
			return len(index) < len(sf.Index) && slices.Equal(index, sf.Index[:len(index)])
		})
		switch {
		case tag == "-":
			skipped = append(skipped, sf.Index)
		case below, !sf.IsExported(), sf.Anonymous && tag == "" && isStruct(sf.Type):
		default:
			mapped = append(mapped, sf)
		}
	}
	return mapped
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

func (m *mapping) add(t reflect.Type, sf reflect.StructField) error {
	f, err := fieldFor(m.resource, sf)
	if err != nil {
		return err
	}
	if m.slotOf(f) != nil {
		return fmt.Errorf("a second field for %q", f.name)
	}
	offset, err := offsetOf(t, sf.Index)
	if err != nil {
		return err
	}
	a, ok := accessorFor(f, sf.Type)
	if !ok {
		return fmt.Errorf("type %s cannot hold %s", sf.Type, f.typ)
	}
	m.slots = append(m.slots, slot{f, offset, a})
	return nil
}

func (m *mapping) slotOf(f *Field) *slot {
	for i := range m.slots {
		if m.slots[i].field == f {
			return &m.slots[i]
		}
	}
	return nil
}

func fieldFor(r *Resource, sf reflect.StructField) (*Field, error) {
	name := sf.Tag.Get("larder")
	if name == "" {
		name = sf.Name
	}
	f := r.Field(name)
	if f == nil && sf.Tag.Get("larder") == "" {
		for _, candidate := range r.fields {
			if strings.EqualFold(candidate.name, name) {
				f = candidate
				break
			}
		}
	}
	if f == nil {
		return nil, fmt.Errorf("resource %q has no field %q", r.name, name)
	}
	if !f.Stored() {
		return nil, fmt.Errorf("field %q is not stored", f.name)
	}
	return f, nil
}

// offsetOf follows the index of a promoted field; embedded pointers have no
// fixed offset.
func offsetOf(t reflect.Type, index []int) (uintptr, error) {
	var offset uintptr
	for _, i := range index {
		if t.Kind() != reflect.Struct {
			return 0, errors.New("is promoted through a pointer")
		}
		sf := t.Field(i)
		offset += sf.Offset
		t = sf.Type
	}
	return offset, nil
}

// read makes records of rows. To insert, null values are left absent, so that
// defaults apply.
func read[T any](m *mapping, rows []*T, insert bool) ([]Record, error) {
	records := make([]Record, len(rows))
	for i, row := range rows {
		if row == nil {
			return nil, &Error{Code: BadRequest, Message: "a row is nil"}
		}
		values := make([]Value, len(m.resource.columns))
		for _, s := range m.slots {
			v, err := s.accessor.load(unsafe.Add(unsafe.Pointer(row), s.offset))
			if err != nil {
				return nil, s.refuse(err)
			}
			if insert && v.IsNull() {
				v = Value{}
			}
			values[s.field.column] = v
		}
		records[i] = Record{m.resource, values}
	}
	return records, nil
}

// write sets the row to what the record holds.
func write[T any](m *mapping, row *T, rec Record) error {
	for _, s := range m.slots {
		if err := s.accessor.store(unsafe.Add(unsafe.Pointer(row), s.offset), rec.values[s.field.column]); err != nil {
			return s.refuse(err)
		}
	}
	return nil
}

func (s *slot) refuse(err error) error {
	return &Error{
		Code: BadFieldValue, Resource: s.field.resource.apiName, Field: s.field.apiName,
		Type: s.field.typ, Cause: err,
	}
}
