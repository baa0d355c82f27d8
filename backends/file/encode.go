package file

import (
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// changeEncoder builds the body of a transaction's line, and counts how much the compacted size of the records grows.
type changeEncoder struct {
	schema schema
	body   []byte
	growth int64
}

// appendChanges returns the body of a transaction's line. If whole is true, updates are complete records instead of a
// set, which version 1 does not know.
func (s schema) appendChanges(c memtable.Changes, whole bool) (body []byte, growth int64) {
	w := &changeEncoder{schema: s}
	if whole {
		for _, u := range c.Updated {
			w.growth -= w.size(u.Before)
			c.Inserted = append(c.Inserted, u.After)
		}
		c.Updated = nil
	}
	appendLists(w, `"put":`, c.Inserted, core.Record.Resource, w.put)
	appendLists(w, `"set":`, c.Updated, func(u memtable.Update) *core.Resource { return u.After.Resource() }, w.set)
	appendLists(w, `"del":`, c.Removed, core.Record.Resource, w.del)
	return w.body, w.growth
}

// appendLists appends an object of lists by resource, in the order of the schema, or nothing if there are no items.
func appendLists[T any](w *changeEncoder, label string, items []T, resourceOf func(T) *core.Resource, appendOne func(*resourceSchema, T)) {
	if len(items) == 0 {
		return
	}
	if len(w.body) > 0 {
		w.body = append(w.body, ',')
	}
	w.body = append(w.body, label...)
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b T) int { return resourceOf(a).Index() - resourceOf(b).Index() })
	before := byte('{')
	for i, item := range items {
		r := w.schema.resources[resourceOf(item).Index()]
		if i == 0 || resourceOf(items[i-1]) != resourceOf(item) {
			if i > 0 {
				w.body = append(w.body, ']')
			}
			w.body = append(w.body, before)
			w.body = append(w.body, r.label...)
			before = '['
		}
		w.body = append(w.body, before)
		appendOne(r, item)
		before = ','
	}
	w.body = append(w.body, "]}"...)
}

func (w *changeEncoder) put(r *resourceSchema, rec core.Record) {
	begin := len(w.body)
	w.body = r.appendRecord(w.body, rec)
	w.growth += int64(len(w.body) - begin + len(","))
}

// set appends the key and the changed columns.
func (w *changeEncoder) set(r *resourceSchema, u memtable.Update) {
	before := byte('{')
	for i := range r.fields {
		oldValue, newValue := u.Before.At(i), u.After.At(i)
		if r.fields[i].parts != nil || oldValue == newValue && !r.inKey(i) {
			continue
		}
		w.body = append(w.body, before)
		begin := len(w.body)
		w.body = append(w.body, r.fields[i].label...)
		w.body = newValue.AppendJSON(w.body)
		before = ','
		if oldValue == newValue {
			continue
		}
		if newValue.IsSet() {
			w.growth += int64(len(w.body) - begin + len(","))
		}
		w.growth -= r.fields[i].size(oldValue, w.body)
	}
	w.body = append(w.body, '}')
}

func (w *changeEncoder) del(r *resourceSchema, rec core.Record) {
	w.body = rec.Key().AppendJSON(w.body)
	w.growth -= w.size(rec)
}

// size returns the number of bytes that a record takes.
func (w *changeEncoder) size(rec core.Record) int64 {
	r := w.schema.resources[rec.Resource().Index()]
	return int64(len(r.appendRecord(w.body, rec)) - len(w.body) + len(","))
}

// size returns the number of bytes that the field takes in a record. It may overwrite the capacity beyond the length of
// room.
func (f *fieldSchema) size(v core.Value, room []byte) int64 {
	if !v.IsSet() || f.parts != nil {
		return 0
	}
	return int64(len(f.label) + len(v.AppendJSON(room)) - len(room) + len(","))
}

// appendRecord appends the record as JSON, without null fields.
func (r *resourceSchema) appendRecord(dst []byte, rec core.Record) []byte {
	before := byte('{')
	for i := range r.fields {
		if v := rec.At(i); v.IsSet() && r.fields[i].parts == nil {
			dst = append(dst, before)
			dst = append(dst, r.fields[i].label...)
			dst = v.AppendJSON(dst)
			before = ','
		}
	}
	return append(dst, '}')
}

// appendPositions appends the body of a line that reserves keys, without resources whose position is 0.
func (s schema) appendPositions(dst []byte, positions []int64) []byte {
	dst = append(dst, `"seq":`...)
	before := byte('{')
	for i, upTo := range positions {
		if upTo != 0 {
			dst = append(dst, before)
			dst = append(dst, s.resources[i].label...)
			dst = strconv.AppendInt(dst, upTo, 10)
			before = ','
		}
	}
	if before == '{' {
		dst = append(dst, before)
	}
	return append(dst, '}')
}
