package memory

import (
	"maps"

	"github.com/larder-go/larder/core"
)

// Dump returns everything that is committed, for tests and for looking at it.
// [NewWith] takes it back. Null fields and the sides of relations that are not
// stored are left out; and it does not tell which keys were handed out beyond the
// largest one there is. The data is the caller's. Before the backend belongs to a
// store it is empty.
func (b *Backend) Dump() core.Data {
	data := make(core.Data)
	s := b.committed.Load()
	if s == nil {
		return data
	}
	for i, r := range b.model.Resources() {
		records := make(map[any]map[string]any, s.tables[i].size())
		all := &path{field: r.Key(), spans: []span{everything}}
		s.tables[i].scan(all, func(rec core.Record) bool {
			fields := rec.Map()
			maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
			records[rec.Key().Any()] = fields
			return true
		})
		data[r.Name()] = records
	}
	return data
}
