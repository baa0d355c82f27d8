package ownership

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// owners returns the owner field of each resource, by its index; nil for shared
// ones.
func (o Options) owners(m *core.Model, usual string) ([]*core.Field, error) {
	errs := o.check(m)
	fields := make([]*core.Field, len(m.Resources()))
	for i, r := range m.Resources() {
		if slices.Contains(o.Shared, r.Name()) {
			continue
		}
		name, own := o.Fields[r.Name()]
		if !own {
			name = usual
		}
		f, err := ownerOf(r, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("resource %q: %w", r.Name(), err))
		}
		fields[i] = f
	}
	return fields, errors.Join(errs...)
}

// check looks for options that fit no model, or not this one.
func (o Options) check(m *core.Model) (errs []error) {
	names := func(option string, resources []string) {
		for _, name := range resources {
			if m.Resource(name) == nil {
				errs = append(errs, fmt.Errorf("option %s: there is no resource %q; the model %q has %s", option, name, m.Name(), listOf(m)))
			}
		}
	}
	fields := slices.Sorted(maps.Keys(o.Fields))
	names("Fields", fields)
	names("Shared", o.Shared)
	for _, name := range fields {
		if slices.Contains(o.Shared, name) {
			errs = append(errs, fmt.Errorf("options Fields and Shared: both name resource %q; its records have an owner or they have none", name))
		}
	}
	if slices.Contains(o.Bypass, "") {
		errs = append(errs, errors.New("option Bypass: a role has no name"))
	}
	return errs
}

// ownerOf finds the field and makes sure that it can hold owners and that clients
// cannot reach it.
func ownerOf(r *core.Resource, name string) (*core.Field, error) {
	f := r.Field(name)
	if f == nil {
		return nil, fmt.Errorf("has no field %q; add it as a hidden one, say in Fields what its owner field is called, or name the resource in Shared", name)
	}
	switch {
	case !f.Stored() || f.Many():
		return nil, fmt.Errorf("field %q cannot hold an owner; it has to be a stored scalar or to-one relation", name)
	case f.Key():
		return nil, fmt.Errorf("field %q is the key, which clients see and choose; keep the owner in a hidden field", name)
	case f.Type() != core.Int && f.Type() != core.Text && f.Type() != core.UUID:
		return nil, fmt.Errorf("field %q is of type %s; owners are of type int, text or uuid", name, f.Type())
	case !f.Hidden():
		return nil, fmt.Errorf("field %q is visible to clients; set Hidden in the model", name)
	}
	if v, err := f.Default(); err != nil || !v.IsAbsent() {
		return nil, fmt.Errorf("field %q has a default; a record's owner is who inserts it, so remove the Default in the model", name)
	}
	return f, nil
}

func listOf(m *core.Model) string {
	var names []string
	for _, r := range m.Resources() {
		names = append(names, r.Name())
	}
	return strings.Join(names, ", ")
}
