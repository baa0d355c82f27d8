package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// schema is the part of the model in the header of a journal. It suffices to read the journal.
type schema struct {
	version   int // of the format
	model     string
	resources []*resourceSchema
	labels    labels // of the resources
}

// resourceSchema is a resource with its stored fields.
type resourceSchema struct {
	name   string
	index  int
	label  string // the name as JSON, including the colon
	fields []fieldSchema
	labels labels // of the fields
	key    int    // index in fields
	unique []headerUnique
	// derived are the indexes of the fields with parts.
	derived []int
}

type fieldSchema struct {
	name   string
	label  string
	typ    core.Type
	target string // name of the target of a stored to-one relation
	unique bool
	// parts are the indexes of the fields that the field is computed from. Lines do not contain it.
	parts []int
	// of has the types of the elements of a tuple.
	of []core.Type
}

func (s *schema) add(r *resourceSchema) {
	s.resources = append(s.resources, r)
	s.labels.add(r.name)
}

func (r *resourceSchema) add(f fieldSchema) {
	if f.parts != nil {
		r.derived = append(r.derived, len(r.fields))
	}
	r.fields = append(r.fields, f)
	r.labels.add(f.name)
}

func labelOf(name string) string { return string(core.TextValue(name).AppendJSON(nil)) + ":" }

// schemaOf returns the schema of a model.
func schemaOf(m *core.Model) schema {
	s := schema{model: m.Name()}
	for i, r := range m.Stored() {
		out := &resourceSchema{name: r.Name(), index: i, label: labelOf(r.Name()), key: r.Key().Column()}
		for _, f := range r.Columns() {
			field := fieldSchema{name: f.Name(), label: labelOf(f.Name()), typ: f.Type(), unique: f.Unique() && !f.Key()}
			if f.Target() != nil && !f.Many() && !f.Keeps() {
				field.target = f.Target().Name()
			}
			if f.Type() == core.Tuple {
				field.of = f.ElementTypes()
			}
			for _, part := range f.Parts() {
				field.parts = append(field.parts, part.Column())
			}
			out.add(field)
		}
		out.unique = uniquesOf(r)
		s.add(out)
	}
	s.version = s.neededVersion()
	return s
}

// neededVersion returns the oldest version that can hold the schema.
func (s schema) neededVersion() int {
	newer := func(f fieldSchema) bool { return f.of != nil || f.parts != nil }
	if slices.ContainsFunc(s.resources, func(r *resourceSchema) bool { return r.unique != nil || slices.ContainsFunc(r.fields, newer) }) {
		return firstVersionWithUnique
	}
	return firstVersionWithSet
}

// renamed returns the schema with the model's current names of renamed fields.
func (s schema) renamed(m *core.Model) schema {
	out := schema{model: s.model}
	for _, from := range s.resources {
		fields := slices.Clone(from.fields)
		if r := m.Resource(from.name); r != nil {
			for _, f := range r.Columns() {
				if i := from.field(f.Was()); i >= 0 && fields[i].name == f.Was() && from.field(f.Name()) < 0 {
					fields[i].name, fields[i].label = f.Name(), labelOf(f.Name())
				}
			}
		}
		to := &resourceSchema{name: from.name, index: from.index, label: from.label, key: from.key}
		for _, f := range fields {
			to.add(f)
		}
		out.add(to)
	}
	return out
}

// formatVersion is the newest version of the format that this package reads and writes. It increases when older programs
// cannot read the format or would not enforce its rules. A file has the oldest version that suffices for its model.
const formatVersion = firstVersionWithUnique

const (
	// firstVersionWithSet is the first version whose lines may have a set.
	firstVersionWithSet = 2
	// firstVersionWithUnique is the first version whose header may have unique indexes.
	firstVersionWithUnique = 3
)

// These types are the JSON form of the header.
type (
	header struct {
		Larder    string           `json:"larder"`
		Version   int              `json:"version"`
		Model     string           `json:"model"`
		Resources []headerResource `json:"resources"`
	}
	headerResource struct {
		Name   string         `json:"name"`
		Fields []headerField  `json:"fields"`
		Unique []headerUnique `json:"unique,omitempty"`
	}
	headerField struct {
		Name   string   `json:"name"`
		Type   string   `json:"type"`
		Key    bool     `json:"key,omitempty"`
		To     string   `json:"to,omitempty"`
		Unique bool     `json:"unique,omitempty"`
		Parts  []string `json:"parts,omitempty"` // of a derived field
		Of     []string `json:"of,omitempty"`    // types of the elements of a tuple
	}
)

