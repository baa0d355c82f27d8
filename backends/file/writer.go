package file

import (
	"context"
	"io"
)

// writer writes a journal anew, all of which is synced before anybody reads it: so
// each line says that everything before it is on disk.
type writer struct {
	out    io.Writer
	shape  shape
	end    int64
	number int64
	buf    []byte
}

// writeBehind is the size of the buffers between a writer and its file.
const writeBehind = 32 << 10

func newWriter(out io.Writer, s shape) (*writer, error) {
	w := &writer{out: out, shape: s}
	if err := w.write(s.header()); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *writer) write(line []byte) error {
	n, err := w.out.Write(line)
	w.end += int64(n)
	return err
}

// line writes a line with that body.
func (w *writer) line(body []byte) error {
	w.number++
	w.buf = appendFrame(w.buf[:0], frame{w.number, w.end, body})
	return w.write(w.buf)
}

// lineSize is about how long lines become that do not stand for a transaction:
// short enough to be read, long enough not to cost much.
const lineSize = 4 << 10

// all writes all records of a source, and then positions, be they none: by that line a
// reader knows that nothing is missing.
func (w *writer) all(ctx context.Context, from source) error {
	var body []byte
	for _, r := range from.shape.resources {
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
			if err := w.flush(ctx, body); err != nil {
				return err
			}
			body = body[:0]
		}
		if len(body) > 0 {
			if err := w.flush(ctx, body); err != nil {
				return err
			}
		}
	}
	return w.line(w.shape.appendPositions(nil, from.positions))
}

// flush writes a line of records.
func (w *writer) flush(ctx context.Context, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.line(append(body, "]}"...))
}
