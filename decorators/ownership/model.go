package ownership

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// owner is the place of the owner of a resource's records: a field of the record, or of the record at the end of a path of
// to-one relations. The zero owner is that of shared resources.
type owner struct {
	path  []core.Relation
	field *core.Field
}

// equals returns the condition that the owner is v.
func (o owner) equals(v core.Value) core.Filter {
	f := o.field.Equals(v)
	for _, step := range slices.Backward(o.path) {
		f = step.Match(f)
	}
	return f
}

// owners returns the owner of each resource by its index. The owner field has the default name unless Fields has another
// one.
func (o Options) owners(m *core.Model, defaultName string) ([]owner, error) {
	errs := o.check(m)
	owners := make([]owner, len(m.Resources()))
	for i, r := range m.Resources() {
		if slices.Contains(o.Shared, r.Name()) {
			continue
		}
		var err error
		if owners[i], err = o.owner(r, defaultName); err != nil {
			errs = append(errs, fmt.Errorf("resource %q: %w", r.Name(), err))
		}
	}
	return owners, errors.Join(errs...)
}

// owner follows Through to the owner field.
func (o Options) owner(r *core.Resource, defaultName string) (found owner, err error) {
	for start := r; ; {
		through, ok := o.Through[r.Name()]
		if !ok {
			name, ok := o.Fields[r.Name()]
			if !ok {
				name = defaultName
			}
			if slices.Contains(o.Shared, r.Name()) {
				return owner{}, fmt.Errorf("option Through leads to the shared resource %q, which has no owner", r.Name())
			}
			if found.field, err = ownerField(r, name); err != nil && r != start {
				err = fmt.Errorf("option Through leads to the resource %q, which %w", r.Name(), err)
			}
			return found, err
		}
		f := r.Field(through)
		if f == nil || f.Target() == nil || f.Many() || !f.Stored() {
			return owner{}, fmt.Errorf("option Through names %q, which is no stored to-one relation of %s", through, r.Name())
		}
		step, _ := f.Relation()
		if found.path = append(found.path, step); len(found.path) > maxThrough {
			return owner{}, fmt.Errorf("option Through leads over more than %d relations; does it lead in a circle?", maxThrough)
		}
		r = f.Target()
	}
}

// maxThrough bounds a chain of Through.
const maxThrough = 5

// check returns the mistakes in the options.
func (o Options) check(m *core.Model) (errs []error) {
	names := func(option string, resources []string) {
		for _, name := range resources {
			if m.Resource(name) == nil {
				errs = append(errs, fmt.Errorf("option %s: there is no resource %q; the model %q has %s", option, name, m.Name(), resourceNames(m)))
			}
		}
	}
	fields := slices.Sorted(maps.Keys(o.Fields))
	names("Fields", fields)
	names("Shared", o.Shared)
	names("Through", slices.Sorted(maps.Keys(o.Through)))
	for _, name := range fields {
		if slices.Contains(o.Shared, name) {
			errs = append(errs, fmt.Errorf("options Fields and Shared: both name resource %q; remove it from one of them", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Through)) {
		if _, both := o.Fields[name]; both || slices.Contains(o.Shared, name) {
			errs = append(errs, fmt.Errorf("option Through names resource %q, as does Fields or Shared; remove it from one of them", name))
		}
	}
	if slices.Contains(o.Bypass, "") {
		errs = append(errs, errors.New("option Bypass: contains an empty role; name it or remove it"))
	}
	return errs
}

// ownerField returns the field, if it can hold owners and clients can neither see nor set it.
func ownerField(r *core.Resource, name string) (*core.Field, error) {
	f := r.Field(name)
	if f == nil {
		return nil, fmt.Errorf("has no field %q; add a hidden field of that name, name another one in Fields, name a relation to its owner in Through, or list the resource in Shared", name)
	}
	switch {
	case !f.Stored() || f.Many():
		return nil, fmt.Errorf("field %q cannot hold an owner; use a stored scalar or to-one relation", name)
	case f.Parts() != nil && !f.Key():
		return nil, fmt.Errorf("field %q is derived from other fields; use one of these", name)
	case f.Key():
		return nil, fmt.Errorf("field %q is the key, which clients see and choose; use a hidden field", name)
	case f.Type() != core.Int && f.Type() != core.Text && f.Type() != core.UUID:
		return nil, fmt.Errorf("field %q is of type %s; use int, text or uuid", name, f.Type())
	case !f.Hidden():
		return nil, fmt.Errorf("field %q is visible to clients; set Hidden in the model", name)
	}
	if f.HasDefaultFunc() || !f.ConstantDefault().IsAbsent() {
		return nil, fmt.Errorf("field %q has a default, but the owner is the principal that inserts the record; remove Default in the model", name)
	}
	return f, nil
}

func resourceNames(m *core.Model) string {
	var names []string
	for _, r := range m.Resources() {
		names = append(names, r.Name())
	}
	return strings.Join(names, ", ")
}
