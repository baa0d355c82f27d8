package core

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// builder builds a model and collects the mistakes of its declaration.
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
	if !validName(m.name) {
		b.failf("name %q must be non-empty UTF-8 without control characters", m.name)
	}
	if len(specs) == 0 {
		b.failf("has no resources; declare at least one")
	}
	for _, spec := range specs {
		r := &Resource{
			model: m, index: len(m.resources), name: spec.Name, apiName: cmp.Or(spec.APIName, spec.Name),
			description: spec.Description, readOnly: spec.ReadOnly,
			byName: make(map[string]*Field), byAPIName: make(map[string]*Field),
		}
		switch {
		case !validName(r.name):
			b.failf("resource %q: name must be non-empty UTF-8 without control characters", r.name)
		case !validAPIName(r.apiName):
			b.failf("resource %q: %s", r.name, apiNameMistake(r.apiName))
		case m.byName[r.name] != nil:
			b.failf("resource %q: declared twice", r.name)
		case m.byAPIName[r.apiName] != nil:
			b.failf("resource %q: another resource has the API name %q", r.name, r.apiName)
		}
		m.resources = append(m.resources, r)
		m.byName[r.name] = r
		m.byAPIName[r.apiName] = r
		b.addFields(r, withKeyField(spec))
	}
}

func (b *builder) addFields(r *Resource, specs []FieldSpec) {
	for _, spec := range specs {
		f := &Field{
			resource: r, spec: spec, name: spec.Name, apiName: cmp.Or(spec.APIName, spec.Name),
			typ: spec.Type, column: -1, unique: spec.Unique, indexed: spec.Indexed || spec.Unique,
		}
		switch {
		case !validName(f.name):
			b.failField(f, "name must be non-empty UTF-8 without control characters")
		case !validAPIName(f.apiName):
			b.failField(f, "%s", apiNameMistake(f.apiName))
		case r.byName[f.name] != nil && r.key != nil && r.key.typ == Tuple && r.byName[f.name] == r.key:
			b.failField(f, "has the name of the field that shows the key; set ResourceSpec.KeyName to another name")
		case r.byName[f.name] != nil:
			b.failField(f, "declared twice")
		case r.byAPIName[f.apiName] != nil:
			b.failField(f, "another field has the API name %q", f.apiName)
		}
		r.fields = append(r.fields, f)
		r.byName[f.name] = f
		r.byAPIName[f.apiName] = f
		if spec.Assigned && !spec.Key {
			b.failField(f, "only a key can be Assigned")
		}
		if spec.Key && r.key == nil {
			r.key = f
		} else if spec.Key {
			f.keyPart = true
			r.key.parts = append(r.key.parts, f)
		}
	}
	if r.key == nil {
		b.failf("resource %q: has no key; set Key on one field", r.name)
		r.key = &Field{resource: r, column: -1, typ: Int} // so that the other checks can run
	}
}

// withKeyField returns the fields of the resource. If several are keys, the field for their tuple comes first.
func withKeyField(spec ResourceSpec) []FieldSpec {
	keys := 0
	for _, f := range spec.Fields {
		if f.Key {
			keys++
		}
	}
	if keys < 2 {
		return spec.Fields
	}
	key := FieldSpec{Name: cmp.Or(spec.KeyName, "id"), Type: Tuple, Key: true, Assigned: true, ReadOnly: true}
	return append([]FieldSpec{key}, spec.Fields...)
}

// linkRelations sets the targets and inverses of relations and the columns of stored fields.
func (b *builder) linkRelations() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.link(f)
			if f.spec.Computed == nil && f.spec.Inverse == "" && f.spec.Through == "" {
				f.column = len(r.columns)
				r.columns = append(r.columns, f)
			}
		}
	}
	b.linkKeys()
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.connect(f)
			b.linkNumber(f)
		}
	}
	for _, r := range b.model.resources {
		r.keyOrder = []Order{{Field: r.key}}
		for _, f := range r.columns {
			if f.unique && f != r.key {
				r.uniques = append(r.uniques, f)
			}
			if f.spec.Searchable {
				r.searchable = append(r.searchable, f)
			}
		}
	}
}

