package file

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

const readOnly = os.O_RDONLY

// Report tells what is in a journal.
type Report struct {
	Size    int64 // of the file in bytes
	Lines   int64 // behind the header
	Records int   // that are there in the end
	// Torn is how many bytes at the end were left by a crash, or are being written
	// at the moment. The next opening cuts them off.
	Torn int64
	// Lost is what [Recover] could not read, and Mended what it changed so that
	// relations and unique values are right without it.
	Lost   []Damage
	Mended []string
}

// Damage is a place in a journal that cannot be read.
type Damage struct {
	Offset int64
	Size   int64
	Reason string
}

// String describes the place.
func (d Damage) String() string {
	return fmt.Sprintf("%d bytes at offset %d: %s", d.Size, d.Offset, d.Reason)
}

// Verify reads the whole file, which may be in use, and checks every checksum, every
// value, relations and unique values. It changes nothing.
//
// Errors: those of [Backend.Bind].
func Verify(path string) (Report, error) {
	report, _, err := inspect(path)
	return report, err
}

// inspect reads the whole file as [Verify] does.
func inspect(path string) (Report, *content, error) {
	file, err := osFilesystem{}.Open(path, readOnly, 0)
	if err != nil {
		return Report{}, nil, err
	}
	defer file.Close() //nolint:errcheck // it was read only
	r, err := replay(context.Background(), path, file, func(int64, int64) {})
	if err != nil {
		return Report{}, nil, err
	}
	report := Report{Size: r.size, Lines: r.number, Records: r.content.size(), Torn: r.size - r.end}
	m, err := r.content.schema.toModel(path)
	if err != nil {
		return report, nil, err
	}
	if err := r.content.checkIntegrity(m); err != nil {
		return report, nil, fmt.Errorf("file: %s: %w", path, err)
	}
	return report, r.content, nil
}

// Model returns what the file's header tells of the model that wrote it: the
// resources with their stored fields, to-one relations and unique values. That is
// enough to look into the file, to back it up and to compact it; defaults, computed
// fields, sides of relations that are not stored and rules for clients are not in
// the header.
//
// Errors: [*CorruptError]; others for a file that is no journal, or one of a newer
// version.
func Model(path string) (*core.Model, error) {
	file, err := osFilesystem{}.Open(path, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was read only
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	p := newReplayer(path, file, size)
	if err := p.header(); err != nil {
		return nil, err
	}
	return p.content.schema.toModel(path)
}

// toModel returns a model of that shape.
func (s schema) toModel(path string) (*core.Model, error) {
	specs := make([]core.ResourceSpec, len(s.resources))
	for i, r := range s.resources {
		specs[i].Name = r.name
		for j, f := range r.fields {
			spec := core.FieldSpec{Name: f.name, Type: f.typ, Key: j == r.key, ToOne: f.target, Unique: f.unique}
			if f.target != "" {
				spec.Type = 0 // that of the target's key
			}
			specs[i].Fields = append(specs[i].Fields, spec)
		}
	}
	m, err := core.NewModel(s.model, specs...)
	if err != nil {
		return nil, fmt.Errorf("file: %s has an invalid header: %w", path, err)
	}
	return m, nil
}

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

// appendEscaped appends JSON with every character escaped that is not graphic, such as
// U+007F, U+009B and U+202E, so that a terminal which shows it does nothing else. All
// of them are within strings; line ends between values stay.
func appendEscaped(dst, json []byte) []byte {
	for len(json) > 0 {
		r, size := utf8.DecodeRune(json)
		switch {
		case r < 0x7f || unicode.IsGraphic(r):
			dst = append(dst, json[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		json = json[size:]
	}
	return dst
}
