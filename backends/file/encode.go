package file

import (
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// appendChanges appends the body of a transaction's line.
func (s shape) appendChanges(dst []byte, c memtable.Changes) []byte {
	if len(c.Put) > 0 {
		dst = append(dst, `"put":`...)
		dst = s.appendByResource(dst, c.Put, (*resourceShape).appendRecord)
	}
	if len(c.Removed) > 0 {
		if len(c.Put) > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `"del":`...)
		dst = s.appendByResource(dst, c.Removed, func(_ *resourceShape, dst []byte, rec core.Record) []byte {
			return rec.Key().AppendJSON(dst)
		})
	}
	return dst
}

// appendByResource appends an object of lists, in the order of the shape.
func (s shape) appendByResource(
	dst []byte, records []core.Record, appendOne func(*resourceShape, []byte, core.Record) []byte,
) []byte {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b core.Record) int { return a.Resource().Index() - b.Resource().Index() })
	before := byte('{')
	for i, rec := range records {
		if i == 0 || records[i-1].Resource() != rec.Resource() {
			if i > 0 {
				dst = append(dst, ']')
			}
			dst = append(dst, before)
			dst = append(dst, s.resources[rec.Resource().Index()].label...)
			before = '['
		}
		dst = append(dst, before)
		dst = appendOne(s.resources[rec.Resource().Index()], dst, rec)
		before = ','
	}
	return append(dst, "]}"...)
}

// appendRecord appends the fields that are not null.
func (r *resourceShape) appendRecord(dst []byte, rec core.Record) []byte {
	before := byte('{')
	for i := range r.fields {
		if v := rec.At(i); v.IsSet() {
			dst = append(dst, before)
			dst = append(dst, r.fields[i].label...)
			dst = v.AppendJSON(dst)
			before = ','
		}
	}
	return append(dst, '}')
}

// appendPositions appends the body of a line that reserves keys: of those
// resources whose position is not 0.
func (s shape) appendPositions(dst []byte, positions []int64) []byte {
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
