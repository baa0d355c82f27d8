package core

import (
	"slices"
	"sync"
)

// KeySource says where the keys of a resource come from. The zero value stands for a
// backend that generates them and for bounds of 2^52.
type KeySource struct {
	// Assigned: nothing generates a key, so an Insert has to name it.
	Assigned bool
	// Low and High are the least and the greatest Int key that a client may choose,
	// so that the generator has as many left; both 0 stand for -2^52 and 2^52, half
	// of the numbers on which readers of JSON agree (RFC 8259, section 6). They do
	// not concern records that are there, keys of another type and assigned keys.
	Low, High int64
}

// DefaultKeySource is the source of keys of a backend that generates keys of type
// [Int] and [UUID]: those of type [Text] are assigned, and so are those that the model
// declares to be.
func DefaultKeySource(r *Resource) KeySource {
	return KeySource{Assigned: r.key.typ == Text || r.key.Assigned()}
}

// maxChosen is the default of [KeySource] High.
const maxChosen = 1 << 52

// KeySource says where the keys of the resource come from: what the backend says, or
// assigned if the model declares so.
func (s *Store) KeySource(r *Resource) KeySource {
	source := s.backend.KeySource(r)
	source.Assigned = source.Assigned || r.key.Assigned()
	if source.Low == 0 && source.High == 0 {
		source.Low, source.High = -maxChosen, maxChosen
	}
	return source
}

// NoNextKey is the error of a backend for an Insert without a key, and for NextIDs, on a
// resource whose keys nothing generates. Its code is [BadRequest].
func (r *Resource) NoNextKey() error {
	return &Error{Code: BadRequest, Message: "keys of " + r.apiName + " are not generated; set the field " + r.key.apiName}
}

// ChoosesKey reports whether the op is an Insert with a chosen key: a record holds a key
// where the backend generates them, see [Store.KeySource], and the key is none of those that
// NextIDs allocated in the same transaction. A policy asks this; decorators/access has a
// right for it.
//
// Of a record of [Op.Requested] the key is the one that the caller named, so what decorators
// fill into Records does not count. In an Insert of a decorator's own, every key of Records
// counts that the decorator did not get from NextIDs in the same transaction. An
// assigned key is not chosen: somebody has to name it.
func (op *Op) ChoosesKey() bool {
	if op.Kind != Insert || op.Resource == nil || op.keySource().Assigned {
		return false
	}
	column := op.Resource.key.column
	for _, rec := range op.requested() {
		if rec.resource != op.Resource {
			continue // the store refuses the op
		}
		if key := rec.values[column]; key.IsSet() && !(op.handle != nil && op.handle.allocated.has(op.Resource, key)) {
			return true
		}
	}
	return false
}

// generator says where the keys of the op's resource come from. The store refuses an op
// that is not its own, or about a resource of another model.
func (op *Op) keySource() KeySource {
	if op.origin == nil || op.Resource.model != op.origin.model {
		return DefaultKeySource(op.Resource)
	}
	return op.origin.KeySource(op.Resource)
}

// named returns the records of an Insert as its caller named them: Requested, unless a
// decorator replaced Records by others.
func (op *Op) requested() []Record {
	if len(op.Requested) == 0 || len(op.Requested) != len(op.Records) || op.Requested[0].resource != op.Resource {
		return op.Records
	}
	return op.Requested
}

// allocation is the keys that the backend allocated in a transaction. The zero value has
// none. It is safe for concurrent use.
type allocation struct {
	mu   sync.Mutex
	keys map[*Resource]map[Value]struct{}
}

// add notes the keys that a NextID returned.
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

// SortKeys sorts keys in place in ascending order, drops duplicates and returns
// what is left: the form in which backends get [Op.Keys].
func SortKeys(keys []Value) []Value {
	slices.SortFunc(keys, Compare)
	return slices.Compact(keys)
}
