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

// Report describes the content of a journal.
type Report struct {
	Size    int64 // size of the file in bytes
	Lines   int64 // number of lines after the header
	Records int   // number of current records
	// Torn is the number of bytes at the end that a crash left or that are being written at the moment. The next opening
	// truncates them.
	Torn int64
	// Lost are the places that [Recover] could not read.
	Lost []Damage
	// Mended describes the values that [Recover] changed to restore relations and unique values.
	Mended []string
}

// Damage is an unreadable place in a journal.
type Damage struct {
	// Offset is the position of the first byte.
	Offset int64
	// Size is the number of bytes.
	Size int64
	// Reason describes the damage.
	Reason string
}

// String describes the damage with its place.
func (d Damage) String() string {
	return fmt.Sprintf("%d bytes at offset %d: %s", d.Size, d.Offset, d.Reason)
}

// Verify reads the whole file and checks all checksums, values, relations and unique values. The file may be open
// elsewhere. Verify changes nothing.
//
// Errors: [*CorruptError] for a damaged file; other errors for a path that is no regular file, a file that is no journal
// or has a newer format, and broken relations or unique values; errors of the operating system.
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

// Model returns the model in the file's header: the resources with their stored fields, to-one relations, unique
// values and unique indexes. That is enough to inspect the file, to back it up and to compact it. The header does not contain defaults,
// computed fields, sides of relations that are not stored, and rules for clients. The file may be open elsewhere.
//
// Errors: [*CorruptError]; other errors for a file that is no journal or has a newer format; errors of the operating
// system.
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

// toModel returns a model with the schema.
func (s schema) toModel(path string) (*core.Model, error) {
	specs := make([]core.ResourceSpec, len(s.resources))
	for i, r := range s.resources {
		specs[i].Name = r.name
		if key := r.fields[r.key]; key.parts != nil {
			specs[i].KeyName = key.name
		}
		specs[i].Fields = make([]core.FieldSpec, 0, len(r.fields))
		for j, f := range r.fields {
			if j == r.key && f.parts != nil {
				continue // the model adds it
			}
			spec := core.FieldSpec{Name: f.name, Type: f.typ, Key: r.inKey(j), ToOne: f.target, Unique: f.unique, Via: r.names(f.parts)}
			if f.target != "" {
				spec.Type = 0 // derived from the target's key
			}
			specs[i].Fields = append(specs[i].Fields, spec)
		}
		for _, u := range r.unique {
			x, err := u.index()
			if err != nil {
				return nil, fmt.Errorf("file: %s has an invalid header: resource %q: %w", path, r.name, err)
			}
			specs[i].Indexes = append(specs[i].Indexes, x)
		}
	}
	m, err := core.NewModel(s.model, specs...)
	if err != nil {
		return nil, fmt.Errorf("file: %s has an invalid header: %w", path, err)
	}
	return m, nil
}

// Dump writes the records of the file to w as JSON that [seed.Parse] reads: resources in the order of the header,
// one record per line, ascending by key. Null fields are left out. Control characters and other characters without a
// graphic form are escaped. Counters of numbered fields are left out, like the positions of generated keys: a backend with
// the dumped records continues after the highest ones. The file may be open elsewhere. Dump changes nothing.
//
// Errors: errors of w and of [Verify].
func Dump(path string, w io.Writer) error {
	_, c, err := inspect(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	var line []byte
	before := byte('{')
	for _, r := range c.schema.resources {
		if core.PrivateName(r.name) {
			continue
		}
		line = append(line, before)
		line = append(appendEscaped(line, []byte(r.label)), '{')
		line = appendRows(line, out, r, &c.rows[r.index])
		line = append(line, "\n}"...)
		before = ','
	}
	if before == '{' { // a model without resources
		line = append(line, before)
	}
	_, _ = out.Write(append(line, "}\n"...)) // Flush returns the error
	return out.Flush()
}

// appendRows appends the rows by key, and writes the buffer to out whenever it is large enough.
func appendRows(buf []byte, out io.Writer, r *resourceSchema, rows *rows) []byte {
	before := "\n"
	var line []byte
	for rec := range rows.all() {
		buf = append(buf, before...)
		line = core.TextValue(rec.at(r.key).String()).AppendJSON(line[:0])
		line = append(line, ": "...)
		line = r.appendRow(line, rec)
		buf = appendEscaped(buf, line)
		before = ",\n"
		if len(buf) >= lineSize {
			_, _ = out.Write(buf) // Flush returns the error
			buf = buf[:0]
		}
	}
	return buf
}

// appendEscaped appends JSON and escapes all characters that are not graphic, such as U+007F, U+009B and U+202E, so that
// they do not control a terminal. Such characters occur only within strings; line ends between values are kept.
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
