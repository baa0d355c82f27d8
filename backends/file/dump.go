package file

import (
	"bufio"
	"io"

	"github.com/larder-go/larder/core"
)

// Dump writes the records of the file, which may be in use, to w as JSON that
// [core.ParseData] reads: resources in the order of the header, each record on a
// line of its own, ascending by key. Null fields are left out. It changes nothing.
//
// Errors: those of w, and those of [Verify].
func Dump(path string, w io.Writer) error {
	_, m, c, err := inspect(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	var line []byte
	before := byte('{')
	for i, r := range shapeOf(m).resources {
		line = append(line, before)
		line = append(append(line, r.label...), '{')
		line = appendRecords(line, out, r, c.Records[i])
		line = append(line, "\n}"...)
		before = ','
	}
	if before == '{' { // a model of nothing
		line = append(line, before)
	}
	_, _ = out.Write(append(line, "}\n"...)) // Flush tells
	return out.Flush()
}

// appendRecords appends the records by key, and empties the buffer now and then.
func appendRecords(buf []byte, out io.Writer, r *resourceShape, records []core.Record) []byte {
	for i, rec := range records {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, '\n')
		buf = core.TextValue(rec.Key().String()).AppendJSON(buf)
		buf = append(buf, ": "...)
		buf = r.appendRecord(buf, rec)
		if len(buf) >= lineSize {
			_, _ = out.Write(buf) // Flush tells
			buf = buf[:0]
		}
	}
	return buf
}
