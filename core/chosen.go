package core

import "sync"

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
	if op.Kind != Insert || op.Resource == nil || op.generator().Assigned {
		return false
	}
	column := op.Resource.key.column
	for _, rec := range op.named() {
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
func (op *Op) generator() KeySource {
	if op.origin == nil || op.Resource.model != op.origin.model {
		return DefaultKeySource(op.Resource)
	}
	return op.origin.KeySource(op.Resource)
}

// named returns the records of an Insert as its caller named them: Requested, unless a
// decorator replaced Records by others.
func (op *Op) named() []Record {
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
