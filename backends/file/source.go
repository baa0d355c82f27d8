package file

import (
	"iter"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// source is what a journal is written with.
type source struct {
	shape     shape
	records   func(r *resourceShape) iter.Seq[record]
	positions []int64
}

// record is what appends itself to a line.
type record interface {
	appendTo(dst []byte, r *resourceShape) []byte
}

func (r row) appendTo(dst []byte, of *resourceShape) []byte { return of.appendRow(dst, r) }

type ofStore struct{ core.Record }

func (of ofStore) appendTo(dst []byte, r *resourceShape) []byte {
	return r.appendRecord(dst, of.Record)
}

// sourceOf returns a snapshot of a store with that model as a source.
func sourceOf(m *core.Model, s *memtable.Snapshot, positions []int64) source {
	records := func(r *resourceShape) iter.Seq[record] {
		return func(yield func(record) bool) {
			for rec := range s.Records(m.Resources()[r.index]) {
				if !yield(ofStore{rec}) {
					return
				}
			}
		}
	}
	return source{shapeOf(m), records, positions}
}

// source returns the content as a source of a journal of the current version.
func (c *content) source() source {
	out := source{shape: c.shape, positions: make([]int64, len(c.shape.resources))}
	out.shape.version = formatVersion
	for i, r := range c.shape.resources {
		out.positions[i] = c.position(r)
	}
	out.records = func(r *resourceShape) iter.Seq[record] {
		return func(yield func(record) bool) {
			for of := range c.rows[r.index].all() {
				if !yield(of) {
					return
				}
			}
		}
	}
	return out
}
