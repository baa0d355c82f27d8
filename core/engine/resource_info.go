package engine

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// shape is what the engine works out about a resource once.
type resourceInfo struct {
	resource  *core.Resource
	keySource core.KeySource
	shown     []shownField // what clients see, in the order of declaration
	relations []*shownField
	computed  []*shownField
	partCount int // how many of the shown are not columns of the record
	baseSize  int // how many bytes of JSON a record takes without its columns
	// related names the fields to read of a record that is related to others:
	// its key and what it points at, or nil, which means all, if a Writable
	// function may judge it.
	relationFields []string
	keyOnly        []string // names the key
	// ids: the relations are to-one ones that the record stores, so that it holds the
	// ids that it shows.
	storesAllIDs bool
	// guarded: a record that comes or goes changes the other side of a relation
	// that may refuse.
	inverseRules bool
}

// ones returns how many to-one relations a record shows.
func (info *resourceInfo) toOneCount() (n int) {
	for _, shown := range info.relations {
		if !shown.field.Many() {
			n++
		}
	}
	return n
}

// slot is the place of a field in a view.
type shownField struct {
	field *core.Field
	label []byte // the encoded name and a colon
	part  int    // index in a node's parts; -1 for what the record itself shows
}

func resourceInfos(store *core.Store) []*resourceInfo {
	m := store.Model()
	shapes := make([]*resourceInfo, len(m.Resources()))
	for i, r := range m.Resources() {
		shapes[i] = newResourceInfo(r, store.KeySource(r))
	}
	return shapes
}

func newResourceInfo(r *core.Resource, keys core.KeySource) *resourceInfo {
	info := &resourceInfo{resource: r, keySource: keys, keyOnly: []string{r.Key().Name()}}
	for _, f := range r.Fields() {
		if f.Hidden() {
			continue
		}
		shown := shownField{field: f, label: append(core.TextValue(f.APIName()).AppendJSON(nil), ':'), part: -1}
		if f.Target() != nil || f.Computed() != nil {
			shown.part = info.partCount
			info.partCount++
		}
		info.shown = append(info.shown, shown)
	}
	info.baseSize = len("{},")
	for i := range info.shown {
		if info.shown[i].part >= 0 {
			info.baseSize += len(info.shown[i].label) + len("[],")
		}
		switch shown := &info.shown[i]; {
		case shown.field.Target() != nil:
			info.relations = append(info.relations, shown)
		case shown.field.Computed() != nil:
			info.computed = append(info.computed, shown)
		}
	}
	info.storesAllIDs = !slices.ContainsFunc(info.relations, func(shown *shownField) bool { return !shown.isStoredID() })
	info.relationFields = relationFields(r)
	for _, f := range r.References() {
		info.inverseRules = info.inverseRules || f.Inverse() != nil && f.Inverse().HasWriteRule()
	}
	return info
}

func relationFields(r *core.Resource) []string {
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
func (shown *shownField) isStoredID() bool { return shown.field.Stored() && !shown.field.Many() }

// fields names what to read of a record that is shown at that depth; nil means
// all.
func (info *resourceInfo) fieldsAt(depth int) []string {
	if depth > 0 {
		return nil
	}
	return info.keyOnly
}

// checkChosen checks a generated key that a client chooses instead.
//
// Errors: [core.BadFieldValue] naming the bounds.
func (info *resourceInfo) checkChosenKey(key core.Value) error {
	n := key.Int()
	if info.keySource.Assigned || key.Type() != core.Int || info.keySource.Low <= n && n <= info.keySource.High {
		return nil
	}
	return &core.Error{
		Code: core.BadFieldValue, Resource: info.resource.APIName(), Field: info.resource.Key().APIName(), Type: core.Int, Value: key.Any(),
		Accepted: fmt.Sprintf("%d to %d for a new record", info.keySource.Low, info.keySource.High),
	}
}

func (info *resourceInfo) badKey(raw any) error {
	key := info.resource.Key()
	return &core.Error{
		Code: core.BadFieldValue, Resource: info.resource.APIName(), Field: key.APIName(), Type: key.Type(), Value: raw,
	}
}
