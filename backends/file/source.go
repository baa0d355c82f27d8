package file

import (
	"iter"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// journalSource is what a journal is written with.
type journalSource struct {
	schema    schema
	records   func(r *resourceSchema) iter.Seq[sourceRecord]
	positions []int64
}

// sourceRecord is what appends itself to a line.
type sourceRecord interface {
	appendTo(dst []byte, r *resourceSchema) []byte
}

func (r row) appendTo(dst []byte, of *resourceSchema) []byte { return of.appendRow(dst, r) }

type storeRecord struct{ core.Record }

func (of storeRecord) appendTo(dst []byte, r *resourceSchema) []byte {
	return r.appendRecord(dst, of.Record)
}

// sourceOf returns a snapshot of a store with that model as a source.
func sourceOf(m *core.Model, s *memtable.Snapshot, positions []int64) journalSource {
	records := func(r *resourceSchema) iter.Seq[sourceRecord] {
		return func(yield func(sourceRecord) bool) {
			for rec := range s.Records(m.Resources()[r.index]) {
				if !yield(storeRecord{rec}) {
					return
				}
			}
		}
	}
	return journalSource{schemaOf(m), records, positions}
}

// source returns the content as a source of a journal of the current version.
func (c *content) source() journalSource {
	out := journalSource{schema: c.schema, positions: make([]int64, len(c.schema.resources))}
	out.schema.version = formatVersion
	for i, r := range c.schema.resources {
		out.positions[i] = c.position(r)
	}
	out.records = func(r *resourceSchema) iter.Seq[sourceRecord] {
		return func(yield func(sourceRecord) bool) {
			for of := range c.rows[r.index].all() {
				if !yield(of) {
					return
				}
			}
		}
	}
	return out
}
