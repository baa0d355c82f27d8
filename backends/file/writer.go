package file

import (
	"bufio"
	"context"
	"io"
	"iter"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// journalWriter writes a complete journal. The file is synced before it is used, so each line says that everything
// before it is on disk.
type journalWriter struct {
	out    io.Writer
	schema schema
	end    int64
	number int64
	buf    []byte
}

// writeBufferSize is the size of the buffers between a writer and its file.
const writeBufferSize = 32 << 10

func newJournalWriter(out io.Writer, s schema) (*journalWriter, error) {
	w := &journalWriter{out: out, schema: s}
	if err := w.write(s.header()); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *journalWriter) write(line []byte) error {
	n, err := w.out.Write(line)
	w.end += int64(n)
	return err
}

// writeLine writes a line with the body.
func (w *journalWriter) writeLine(body []byte) error {
	w.number++
	w.buf = appendFrame(w.buf[:0], frame{w.number, w.end, body})
	return w.write(w.buf)
}

// lineSize is the approximate length of lines that do not represent a transaction: short enough to read, and long
// enough to be efficient.
const lineSize = 4 << 10

// writeSource writes the initial snapshot: all records of the source, and then its positions, even if there are none.
// That line is the end marker of the snapshot.
func (w *journalWriter) writeSource(ctx context.Context, from journalSource) error {
	var body []byte
	for _, r := range from.schema.resources {
		begin := `"put":{` + r.label + `[`
		body = body[:0]
		for rec := range from.records(r) {
			if len(body) == 0 {
				body = append(body, begin...)
			} else {
				body = append(body, ',')
			}
			body = rec.appendTo(body, r)
			if len(body) < lineSize {
				continue
			}
			if err := w.writeRecords(ctx, body); err != nil {
				return err
			}
			body = body[:0]
		}
		if len(body) > 0 {
			if err := w.writeRecords(ctx, body); err != nil {
				return err
			}
		}
	}
	return w.writeLine(w.schema.appendPositions(nil, from.positions))
}

// writeRecords writes a line of records.
func (w *journalWriter) writeRecords(ctx context.Context, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.writeLine(append(body, "]}"...))
}

// journalSource is the content of a journal to be written.
type journalSource struct {
	schema    schema
	records   func(r *resourceSchema) iter.Seq[sourceRecord]
	positions []int64
}

// sourceRecord is a record that can append itself to a line.
type sourceRecord interface {
	appendTo(dst []byte, r *resourceSchema) []byte
}

func (r row) appendTo(dst []byte, res *resourceSchema) []byte { return res.appendRow(dst, r) }

type storeRecord struct{ core.Record }

func (rec storeRecord) appendTo(dst []byte, r *resourceSchema) []byte {
	return r.appendRecord(dst, rec.Record)
}

// sourceOf returns a snapshot of a store with the model as a source.
func sourceOf(m *core.Model, s *memtable.Snapshot, positions []int64) journalSource {
	records := func(r *resourceSchema) iter.Seq[sourceRecord] {
		return func(yield func(sourceRecord) bool) {
			for rec := range s.Records(m.Stored()[r.index]) {
				if !yield(storeRecord{rec}) {
					return
				}
			}
		}
	}
	return journalSource{schemaOf(m), records, positions}
}

// source returns the content as a source for a journal of the current version.
func (c *content) source() journalSource {
	out := journalSource{schema: c.schema, positions: make([]int64, len(c.schema.resources))}
	out.schema.version = c.schema.neededVersion()
	for i, r := range c.schema.resources {
		out.positions[i] = c.position(r)
	}
	out.records = func(r *resourceSchema) iter.Seq[sourceRecord] {
		return func(yield func(sourceRecord) bool) {
			for rec := range c.rows[r.index].all() {
				if !yield(rec) {
					return
				}
			}
		}
	}
	return out
}

// Backup writes a journal to w with the records that are committed when it begins. [New] opens the copy, which is
// compact. A backup and writers do not wait for each other. It also works after a failed write or sync.
//
// Errors: errors of w; the context's; [core.ErrClosed]; an error if the backend is not bound.
func (b *Backend) Backup(ctx context.Context, w io.Writer) error {
	if _, err := b.Begin(ctx, core.BackendTxOptions{ReadOnly: true}); err != nil { // reports a closed backend or an ended context
		return err
	}
	snapshot := b.store.Snapshot()
	positions := b.journal.positions(b.store.Positions())
	out := bufio.NewWriterSize(w, writeBufferSize)
	backup, err := newJournalWriter(out, b.journal.schema)
	if err != nil {
		return err
	}
	if err := backup.writeSource(ctx, sourceOf(b.model, snapshot, positions)); err != nil {
		return err
	}
	return out.Flush()
}
