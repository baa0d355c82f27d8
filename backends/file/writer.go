package file

import (
	"context"
	"io"
)

// journalWriter writes a journal anew, all of which is synced before anybody reads it: so
// each line says that everything before it is on disk.
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

// writeLine writes a line with that body.
func (w *journalWriter) writeLine(body []byte) error {
	w.number++
	w.buf = appendFrame(w.buf[:0], frame{w.number, w.end, body})
	return w.write(w.buf)
}

// lineSize is about how long lines become that do not stand for a transaction:
// short enough to be read, long enough not to cost much.
const lineSize = 4 << 10

// writeSource writes all records of a source, and then positions, be they none: by that line a
// reader knows that nothing is missing.
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
