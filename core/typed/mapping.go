package typed

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// mapping connects the fields of a struct type with the columns of a resource.
type mapping struct {
	resource   *core.Resource
	slots      []slot
	projection []string // names of the mapped columns; nil if the struct has all of them
}

// slot is one mapped field of the struct.
type slot struct {
	field *core.Field
	index []int // for reflect.Value.FieldByIndex
	accessor
}

func newMapping[T any](r *core.Resource) (*mapping, error) {
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
	if len(errs) == 0 && !m.has(r.Key()) {
		errs = append(errs, fmt.Errorf("%s: no field for the key %q", t, r.Key().Name()))
	}
	if len(m.slots) < len(r.Columns()) {
		for _, s := range m.slots {
			m.projection = append(m.projection, s.field.Name())
		}
	}
	return m, errors.Join(errs...)
}

// mappedFields returns the exported fields of a struct, promoted ones included, without fields that are tagged "-" or
// promoted through such a field. An embedded struct without a tag is left out in favour of its fields.
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
	switch {
	case err != nil:
		return err
	case m.has(f):
		return fmt.Errorf("a second field for %q", f.Name())
	case throughPointer(t, sf.Index):
		return errors.New("is promoted through a pointer; embed the struct itself")
	}
	a, ok := accessorFor(f, sf.Type)
	if !ok {
		return fmt.Errorf("type %s cannot hold %s", sf.Type, f.Type())
	}
	m.slots = append(m.slots, slot{f, sf.Index, a})
	return nil
}

func (m *mapping) has(f *core.Field) bool {
	return slices.ContainsFunc(m.slots, func(s slot) bool { return s.field == f })
}

func fieldFor(r *core.Resource, sf reflect.StructField) (*core.Field, error) {
	name := sf.Tag.Get("larder")
	if name == "" {
		name = sf.Name
	}
	f := r.Field(name)
	if f == nil && sf.Tag.Get("larder") == "" {
		for _, candidate := range r.Fields() {
			if strings.EqualFold(candidate.Name(), name) {
				f = candidate
				break
			}
		}
	}
	if f == nil {
		return nil, fmt.Errorf("resource %q has no field %q", r.Name(), name)
	}
	if !f.Stored() {
		return nil, fmt.Errorf("field %q is not stored", f.Name())
	}
	return f, nil
}

// throughPointer reports whether the index of a promoted field leads through an embedded pointer, which may be nil.
func throughPointer(t reflect.Type, index []int) bool {
	for _, i := range index {
		if t.Kind() != reflect.Struct {
			return true
		}
		t = t.Field(i).Type
	}
	return false
}

// recordsOf returns the records of the rows. In records to insert null is absent, so that defaults apply.
func recordsOf[T any](m *mapping, rows []*T, insert bool) ([]core.Record, error) {
	records := make([]core.Record, len(rows))
	for i, row := range rows {
		if row == nil {
			return nil, &core.Error{Code: core.BadRequest, Message: fmt.Sprintf("row %d is nil", i+1)}
		}
		values := make([]core.Value, len(m.resource.Columns()))
		target := reflect.ValueOf(row).Elem()
		for _, s := range m.slots {
			field := target.FieldByIndex(s.index)
			v, err := s.load(field)
			if err != nil {
				return nil, s.misfit(field.Interface(), fmt.Errorf("row %d: %w", i+1, err))
			}
			if insert && v.IsNull() {
				v = core.Value{}
			}
			values[s.field.Column()] = v
		}
		records[i] = m.resource.RecordOf(values)
	}
	return records, nil
}

// scan sets the row to the values of the record.
func scan[T any](m *mapping, row *T, rec core.Record) error {
	target := reflect.ValueOf(row).Elem()
	for _, s := range m.slots {
		v := rec.At(s.field.Column())
		if err := s.store(target.FieldByIndex(s.index), v); err != nil {
			return s.misfit(v.Any(), fmt.Errorf("%s %s: %w", m.resource, rec.Key(), err))
		}
	}
	return nil
}

// misfit returns the error for a value that the field of the struct or of the resource cannot hold. The cause names the
// row or the record.
func (s *slot) misfit(value any, cause error) error {
	return &core.Error{
		Code: core.BadFieldValue, Resource: s.field.Resource().APIName(), Field: s.field.APIName(),
		Type: s.field.Type(), Value: value, Cause: cause,
	}
}
