package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// patches are changes to records of one resource, one for each record.
type updateSet struct {
	info   *resourceInfo
	keys   []core.Value
	values map[core.Value][]core.Value
	reset  []*core.Field // see [core.Op.Reset]
}

func (info *resourceInfo) newUpdateSet() *updateSet {
	return &updateSet{info: info, values: make(map[core.Value][]core.Value)}
}

// set adds the change of one field of a record.
func (updates *updateSet) set(key core.Value, f *core.Field, v core.Value) {
	values := updates.values[key]
	if values == nil {
		values = make([]core.Value, len(updates.info.resource.Columns()))
		values[updates.info.resource.Key().Column()] = key
		updates.add(key, values)
	}
	values[f.Column()] = v
}

// put adds a change that is complete, of a record that has none yet.
func (updates *updateSet) add(key core.Value, values []core.Value) {
	updates.keys = append(updates.keys, key)
	updates.values[key] = values
}

func (updates *updateSet) records() []core.Record {
	records := make([]core.Record, len(updates.keys))
	for i, key := range updates.keys {
		records[i] = updates.info.resource.RecordOf(updates.values[key])
	}
	return records
}

// takes reports whether a record is given what only one can have.
func (updates *updateSet) setsUnique() bool {
	return slices.ContainsFunc(updates.keys, func(key core.Value) bool {
		return slices.ContainsFunc(updates.info.resource.Uniques(), func(f *core.Field) bool {
			return updates.values[key][f.Column()].IsSet()
		})
	})
}

// moves reports whether the record is to point at something else through f.
func (updates *updateSet) repoints(f *core.Field, rec core.Record) bool {
	values := updates.values[rec.Key()]
	if f.Resource() != updates.info.resource || values == nil {
		return false
	}
	v := values[f.Column()]
	return !v.IsAbsent() && v != rec.At(f.Column())
}
