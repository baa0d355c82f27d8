package core

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// builder makes a model and collects every mistake on the way.
type builder struct {
	model *Model
	errs  []error
}

func (b *builder) failf(format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf(format, args...))
}

func (b *builder) failField(f *Field, format string, args ...any) {
	b.failf("resource %q: field %q: %s", f.resource.name, f.name, fmt.Sprintf(format, args...))
}

func (b *builder) err() error {
	if len(b.errs) == 0 {
		return nil
	}
	return fmt.Errorf("model %q: %w", b.model.name, errors.Join(b.errs...))
}

func (b *builder) addResources(specs []ResourceSpec) {
	m := b.model
	if !goodName(m.name) {
		b.failf("name %q is empty or has control characters", m.name)
	}
	if len(specs) == 0 {
		b.failf("no resources")
	}
	for _, spec := range specs {
		r := &Resource{
			model: m, index: len(m.resources), name: spec.Name, apiName: orElse(spec.APIName, spec.Name),
			byName: make(map[string]*Field), byAPIName: make(map[string]*Field),
		}
		switch {
		case !goodName(r.name) || !goodName(r.apiName):
			b.failf("resource %q: name is empty or has control characters", r.name)
		case dots(r.apiName):
			b.failf("resource %q: clients cannot call it %q, which they take out of a URL", r.name, r.apiName)
		case m.byName[r.name] != nil:
			b.failf("resource %q: declared twice", r.name)
		case m.byAPIName[r.apiName] != nil:
			b.failf("resource %q: API name %q is taken", r.name, r.apiName)
		}
		m.resources = append(m.resources, r)
		m.byName[r.name] = r
		m.byAPIName[r.apiName] = r
		b.addFields(r, spec.Fields)
	}
}

func (b *builder) addFields(r *Resource, specs []FieldSpec) {
	for _, spec := range specs {
		f := &Field{
			resource: r, spec: spec, name: spec.Name, apiName: orElse(spec.APIName, spec.Name),
			typ: spec.Type, column: -1, unique: spec.Unique, indexed: spec.Indexed || spec.Unique,
		}
		switch {
		case !goodName(f.name) || !goodName(f.apiName):
			b.failField(f, "name is empty or has control characters")
		case r.byName[f.name] != nil:
			b.failField(f, "declared twice")
		case r.byAPIName[f.apiName] != nil:
			b.failField(f, "API name %q is taken", f.apiName)
		}
		r.fields = append(r.fields, f)
		r.byName[f.name] = f
		r.byAPIName[f.apiName] = f
		if spec.Assigned && !spec.Key {
			b.failField(f, "only a key is assigned")
		}
		if spec.Key && r.key != nil {
			b.failField(f, "second key, after %q", r.key.name)
		} else if spec.Key {
			r.key = f
		}
	}
	if r.key == nil {
		b.failf("resource %q: no field is the key", r.name)
		r.key = &Field{resource: r, column: -1, typ: Int} // lets the other checks go on
	}
}

// linkRelations finds targets and inverses, and gives the stored fields their
// columns.
func (b *builder) linkRelations() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.link(f)
			if f.spec.Computed == nil && f.spec.Inverse == "" {
				f.column = len(r.columns)
				r.columns = append(r.columns, f)
			}
		}
	}
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.connect(f)
		}
	}
	for _, r := range b.model.resources {
		r.byKey = []Order{{Field: r.key}}
		for _, f := range r.columns {
			if f.unique && !f.spec.Key {
				r.uniques = append(r.uniques, f)
			}
		}
	}
}

func (b *builder) link(f *Field) {
	name := orElse(f.spec.ToOne, f.spec.ToMany)
	if name == "" {
		return
	}
	if f.target = b.model.byName[name]; f.target == nil {
		b.failField(f, "related resource %q does not exist", name)
		return
	}
	switch {
	case f.Many():
		f.typ = List
	default:
		f.typ = f.target.key.typ
		if f.spec.Inverse == "" {
			f.indexed = true
			f.target.referrers = append(f.target.referrers, f)
			f.resource.toOnes = append(f.resource.toOnes, f)
		}
	}
}

func (b *builder) connect(f *Field) {
	if f.spec.Inverse == "" || f.target == nil {
		return
	}
	other := f.target.byName[f.spec.Inverse]
	switch {
	case other == nil:
		b.failField(f, "inverse %s.%s does not exist", f.target.name, f.spec.Inverse)
	case other == f:
		b.failField(f, "is its own inverse")
	case other.spec.ToOne == "" || other.spec.Inverse != "":
		b.failField(f, "inverse %s is not a stored to-one relation", other)
	case other.target != f.resource:
		b.failField(f, "inverse %s does not point back at %q", other, f.resource.name)
	case other.inverse != nil:
		b.failField(f, "inverse %s is already connected to %s", other, other.inverse)
	default:
		f.inverse, other.inverse = other, f
		other.unique = other.unique || !f.Many()
	}
}

func (b *builder) convertDefaults() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			if f.spec.Default == nil || !f.Stored() {
				continue
			}
			if _, ok := f.spec.Default.(func() any); ok {
				continue
			}
			v, err := f.Convert(f.spec.Default)
			if err != nil {
				b.failField(f, "default %v does not fit type %s", f.spec.Default, f.typ)
			}
			f.fallback = v
		}
	}
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// goodName refuses what no backend or client can spell.
func goodName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