func (b *builder) link(f *Field) {
	name := cmp.Or(f.spec.ToOne, f.spec.ToMany)
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
			if !f.Keeps() {
				f.target.referrers = append(f.target.referrers, f)
			}
			f.resource.references = append(f.resource.references, f)
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
		b.failField(f, "inverse %s is not a stored to-one relation; name a ToOne that has no Inverse", other)
	case other.target != f.resource:
		b.failField(f, "inverse %s does not point back at %q", other, f.resource.name)
	case other.inverse != nil:
		b.failField(f, "inverse %s is already connected to %s", other, other.inverse)
	default:
		f.inverse, other.inverse = other, f
		other.unique = other.unique || !f.Many()
	}
}

// linkThroughs sets the two relations of the lists that go through a join resource.
func (b *builder) linkThroughs() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			if f.spec.Through == "" || f.target == nil || f.spec.Inverse != "" {
				continue
			}
			if err := b.linkThrough(f); err != nil {
				b.failField(f, "Through: %s", err)
			}
		}
	}
}

func (b *builder) linkThrough(f *Field) error {
	join, farName := b.model.byName[f.spec.Through], ""
	if dot := strings.LastIndexByte(f.spec.Through, '.'); join == nil && dot >= 0 {
		join, farName = b.model.byName[f.spec.Through[:dot]], f.spec.Through[dot+1:]
	}
	if join == nil {
		return fmt.Errorf("resource %q does not exist", f.spec.Through)
	}
	if join == f.resource || join == f.target {
		return fmt.Errorf("%q is one of the two resources; name a third one that joins them", join.name)
	}
	if far := join.byName[farName]; farName != "" && (far == nil || far.spec.ToOne == "" || !far.Stored() || far.target != f.target) {
		return fmt.Errorf("%s.%s is no stored to-one relation to %q", join, farName, f.spec.ToMany)
	}
	var nears, fars, pairs []*Field // pairs holds each pair in two elements
	for _, near := range join.references {
		if near.target == f.target && (farName == "" || near.name == farName) {
			fars = append(fars, near)
		}
		if near.target != f.resource {
			continue
		}
		nears = append(nears, near)
		for _, far := range join.references {
			if far != near && far.target == f.target && (farName == "" || far.name == farName) && join.isUnique(near, far) {
				pairs = append(pairs, near, far)
			}
		}
	}
	switch {
	case len(nears) == 0:
		return fmt.Errorf("%q has no stored to-one relation to %q", join.name, f.resource.name)
	case len(fars) == 0:
		return fmt.Errorf("%q has no stored to-one relation to %q", join.name, f.target.name)
	case f.resource == f.target && len(nears) == 1:
		return fmt.Errorf("%q has one relation to %q; a link needs two", join.name, f.target.name)
	case len(pairs) == 0:
		return fmt.Errorf("two records of %q may join the same records; make the relation to %q and the one to %q its key, or name both in a Unique", join.name, f.resource.name, f.target.name)
	case len(pairs) > 2:
		return ambiguousThrough(pairs)
	case join.key.Assigned() && join.key.parts == nil && !f.ReadOnly():
		return fmt.Errorf("the list cannot create records of %q, whose key is Assigned; set ReadOnly on the field", join.name)
	}
	if pairs[0].Keeps() || pairs[1].Keeps() {
		return fmt.Errorf("a relation of %q has OnDelete Keep; a link ends with its targets, so remove OnDelete", join.name)
	}
	f.near, f.far = pairs[0], pairs[1]
	f.near.joins, f.far.joins = true, true
	return nil
}

