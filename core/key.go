package core

import (
	"slices"
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
}

// DefaultKeySource returns the key source of a backend that generates keys of type [Int] and [UUID]. Keys of type
// [Text], and keys that the model declares Assigned, are assigned.
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
	return &Error{Code: BadRequest, Message: "keys of " + r.apiName + " are not generated; set the field " + r.key.apiName}
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
