package file

import (
	"bufio"
	"io"

	"github.com/larder-go/larder/core"
)

// Dump writes the records of the file, which may be in use, to w as JSON that
// [seed.Parse] reads: resources in the order of the header, each record on a
// line of its own, ascending by key. Null fields are left out, and control characters
// are escaped, those beyond ASCII too. It changes nothing.
//
// Errors: those of w, and those of [Verify].
func Dump(path string, w io.Writer) error {
	_, c, err := inspect(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	var line []byte
	before := byte('{')
	for _, r := range c.schema.resources {
		line = append(line, before)
		line = append(appendEscaped(line, []byte(r.label)), '{')
		line = appendRows(line, out, r, &c.rows[r.index])
		line = append(line, "\n}"...)
		before = ','
	}
	if before == '{' { // a model of nothing
		line = append(line, before)
	}
	_, _ = out.Write(append(line, "}\n"...)) // Flush tells
	return out.Flush()
}

// appendRows appends the rows by key, and empties the buffer now and then.
func appendRows(buf []byte, out io.Writer, r *resourceSchema, rows *rows) []byte {
	before := "\n"
	var line []byte
	for of := range rows.all() {
		buf = append(buf, before...)
		line = core.TextValue(of.at(r.key).String()).AppendJSON(line[:0])
		line = append(line, ": "...)
		line = r.appendRow(line, of)
		buf = appendEscaped(buf, line)
		before = ",\n"
		if len(buf) >= lineSize {
			_, _ = out.Write(buf) // Flush tells
			buf = buf[:0]
		}
	}
	return buf
}
