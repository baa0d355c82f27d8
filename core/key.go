package core

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// KeySource describes the source of a resource's keys. The zero value stands for keys that the backend generates, and
// for the default bounds.
type KeySource struct {
	// Assigned means that keys are not generated: an Insert must name them.
	Assigned bool
	// Low and High bound the Int keys that a client may choose, so that enough remain for the generator. If both are
	// 0, the bounds are -2^52 and 2^52, half of the integers on which JSON parsers agree (RFC 8259, section 6). They
	// do not apply to existing records, to assigned keys and to keys of other types.
	Low, High int64
	// Partial means that a read may lack records whose keys are stored in to-one relations, for example because the
	// backend reads the resource from a view. [Store.ReadsAll] is then false.
	Partial bool
}

// DefaultKeySource returns the key source of a backend that generates keys of type [Int] and [UUID]. Keys of type
// [Text], keys of several fields, and keys that the model declares Assigned are assigned.
func DefaultKeySource(r *Resource) KeySource {
	return KeySource{Assigned: r.key.typ == Text || r.key.Assigned()}
}

// maxChosen is the default of [KeySource] High, and its negative that of Low.
const maxChosen = 1 << 52

// KeySource returns the source of the resource's keys: that of the backend, or assigned if the model declares it.
func (s *Store) KeySource(r *Resource) KeySource {
	source := s.backend.KeySource(r)
	source.Assigned = source.Assigned || r.key.Assigned()
	if source.Low == 0 && source.High == 0 {
		source.Low, source.High = -maxChosen, maxChosen
	}
	return source
}

// NoNextKey returns the error of a backend for NextIDs, and for an Insert without a key, if the keys of the resource
// are not generated. Its code is [BadRequest].
func (r *Resource) NoNextKey() error {
	names := "field " + r.key.apiName
	if r.key.parts != nil {
		names = "fields " + apiNames(r.key.parts)
	}
	return &Error{Code: BadRequest, Message: "keys of " + r.apiName + " are not generated; set the " + names}
}

// ChoosesKey reports whether the op is an Insert with a chosen key: a record has a key although the backend generates
// them, see [Store.KeySource], and NextIDs has not allocated that key in the same transaction. Policies use it;
// decorators/access has a right for chosen keys.
//
// The keys are those in [Op.Requested]: a key that a decorator fills in is not chosen. In an Insert that a decorator
// makes, every key of Records is chosen unless it comes from NextIDs in the same transaction. An assigned key is
// never a chosen one.
func (op *Op) ChoosesKey() bool {
	if op.Kind != Insert || op.Resource == nil || op.keySource().Assigned {
		return false
	}
	column := op.Resource.key.column
	for _, rec := range op.requested() {
		if rec.resource != op.Resource {
			continue // the store rejects the op
		}
		if key := rec.values[column]; key.IsSet() && !(op.handle != nil && op.handle.allocated.has(op.Resource, key)) {
			return true
		}
	}
	return false
}

// keySource returns the source of the keys of the op's resource. For an op that the store will reject it returns the
// default.
func (op *Op) keySource() KeySource {
	if op.origin == nil || op.Resource.model != op.origin.model {
		return DefaultKeySource(op.Resource)
	}
	return op.origin.KeySource(op.Resource)
}

// requested returns the records of an Insert as the caller passed them, or Records if a decorator has replaced them.
func (op *Op) requested() []Record {
	if len(op.Requested) == 0 || len(op.Requested) != len(op.Records) || op.Requested[0].resource != op.Resource {
		return op.Records
	}
	return op.Requested
}

// allocation holds the keys that NextIDs has allocated in a transaction. The zero value is empty and ready for use.
// It is safe for concurrent use.
type allocation struct {
	mu   sync.Mutex
	keys map[*Resource]map[Value]struct{}
}

// add stores the keys of a NextID.
func (a *allocation) add(r *Resource, keys []Value) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = make(map[*Resource]map[Value]struct{})
	}
	if a.keys[r] == nil {
		a.keys[r] = make(map[Value]struct{}, len(keys))
	}
	for _, key := range keys {
		a.keys[r][key] = struct{}{}
	}
}

func (a *allocation) has(r *Resource, key Value) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, found := a.keys[r][key]
	return found
}

// SortKeys sorts the keys in place, removes duplicates and returns the shortened slice: the form of [Op.Keys].
func SortKeys(keys []Value) []Value {
	slices.SortFunc(keys, Compare)
	return slices.Compact(keys)
}

// linkKeys sets the parts of derived fields, and the types of the elements of tuples.
func (b *builder) linkKeys() {
	uses := make(map[*Field]int) // number of relations that a field belongs to
	for _, r := range b.model.resources {
		if r.key.parts != nil {
			r.derived = append(r.derived, r.key)
			r.key.elements = b.keyElements(r, nil)
		}
		for _, f := range r.fields {
			for _, name := range f.spec.Via {
				if part := r.byName[name]; part != nil {
					f.parts = append(f.parts, part)
					uses[part]++
				}
			}
			if f.spec.Via != nil {
				r.derived = append(r.derived, f)
			}
		}
	}
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			if f.target != nil && f.target.key.parts != nil {
				f.elements = b.keyElements(f.target, nil)
			}
			for _, part := range f.parts {
				if f != r.key && part != r.key && !part.keyPart && part.target == nil && uses[part] == 1 {
					f.own = append(f.own, part)
				}
			}
		}
		r.linkJoin()
	}
}

