package engine

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// resourceInfo holds facts about a resource that the engine derives once.
type resourceInfo struct {
	resource  *core.Resource
	keySource core.KeySource
	shown     []shownField // fields of a view, in order of declaration
	onDemand  []shownField // further fields that a request can name
	relations []*shownField
	computed  []*shownField
	partCount int // number of shown fields that are no columns
	baseSize  int // bytes of JSON without the values of columns
	// relationFields names the fields to read of related records: the key, references and their parts. It is nil, which reads
	// all fields, if a relation of the resource has a write rule.
	relationFields  []string
	relationColumns []*core.Field // the same fields without the key; nil for all
	keyOnly         []string      // the name of the key
	columns         []string      // names of the fields to read for a view; nil for all
	named           []string      // API names and paths of the fields that a view shows, as the request has them; nil for all
	// storesAllIDs: all relations are to-one and stored by the record, so the record has all ids that its view
	// shows.
	storesAllIDs bool
	targets      []*core.Resource // of the to-one relations that the record stores, each once
	// via are the relations that other fields of the record hold, see [core.FieldSpec.Via].
	via []*core.Field
	// inverseRules: inserting or deleting a record changes a field with a write rule in a related record.
	inverseRules bool
	// ruledLists are the lists with a write rule that go through the resource, see [core.FieldSpec.Through].
	ruledLists []*core.Field
}

// toOneCount returns the number of to-one relations in a view.
func (info *resourceInfo) toOneCount() (n int) {
	for _, shown := range info.relations {
		if !shown.field.Many() {
			n++
		}
	}
	return n
}

// shownField is a field of a view.
type shownField struct {
	field *core.Field
	label []byte // JSON name and colon
	part  int    // index in node.parts; -1 for a column of the record

	// target shows the records of a relation; nil for all their fields. bare shows them as ids at any depth.
	target *resourceInfo
	bare   bool
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
		shown := shownField{field: f, label: append(core.TextValue(f.APIName()).AppendJSON(nil), ':')}
		switch {
		case f.Hidden():
		case f.OnDemand():
			info.onDemand = append(info.onDemand, shown)
		default:
			info.shown = append(info.shown, shown)
		}
	}
	if info.sumUp(); len(info.onDemand) > 0 {
		info.setColumns()
	}
	if info.relationFields = relationFields(r); info.relationFields != nil {
		info.relationColumns = make([]*core.Field, 0)
		for _, name := range info.relationFields[1:] {
			info.relationColumns = append(info.relationColumns, r.Field(name))
		}
	}
	for _, f := range r.References() {
		if f.Parts() != nil {
			info.via = append(info.via, f)
		}
		info.inverseRules = info.inverseRules || f.Inverse() != nil && f.Inverse().HasWriteRule()
	}
	for _, other := range r.Model().Resources() {
		for _, f := range other.Fields() {
			if near, _ := f.Through(); near != nil && near.Resource() == r && f.HasWriteRule() {
				info.ruledLists, info.inverseRules = append(info.ruledLists, f), true
			}
		}
	}
	return info
}

// sumUp sets the facts that follow from the shown fields.
func (info *resourceInfo) sumUp() {
	info.relations, info.targets, info.computed = nil, nil, nil
	info.partCount, info.baseSize = 0, len("{},")
	for i := range info.shown {
		shown := &info.shown[i]
		if shown.part = -1; shown.field.Target() != nil || shown.field.Computed() != nil {
			shown.part = info.partCount
			info.partCount++
			info.baseSize += len(shown.label) + len("[],")
		}
		switch {
		case shown.field.Target() != nil:
			info.relations = append(info.relations, shown)
			if shown.isStoredID() && !slices.Contains(info.targets, shown.field.Target()) {
				info.targets = append(info.targets, shown.field.Target())
			}
		case shown.field.Computed() != nil:
			info.computed = append(info.computed, shown)
		}
	}
	info.storesAllIDs = !slices.ContainsFunc(info.relations, func(shown *shownField) bool {
		return !shown.isStoredID() || shown.field.Keeps()
	})
}

// setColumns limits the fields that are read to the shown ones.
func (info *resourceInfo) setColumns() {
	if info.columns = nil; len(info.computed) > 0 { // a computed field may use all fields of the record
		return
	}
	info.columns = slices.Clone(info.keyOnly)
	for _, shown := range info.shown {
		if shown.field.Stored() && !shown.field.Key() {
			info.columns = append(info.columns, shown.field.Name())
		}
	}
}

// showable returns the fields that a request can name, in order of declaration.
func (info *resourceInfo) showable() []shownField {
	all, position := slices.Concat(info.shown, info.onDemand), make(map[*core.Field]int)
	for i, f := range info.resource.Fields() {
		position[f] = i
	}
	slices.SortFunc(all, func(a, b shownField) int { return position[a.field] - position[b.field] })
	return all
}

// depth returns the depth at which the records of the relation are shown, on a level with the depth.
func (shown *shownField) depth(depth int) int {
	if shown.bare {
		return 0
	}
	return depth
}

func relationFields(r *core.Resource) []string {
	for _, f := range r.Fields() {
		if f.HasWriteRule() && f.Target() != nil {
			return nil
		}
	}
	names := []string{r.Key().Name()}
	for _, f := range r.References() {
		names = append(names, f.Name())
		for _, part := range f.Parts() {
			names = append(names, part.Name())
		}
	}
	return names
}

// isStoredID reports whether the field is a to-one relation that the record stores.
func (shown *shownField) isStoredID() bool { return shown.field.Stored() && !shown.field.Many() }

// fieldsAt names the fields to read for a view at the depth, the key first; nil reads all.
func (info *resourceInfo) fieldsAt(depth int) []string {
	if depth > 0 {
		return info.columns
	}
	return info.keyOnly
}

// checkChosenKey checks a client's choice of a generated key.
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