// ambiguousThrough returns the error for several pairs of relations that a list could go through.
func ambiguousThrough(pairs []*Field) error {
	var fars []string
	for i := 1; i < len(pairs); i += 2 {
		if name := strconv.Quote(pairs[i].String()); !slices.Contains(fars, name) {
			fars = append(fars, name)
		}
	}
	if len(fars) == 1 {
		return fmt.Errorf("%s and %s both form a unique pair with %s; keep one of the two Unique", pairs[0], pairs[2], pairs[1])
	}
	return fmt.Errorf("several relations lead to %q; name one of them: %s", pairs[1].target.name, strings.Join(fars, " or "))
}

// isUnique reports whether the two relations are the key of the resource, or those of a unique index over all records that are
// not deleted.
func (r *Resource) isUnique(a, b *Field) bool {
	if r.join == [2]*Field{a, b} || r.join == [2]*Field{b, a} {
		return true
	}
	return slices.ContainsFunc(r.indexes, func(x *Index) bool {
		return x.Unique && (x.Where.Kind() == FilterAll || x.isOfLiving()) && len(x.order) == 2 &&
			(x.order[0].Field == a && x.order[1].Field == b || x.order[0].Field == b && x.order[1].Field == a)
	})
}

func (b *builder) convertDefaults() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			if f.spec.Default == nil || !f.Stored() {
				continue
			}
			if f.HasDefaultFunc() {
				continue
			}
			if t := reflect.TypeOf(f.spec.Default); t.Kind() == reflect.Func {
				b.failField(f, "default is a %s; a function must be a func() any or a func(context.Context) any", t)
				continue
			}
			v, err := f.Convert(f.spec.Default)
			if s, isString := f.spec.Default.(string); err != nil && isString {
				b.failField(f, "default %q does not fit type %s", s, f.typ)
			} else if err != nil {
				b.failField(f, "default %v does not fit type %s", f.spec.Default, f.typ)
			}
			f.defaultValue = v
			b.checkDefault(f)
		}
	}
}

// validName reports whether a backend can spell the name.
func validName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// validAPIName reports whether a client can spell the name in a URL, in a path of a filter and in a sort: letters, digits,
// "_" and, neither first nor last, "-".
func validAPIName(s string) bool {
	other := func(c rune) bool { return c != '_' && c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c) }
	return validName(s) && !strings.ContainsFunc(s, other) && s[0] != '-' && s[len(s)-1] != '-'
}

func apiNameMistake(name string) string {
	return fmt.Sprintf(`API name %q is not valid; set APIName and use letters, digits, "_" and inner "-"`, name)
}

// checkFields reports attributes that contradict each other.
func (b *builder) checkFields() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.checkKind(f)
			switch {
			case f.keyPart:
				b.checkKeyPart(f)
			case f.spec.Key && f.parts == nil:
				b.checkKey(f)
			}
			b.checkVia(f)
			b.checkAttributes(f)
			b.checkRelationRules(f)
		}
		b.checkRenames(r)
	}
}

func (b *builder) checkKind(f *Field) {
	s := f.spec
	relation := s.ToOne != "" || s.ToMany != ""
	switch {
	case s.ToOne != "" && s.ToMany != "":
		b.failField(f, "is both to-one and to-many")
	case relation && s.Computed != nil:
		b.failField(f, "is both a relation and computed")
	case relation && s.Type != 0:
		b.failField(f, "a relation has no type of its own; remove Type")
	case !relation && s.Inverse != "":
		b.failField(f, "has an Inverse but no ToOne or ToMany")
	case s.Through != "" && s.ToMany == "":
		b.failField(f, "has Through but no ToMany")
	case s.Through != "" && s.Inverse != "":
		b.failField(f, "has Through and Inverse; the join resource stores the relation, so remove Inverse")
	case s.Type == Tuple && f.parts == nil:
		b.failField(f, "type tuple cannot be declared; set Key on several fields, or ToOne")
	case !relation && s.Computed == nil && !s.Type.Valid():
		b.failField(f, "needs a Type, ToOne, ToMany or Computed")
	case s.Computed != nil && s.Type != 0 && !s.Type.Valid():
		b.failField(f, "has no valid type")
	case s.Computed != nil && s.Computed.Get == nil:
		b.failField(f, "is computed and needs a Get function")
	}
}