// keyElements returns the types of the elements of a key with several fields. outer are the resources whose keys contain
// this key.
func (b *builder) keyElements(r *Resource, outer []*Resource) (types []Type) {
	if slices.Contains(outer, r) {
		return nil // checkKeyPart reports it
	}
	for _, f := range r.key.parts {
		if f.target != nil && f.target.key.parts != nil {
			types = append(types, b.keyElements(f.target, append(outer, r))...)
		} else {
			types = append(types, f.typ)
		}
	}
	return types
}

// linkJoin sets the two relations of a join resource.
func (r *Resource) linkJoin() {
	var relations []*Field
	covered := make(map[*Field]bool)
	for _, f := range r.fields {
		parts := f.parts
		if f.keyPart {
			parts = []*Field{f}
		}
		if f.target == nil || len(parts) == 0 || slices.ContainsFunc(parts, func(part *Field) bool { return !part.keyPart }) {
			continue
		}
		relations = append(relations, f)
		for _, part := range parts {
			covered[part] = true
		}
	}
	if len(relations) == 2 && len(covered) == len(r.key.parts) && max(len(relations[0].parts), len(relations[1].parts)) < len(covered) {
		r.join = [2]*Field(relations)
	}
}

// Join returns the two relations of a join resource, and false for other resources. The key of a join resource consists
// of exactly two to-one relations, or of the fields of two relations with [FieldSpec.Via].
func (r *Resource) Join() (first, second *Field, ok bool) {
	return r.join[0], r.join[1], r.join[0] != nil
}

func (b *builder) checkKeyPart(f *Field) {
	s := f.spec
	switch {
	case s.Computed != nil || s.ToMany != "" || s.Inverse != "" || s.Via != nil:
		b.failField(f, "one of several key fields must be a scalar or a stored to-one relation without Via")
	case f.target != nil && b.inOwnKey(f.target, f.resource, nil):
		b.failField(f, "the key of %q contains the key of its own resource", s.ToOne)
	case f.target == nil && s.ToOne == "" && !s.Type.Element():
		b.failField(f, "one of several key fields must be int, text, uuid, bool, time, date or localtime, not %s", s.Type)
	case s.Hidden:
		b.failField(f, "a key cannot be hidden")
	case s.Writable != nil:
		b.failField(f, "a key cannot have Writable")
	}
}

// inOwnKey reports whether the key of r contains the key of the resource.
func (b *builder) inOwnKey(r, of *Resource, outer []*Resource) bool {
	if r == of {
		return true
	}
	return !slices.Contains(outer, r) && slices.ContainsFunc(r.key.parts, func(f *Field) bool {
		return f.target != nil && b.inOwnKey(f.target, of, append(outer, r))
	})
}

// checkVia reports a relation whose Via fields do not hold the key of its target.
func (b *builder) checkVia(f *Field) {
	if f.spec.Via == nil {
		if f.Many() && f.spec.Inverse == "" && f.spec.Through == "" && f.elements != nil {
			b.failField(f, "a stored list cannot point at %q, which has several key fields; add a to-one relation there and name it in Inverse", f.spec.ToMany)
		}
		return
	}
	var types []Type
	for _, name := range f.spec.Via {
		part := f.resource.byName[name]
		switch {
		case part == nil:
			b.failField(f, "Via names %q, which is no field of the resource", name)
			return
		case part.spec.NumberedBy != "":
			b.failField(f, "Via names %q, which has NumberedBy; a relation cannot follow a generated number", name)
			return
		case !part.Stored() || part.Many() || part.parts != nil:
			b.failField(f, "Via names %q; it can only name stored scalars and to-one relations without Via", name)
			return
		case part.elements != nil:
			types = append(types, part.elements...)
		default:
			types = append(types, part.typ)
		}
	}
	want := f.elements
	if f.target != nil && want == nil {
		want = []Type{f.target.key.typ}
	}
	switch {
	case f.spec.ToOne == "" || f.spec.Inverse != "":
		b.failField(f, "only a stored to-one relation can have Via")
	case f.spec.Default != nil || f.spec.Was != "":
		b.failField(f, "a relation with Via cannot have Default or Was; declare them on its fields")
	case f.target != nil && !slices.Equal(types, want):
		b.failField(f, "Via has fields of the types %s, and the key of %q has %s", typeNames(types), f.spec.ToOne, typeNames(want))
	}
}

