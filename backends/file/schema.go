package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// schema is what the header of a journal tells of the model: enough to read the
// journal without it.
type schema struct {
	version   int // of the format
	model     string
	resources []*resourceSchema
	labels    labels // of the resources
}

// resourceSchema is one resource with its stored fields.
type resourceSchema struct {
	name   string
	index  int
	label  string // the name as a JSON object has it, colon included
	fields []fieldSchema
	labels labels // of the fields
	key    int    // place in fields
}

type fieldSchema struct {
	name   string
	label  string
	typ    core.Type
	target string // resource that a stored to-one relation points at
	unique bool
}

func (s *schema) add(r *resourceSchema) {
	s.resources = append(s.resources, r)
	s.labels.add(r.name)
}

func (r *resourceSchema) add(f fieldSchema) {
	r.fields = append(r.fields, f)
	r.labels.add(f.name)
}

func labelOf(name string) string { return string(core.TextValue(name).AppendJSON(nil)) + ":" }

// schemaOf returns the shape of a model.
func schemaOf(m *core.Model) schema {
	s := schema{version: formatVersion, model: m.Name()}
	for i, r := range m.Resources() {
		out := &resourceSchema{name: r.Name(), index: i, label: labelOf(r.Name()), key: r.Key().Column()}
		for _, f := range r.Columns() {
			field := fieldSchema{name: f.Name(), label: labelOf(f.Name()), typ: f.Type(), unique: f.Unique() && !f.Key()}
			if f.Target() != nil && !f.Many() {
				field.target = f.Target().Name()
			}
			out.add(field)
		}
		s.add(out)
	}
	return s
}

// renamed returns the shape with the names that the model has for fields which it
// says were called otherwise.
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

// formatVersion grows when older programs cannot read what is written.
const formatVersion = firstVersionWithSet

// firstVersionWithSet is the first version whose lines may hold a set.
const firstVersionWithSet = 2

// The header as it is spelled.
type (
	header struct {
		Larder    string           `json:"larder"`
		Version   int              `json:"version"`
		Model     string           `json:"model"`
		Resources []headerResource `json:"resources"`
	}
	headerResource struct {
		Name   string        `json:"name"`
		Fields []headerField `json:"fields"`
	}
	headerField struct {
		Name   string `json:"name"`
		Type   string `json:"type"`
		Key    bool   `json:"key,omitempty"`
		To     string `json:"to,omitempty"`
		Unique bool   `json:"unique,omitempty"`
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
		out := headerResource{Name: r.name, Fields: []headerField{}}
		for i, f := range r.fields {
			out.Fields = append(out.Fields, headerField{f.name, f.typ.String(), i == r.key, f.target, f.unique})
		}
		h.Resources = append(h.Resources, out)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(h) // texts, truths and a number
	line := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	return appendChecksum(line, 0)
}

var (
	errNoJournal = errors.New("is not a journal: it has no header")
	errNewer     = errors.New("has a newer format")
)

// parseHeader reads the first line of a journal without its checksum. A line that
// is no header at all is errNoJournal.
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
	r := &resourceSchema{name: h.Name, index: index, label: labelOf(h.Name), key: -1}
	for i, f := range h.Fields {
		typ := typeNamed(f.Type)
		switch {
		case !typ.Valid():
			return nil, fmt.Errorf("has a field %q of unknown type %q", f.Name, f.Type)
		case r.field(f.Name) >= 0:
			return nil, fmt.Errorf("has the field %q twice", f.Name)
		case f.Key && (r.key >= 0 || typ != core.Int && typ != core.Text && typ != core.UUID):
			return nil, fmt.Errorf("has an invalid key %q: a resource has one key of type int, text or uuid", f.Name)
		case f.Key:
			r.key = i
		}
		r.add(fieldSchema{f.Name, labelOf(f.Name), typ, f.To, f.Unique})
	}
	if r.key < 0 {
		return nil, errors.New("has no key")
	}
	return r, nil
}

func typeNamed(name string) core.Type {
	for t := core.Int; t.Valid(); t++ {
		if t.String() == name {
			return t
		}
	}
	return 0
}

// resource returns the resource of that name, or nil.
func (s schema) resource(name string) *resourceSchema {
	if i := s.labels.index(name); i >= 0 {
		return s.resources[i]
	}
	return nil
}

// field returns the place of the field of that name, or -1.
func (r *resourceSchema) field(name string) int { return r.labels.index(name) }

// equal reports whether both journals would have the same header but for the
// version and the model's name.
func (s schema) equal(o schema) bool {
	s.version, s.model = o.version, o.model
	return bytes.Equal(s.header(), o.header())
}