const (
	headerKind  = "journal"
	headerBegin = `{"larder":"` + headerKind + `",`
)

// header returns the first line of a journal.
func (s schema) header() []byte {
	h := header{Larder: headerKind, Version: s.version, Model: s.model, Resources: []headerResource{}}
	for _, r := range s.resources {
		out := headerResource{Name: r.name, Fields: make([]headerField, 0, len(r.fields)), Unique: r.unique}
		for i, f := range r.fields {
			out.Fields = append(out.Fields, headerField{f.name, f.typ.String(), i == r.key, f.target, f.unique, r.names(f.parts), typeNames(f.of)})
		}
		h.Resources = append(h.Resources, out)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(h) // cannot fail for strings, booleans and integers
	line := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	return appendChecksum(line, 0)
}

var (
	errNoJournal = errors.New("is not a journal: it has no header")
	errNewer     = errors.New("has a newer format")
)

// parseHeader parses the first line of a journal without its checksum. It returns errNoJournal for any other text.
func parseHeader(text []byte) (schema, error) {
	var h header
	if err := json.Unmarshal(append(bytes.Clone(text), '}'), &h); err != nil || h.Larder != headerKind {
		return schema{}, errNoJournal
	}
	if h.Version > formatVersion {
		return schema{}, fmt.Errorf("%w: version %d; this program reads versions up to %d", errNewer, h.Version, formatVersion)
	}
	s := schema{version: h.Version, model: h.Model}
	for _, r := range h.Resources {
		out, err := r.schema(len(s.resources))
		if err == nil && s.resource(r.Name) != nil {
			err = errors.New("occurs twice")
		}
		if err != nil {
			return schema{}, fmt.Errorf("has an invalid header: resource %q %w", r.Name, err)
		}
		s.add(out)
	}
	return s, nil
}

func (h headerResource) schema(index int) (*resourceSchema, error) {
	r := &resourceSchema{name: h.Name, index: index, label: labelOf(h.Name), key: -1, unique: h.Unique}
	for i, f := range h.Fields {
		typ := typeNamed(f.Type)
		switch {
		case !typ.Valid():
			return nil, fmt.Errorf("has a field %q of unknown type %q", f.Name, f.Type)
		case r.field(f.Name) >= 0:
			return nil, fmt.Errorf("has the field %q twice", f.Name)
		case f.Key && (r.key >= 0 || typ != core.Int && typ != core.Text && typ != core.UUID && (typ != core.Tuple || f.Parts == nil || i > 0)):
			return nil, fmt.Errorf("has an invalid key %q: a resource has one key of type int, text or uuid, or a tuple as its first field", f.Name)
		case f.Key:
			r.key = i
		}
		r.add(fieldSchema{name: f.Name, label: labelOf(f.Name), typ: typ, target: f.To, unique: f.Unique})
	}
	for i, f := range h.Fields {
		field := &r.fields[i]
		for _, name := range f.Of {
			field.of = append(field.of, typeNamed(name))
		}
		for _, name := range f.Parts {
			field.parts = append(field.parts, r.field(name))
		}
		if field.parts != nil {
			r.derived = append(r.derived, i)
		}
	}
	for i := range r.fields {
		if f := &r.fields[i]; !r.validParts(f) {
			return nil, fmt.Errorf("has a field %q whose parts do not fit its type", f.name)
		}
	}
	if r.key < 0 {
		return nil, errors.New("has no key")
	}
	return r, nil
}

// validParts reports whether the types of the field's elements, and of its parts if it has any, fit its type.
func (r *resourceSchema) validParts(f *fieldSchema) bool {
	var types []core.Type
	for _, part := range f.parts {
		switch {
		case part < 0 || r.fields[part].parts != nil:
			return false
		case r.fields[part].typ == core.Tuple:
			types = append(types, r.fields[part].of...)
		default:
			types = append(types, r.fields[part].typ)
		}
	}
	if f.typ != core.Tuple {
		return f.of == nil && (f.parts == nil || slices.Equal(types, []core.Type{f.typ}))
	}
	return len(f.of) > 0 && (f.parts == nil || slices.Equal(types, f.of)) &&
		!slices.ContainsFunc(f.of, func(t core.Type) bool { return !t.Element() })
}

// names returns the names of the fields at the indexes; nil for none.
func (r *resourceSchema) names(indexes []int) (names []string) {
	for _, i := range indexes {
		names = append(names, r.fields[i].name)
	}
	return names
}

func typeNames(types []core.Type) (names []string) {
	for _, t := range types {
		names = append(names, t.String())
	}
	return names
}

// derive returns the value of a derived field from its parts in the row.
func (f *fieldSchema) derive(at func(column int) core.Value) core.Value {
	if f.typ != core.Tuple {
		return at(f.parts[0])
	}
	parts := make([]core.Value, len(f.parts))
	for i, part := range f.parts {
		parts[i] = at(part)
	}
	return core.TupleOf(parts...)
}

// inKey reports whether the field is the key or a part of it.
func (r *resourceSchema) inKey(i int) bool {
	return i == r.key || slices.Contains(r.fields[r.key].parts, i)
}

// keyText describes the key: its name, or the names of its parts, and their types.
func (r *resourceSchema) keyText() string {
	key := r.fields[r.key]
	if key.parts == nil {
		return fmt.Sprintf("%q (%s)", key.name, key.typ)
	}
	return fmt.Sprintf("%q (%s)", strings.Join(r.names(key.parts), ","), strings.Join(typeNames(key.of), ","))
}

func typeNamed(name string) core.Type {
	for t := core.Int; t.Valid(); t++ {
		if t.String() == name {
			return t
		}
	}
	return 0
}

// resource returns the resource with the name, or nil.
func (s schema) resource(name string) *resourceSchema {
	if i := s.labels.index(name); i >= 0 {
		return s.resources[i]
	}
	return nil
}

// field returns the index of the field with the name, or -1.
func (r *resourceSchema) field(name string) int { return r.labels.index(name) }

// equal reports whether both schemas have the same header, apart from the version and the model's name.
func (s schema) equal(o schema) bool {
	s.version, s.model = o.version, o.model
	return bytes.Equal(s.header(), o.header())
}

// headerUnique is a unique index in the header.
type headerUnique struct {
	Fields []string           `json:"fields"`
	Where  []headerComparison `json:"where,omitempty"`
}

// headerComparison is a comparison in the condition of an index.
type headerComparison struct {
	Field  string            `json:"field"`
	Kind   string            `json:"kind"`
	Values []json.RawMessage `json:"values"`
}

// comparisonKinds are the names of the comparisons that the condition of an index may have.
var comparisonKinds = map[core.FilterKind]string{core.FilterEq: "eq", core.FilterIn: "in", core.FilterNe: "ne"}

// uniquesOf returns the unique indexes of a resource for the header.
func uniquesOf(r *core.Resource) (uniques []headerUnique) {
	for _, x := range r.Indexes() {
		if !x.Unique {
			continue
		}
		out := headerUnique{Fields: x.Fields}
		parts := []core.Filter{x.Where}
		if x.Where.Kind() == core.FilterAnd {
			parts = x.Where.Filters()
		}
		for _, part := range parts {
			if part.Kind() == core.FilterAll {
				continue
			}
			c := headerComparison{Field: part.Field().Name(), Kind: comparisonKinds[part.Kind()]}
			for _, v := range part.Values() {
				c.Values = append(c.Values, v.AppendJSON(nil))
			}
			out.Where = append(out.Where, c)
		}
		uniques = append(uniques, out)
	}
	return uniques
}

// index returns the declaration of the index.
func (u headerUnique) index() (core.Index, error) {
	var parts []core.Filter
	for _, c := range u.Where {
		values := make([]any, len(c.Values))
		for i, text := range c.Values {
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&values[i]); err != nil {
				return core.Index{}, err
			}
		}
		switch {
		case c.Kind == "in":
			parts = append(parts, core.In(c.Field, values...))
		case c.Kind == "eq" && len(values) == 1:
			parts = append(parts, core.Eq(c.Field, values[0]))
		case c.Kind == "ne" && len(values) == 1:
			parts = append(parts, core.Ne(c.Field, values[0]))
		default:
			return core.Index{}, fmt.Errorf("unknown comparison %q", c.Kind)
		}
	}
	return core.Index{Fields: u.Fields, Where: core.And(parts...), Unique: true}, nil
}