func (b *builder) checkKey(f *Field) {
	s := f.spec
	switch {
	case f.target != nil:
		b.failField(f, "a single key cannot be a relation; make it a scalar and add a relation with Via: []string{%q}", f.name)
	case s.Computed != nil:
		b.failField(f, "a key cannot be computed")
	case !s.Type.key():
		b.failField(f, "a key must be int, text or uuid, not %s", s.Type)
	case s.Hidden:
		b.failField(f, "a key cannot be hidden")
	case s.Default != nil || s.Writable != nil:
		b.failField(f, "a key cannot have Default or Writable")
	}
}

func (b *builder) checkAttributes(f *Field) {
	s := f.spec
	switch {
	case s.Default != nil && (!f.Stored() || f.Many()):
		b.failField(f, "only a stored scalar or to-one relation can have a default")
	case (s.Unique || s.Indexed) && (!f.Stored() || !f.typ.Ordered()):
		b.failField(f, "only a stored field of an ordered type can be Unique or Indexed")
	case s.Scale != nil && (s.Type != Decimal || *s.Scale < 0 || *s.Scale > maxDecimalDigits):
		b.failField(f, "only a decimal can have a Scale, which must be within 0 and 1000")
	case s.Unordered && (!f.Stored() || !f.typ.Ordered() || f.target != nil || s.Key):
		b.failField(f, "only a stored scalar of an ordered type, other than the key, can be Unordered")
	case s.OnDemand && (s.Hidden || s.Key):
		b.failField(f, "a key or a hidden field cannot be OnDemand")
	case s.Searchable && (!f.Stored() || f.typ != Text || f.target != nil || s.Hidden):
		b.failField(f, "only a stored text that is neither hidden nor a relation can be Searchable")
	case s.Computed != nil && (s.ReadOnly || s.Writable != nil):
		b.failField(f, "a computed field cannot have ReadOnly or Writable; its Set function makes it settable")
	}
}

// checkRelationRules reports rules on fields that they cannot apply to.
func (b *builder) checkRelationRules(f *Field) {
	s := f.spec
	if s.OnDelete == 0 && s.Orphans == 0 && s.Partner == 0 {
		return
	}
	switch {
	case s.OnDelete > Keep || s.Orphans > DeleteOrphans || s.Partner > RefusePartner:
		b.failField(f, "OnDelete, Orphans or Partner has a value that is no constant of its type")
	case s.ToOne == "" || s.Inverse != "":
		b.failField(f, "only a stored to-one relation can have OnDelete, Orphans or Partner; declare them on the side that stores the relation")
	case f.resource.readOnly:
		b.failField(f, "a relation that a read-only resource stores cannot have OnDelete, Orphans or Partner")
	case f.Keeps() && f.inverse != nil && !f.inverse.Many():
		b.failField(f, "a one-to-one relation cannot have OnDelete Keep; make the other side a ToMany")
	case s.Orphans != 0 && f.inverse == nil:
		b.failField(f, "Orphans needs a connected other side; add a field with an Inverse to %q", s.ToOne)
	case s.Partner != 0 && (f.inverse == nil || f.inverse.Many()):
		b.failField(f, "only the stored side of a one-to-one relation can have Partner")
	}
}

// checkRenames reports fields that claim the same column.
func (b *builder) checkRenames(r *Resource) {
	renamed := make(map[string]*Field)
	for _, f := range r.fields {
		was := f.spec.Was
		if was == "" {
			continue
		}
		other := r.byName[was]
		switch {
		case !f.Stored():
			b.failField(f, "only a stored field can have Was")
		case !validName(was):
			b.failField(f, "Was has control characters")
		case was == f.name:
			b.failField(f, "Was is its own name")
		case other != nil && other.Stored():
			b.failField(f, "Was is the name of another field, %q", was)
		case renamed[was] != nil:
			b.failField(f, "Was is %q, as for field %q; a field can be renamed once", was, renamed[was].name)
		}
		renamed[was] = f
	}
}
