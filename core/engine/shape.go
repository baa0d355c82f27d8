package engine

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// shape is what the engine works out about a resource once.
type shape struct {
	resource  *core.Resource
	keys      core.KeySource
	shown     []slot // what clients see, in the order of declaration
	relations []*slot
	computed  []*slot
	parts     int // how many of the shown are not columns of the record
	frame     int // how many bytes of JSON a record takes without its columns
	// related names the fields to read of a record that is related to others:
	// its key and what it points at, or nil, which means all, if a Writable
	// function may judge it.
	related []string
	onlyKey []string // names the key
	// ids: the relations are to-one ones that the record stores, so that it holds the
	// ids that it shows.
	ids bool
	// guarded: a record that comes or goes changes the other side of a relation
	// that may refuse.
	guarded bool
}

// ones returns how many to-one relations a record shows.
func (s *shape) ones() (n int) {
	for _, at := range s.relations {
		if !at.field.Many() {
			n++
		}
	}
	return n
}

// slot is the place of a field in a view.
type slot struct {
	field *core.Field
	label []byte // the encoded name and a colon
	part  int    // index in a node's parts; -1 for what the record itself shows
}

func shapesOf(store *core.Store) []*shape {
	m := store.Model()
	shapes := make([]*shape, len(m.Resources()))
	for i, r := range m.Resources() {
		shapes[i] = newShape(r, store.KeySource(r))
	}
	return shapes
}

func newShape(r *core.Resource, keys core.KeySource) *shape {
	s := &shape{resource: r, keys: keys, onlyKey: []string{r.Key().Name()}}
	for _, f := range r.Fields() {
		if f.Hidden() {
			continue
		}
		at := slot{field: f, label: append(core.TextValue(f.APIName()).AppendJSON(nil), ':'), part: -1}
		if f.Target() != nil || f.Computed() != nil {
			at.part = s.parts
			s.parts++
		}
		s.shown = append(s.shown, at)
	}
	s.frame = len("{},")
	for i := range s.shown {
		if s.shown[i].part >= 0 {
			s.frame += len(s.shown[i].label) + len("[],")
		}
		switch at := &s.shown[i]; {
		case at.field.Target() != nil:
			s.relations = append(s.relations, at)
		case at.field.Computed() != nil:
			s.computed = append(s.computed, at)
		}
	}
	s.ids = !slices.ContainsFunc(s.relations, func(at *slot) bool { return !at.holdsID() })
	s.related = relatedFields(r)
	for _, f := range r.References() {
		s.guarded = s.guarded || f.Inverse() != nil && f.Inverse().HasWriteRule()
	}
	return s
}

func relatedFields(r *core.Resource) []string {
	for _, f := range r.Fields() {
		if f.HasWriteRule() {
			return nil
		}
	}
	names := []string{r.Key().Name()}
	for _, f := range r.References() {
		names = append(names, f.Name())
	}
	return names
}

// holdsID reports whether the slot shows a to-one relation that the record stores.
func (at *slot) holdsID() bool { return at.field.Stored() && !at.field.Many() }

// alone reports whether a record at that depth shows nothing but itself. The ids of
// to-one relations are a part of it where no policy can hide what they lead to: what
// they lead to is there, as the backend makes sure.
func (e *Engine) alone(s *shape, depth int) bool {
	return depth == 0 || len(s.relations) == 0 || depth == 1 && s.ids && !e.policed
}

// flat reports whether nothing can fail between reading a record and showing it
// at that depth.
func (e *Engine) flat(s *shape, depth int) bool {
	return e.alone(s, depth) && (depth == 0 || len(s.computed) == 0)
}

// fields names what to read of a record that is shown at that depth; nil means
// all.
func (s *shape) fields(depth int) []string {
	if depth > 0 {
		return nil
	}
	return s.onlyKey
}

// checkChosen checks a generated key that a client chooses instead.
//
// Errors: [core.BadFieldValue] naming the bounds.
func (s *shape) checkChosen(key core.Value) error {
	n := key.Int()
	if s.keys.Assigned || key.Type() != core.Int || s.keys.Low <= n && n <= s.keys.High {
		return nil
	}
	return &core.Error{
		Code: core.BadFieldValue, Resource: s.resource.APIName(), Field: s.resource.Key().APIName(), Type: core.Int, Value: key.Any(),
		Accepted: fmt.Sprintf("%d to %d for a new record", s.keys.Low, s.keys.High),
	}
}

func (s *shape) badKey(raw any) error {
	key := s.resource.Key()
	return &core.Error{
		Code: core.BadFieldValue, Resource: s.resource.APIName(), Field: key.APIName(), Type: key.Type(), Value: raw,
	}
}
