package ownership

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// owners returns the owner field of each resource by its index, nil for shared resources. The owner field has the default
// name unless Fields has another one.
func (o Options) owners(m *core.Model, defaultName string) ([]*core.Field, error) {
	errs := o.check(m)
	fields := make([]*core.Field, len(m.Resources()))
	for i, r := range m.Resources() {
		if slices.Contains(o.Shared, r.Name()) {
			continue
		}
		name, ok := o.Fields[r.Name()]
		if !ok {
			name = defaultName
		}
		f, err := ownerField(r, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("resource %q: %w", r.Name(), err))
		}
		fields[i] = f
	}
	return fields, errors.Join(errs...)
}

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
	for _, name := range fields {
		if slices.Contains(o.Shared, name) {
			errs = append(errs, fmt.Errorf("options Fields and Shared: both name resource %q; remove it from one of them", name))
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
		return nil, fmt.Errorf("has no field %q; add a hidden field of that name, name another one in Fields, or list the resource in Shared", name)
	}
	switch {
	case !f.Stored() || f.Many():
		return nil, fmt.Errorf("field %q cannot hold an owner; use a stored scalar or to-one relation", name)
	case f.Key():
		return nil, fmt.Errorf("field %q is the key, which clients see and choose; use a hidden field", name)
	case f.Type() != core.Int && f.Type() != core.Text && f.Type() != core.UUID:
		return nil, fmt.Errorf("field %q is of type %s; use int, text or uuid", name, f.Type())
	case !f.Hidden():
		return nil, fmt.Errorf("field %q is visible to clients; set Hidden in the model", name)
	}
	if v, err := f.Default(); err != nil || !v.IsAbsent() {
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
