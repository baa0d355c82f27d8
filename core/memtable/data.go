package memtable

import (
	"maps"

	"github.com/larder-go/larder/core/seed"
)

// Data returns the snapshot as plain Go values, from which [seed.Records]
// makes the same records. Null fields and the sides of relations that are not
// stored are left out. The data is the caller's.
func (s *Snapshot) Data() seed.Data {
	data := make(seed.Data)
	for _, r := range s.model.Resources() {
		records := make(map[any]map[string]any, s.Len(r))
		for rec := range s.Records(r) {
			fields := rec.Map()
			maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
			records[rec.Key().Any()] = fields
		}
		data[r.Name()] = records
	}
	return data
}