// KeyOf returns the key with the given values: one, or one for each of several Key fields. Each value is converted with
// [Field.Convert].
//
// Errors: [BadFieldValue]; [BadRequest] for a wrong number of values.
func (r *Resource) KeyOf(values ...any) (Value, error) {
	parts := r.key.parts
	if parts == nil {
		parts = []*Field{r.key}
	}
	if len(values) != len(parts) {
		return Value{}, &Error{Code: BadRequest, Message: fmt.Sprintf("the key of %s has %d fields, not %d", r.apiName, len(parts), len(values))}
	}
	elements := make([]Value, len(values))
	for i, f := range parts {
		v, err := f.Convert(values[i])
		if err == nil && !v.IsSet() {
			err = f.badValue(values[i], nil)
		}
		if err != nil {
			return Value{}, err
		}
		elements[i] = v
	}
	if r.key.parts == nil {
		return elements[0], nil
	}
	return r.key.Convert(TupleOf(elements...))
}

// acceptedKey describes the id of a key of several fields; empty for a single key.
func (f *Field) acceptedKey() string {
	if f.typ != Tuple {
		return ""
	}
	parts := make([]string, len(f.parts))
	for i, part := range f.parts {
		types := typeNames(part.elements)
		if part.typ != Tuple {
			types = part.typ.String()
		}
		parts[i] = fmt.Sprintf("%s (%s)", part.apiName, types)
	}
	return "the values of " + strings.Join(parts, " and ") + ", with commas between them"
}

// derive returns the value of a derived field in a record with the values: absent if a part is absent, null if one is
// null.
func (f *Field) derive(values []Value) Value {
	if f.typ != Tuple {
		return values[f.parts[0].column]
	}
	parts := make([]Value, len(f.parts))
	for i, part := range f.parts {
		parts[i] = values[part.column]
	}
	return TupleOf(parts...)
}

// Split returns the values of [Field.Parts] for a value of the field; nil for a field without parts and for a value that is
// not set.
func (f *Field) Split(v Value) []Value {
	if f.parts == nil || !v.IsSet() {
		return nil
	}
	if f.typ != Tuple {
		return []Value{v}
	}
	elements := v.Tuple()
	values := make([]Value, len(f.parts))
	for i, part := range f.parts {
		if part.typ == Tuple {
			n := len(part.elements)
			values[i], elements = TupleOf(elements[:n]...), elements[n:]
		} else {
			values[i], elements = elements[0], elements[1:]
		}
	}
	return values
}

// deriveAbsent computes the absent derived fields. One with an absent part stays absent, even if another part is null: in a
// patch, a null relation would make all of its own parts null.
func (r *Resource) deriveAbsent(values []Value) {
	for _, f := range r.derived {
		unknown := func(part *Field) bool { return values[part.column].IsAbsent() }
		if values[f.column].IsAbsent() && !slices.ContainsFunc(f.parts, unknown) {
			values[f.column] = f.derive(values)
		}
	}
}

// rederive computes the relations with Via again from fields that may have changed. With absent parts a relation keeps
// its value.
func (r *Resource) rederive(values []Value) {
	for _, f := range r.derived {
		if v := f.derive(values); f != r.key && !v.IsAbsent() {
			values[f.column] = v
		}
	}
}

// deriveInsert returns a new record with its derived fields. The parts of the key take precedence over the key: a policy
// may have set one. With a generated key, a relation that contains the key stays absent.
//
// Errors: [Resource.NoNextKey] for an absent part of the key; [BadFieldValue] for a key that is too long; those of [Record.WithParts].
func (r *Resource) deriveInsert(rec Record) (Record, error) {
	if r.key.parts != nil {
		key := r.key.derive(rec.values)
		if !key.IsSet() {
			return rec, r.NoNextKey()
		}
		if err := tupleFits(key, r.key.elements); err != nil {
			return rec, r.key.badValue(key.Any(), err)
		}
		rec = rec.Set(r.key, key)
	}
	out, err := rec.WithParts()
	if err != nil {
		return rec, err
	}
	for _, f := range r.derived {
		if f != r.key {
			out.values[f.column] = f.derive(out.values)
		}
	}
	return out, nil
}

// apiNames joins the API names of the fields for a message.
func apiNames(fields []*Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.apiName
	}
	return strings.Join(names, " and ")
}

// spreadPatch is [Record.WithParts] for a patch. It removes the parts of the key, which the key names, and the relations
// whose parts it has set: policies then see the fields that the write sets.
//
// Errors: those of [Record.WithParts]; [FieldUpdateForbidden] for a part of the key with another value, and for a null relation that
// cannot be detached and that no null part explains.
func (r *Resource) spreadPatch(rec Record) (Record, error) {
	for _, f := range r.derived {
		if f != r.key && rec.values[f.column].IsNull() && !f.Detachable() && !f.derive(rec.values).IsNull() {
			return rec, f.UpdateForbidden(r)
		}
	}
	if r.key.parts != nil {
		for i, v := range r.key.Split(rec.Key()) {
			part := r.key.parts[i]
			if given := rec.values[part.column]; !given.IsAbsent() && given != v {
				return rec, part.UpdateForbidden(r)
			}
		}
	}
	out, err := rec.WithParts()
	if err != nil {
		return rec, err
	}
	for _, part := range r.key.parts {
		out.values[part.column] = Value{}
	}
	for _, f := range r.derived {
		if f != r.key {
			out.values[f.column] = Value{}
		}
	}
	return out, nil
}
