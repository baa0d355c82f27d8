package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// rowReader makes records of the rows of one statement, which have these columns,
// and perhaps further ones.
type rowReader struct {
	rows     pgx.Rows
	table    *table
	columns  []*column
	decoders []decoder
	space    []core.Value // for some records at a time
	count    int          // of records that were made
}

// maxTogether is how many records share an allocation at the most, so that who
// keeps one of many does not keep all of them.
const recordsPerBlock = 16

// record returns the row that is at hand. What was written to it, the zero Record if
// nothing was, is not believed but compared: a text that comes back as it was sent
// needs no memory of its own.
func (r *rowReader) record(written core.Record) (core.Record, error) {
	if r.decoders == nil {
		r.prepare()
	}
	n := len(r.table.columns)
	if len(r.space) == 0 {
		r.space = make([]core.Value, n*min(r.count+1, recordsPerBlock))
	}
	values := r.space[:n:n]
	r.space = r.space[n:]
	r.count++
	for i, raw := range r.rows.RawValues()[:len(r.columns)] {
		c := r.columns[i]
		switch {
		case raw == nil:
			values[c.index] = core.Null
		case unchanged(raw, written, c):
			values[c.index] = written.At(c.index)
		default:
			v, err := r.decoders[i](raw)
			if err != nil {
				return core.Record{}, r.unreadable(c.field, err)
			}
			values[c.index] = v
		}
	}
	return r.table.resource.RecordOf(values), nil
}

func (r *rowReader) prepare() {
	sent, types := r.rows.FieldDescriptions(), r.rows.Conn().TypeMap()
	r.decoders = make([]decoder, len(r.columns))
	for i, c := range r.columns {
		r.decoders[i] = c.decoder(types, sent[i])
	}
}

// unreadable is the error of a stored value that the model has no place for. It names
// the row for the operator, if its key was asked for.
func (r *rowReader) unreadable(f *core.Field, err error) error {
	e := &unreadableError{field: f, err: err}
	for i, c := range r.columns {
		if raw := r.rows.RawValues()[i]; c.field.Key() && raw != nil {
			e.key, _ = r.decoders[i](raw)
		}
	}
	return e
}

type unreadableError struct {
	field *core.Field
	key   core.Value // absent if it was not asked for
	err   error
}

func (e *unreadableError) Error() string {
	row := ""
	if e.key.IsSet() {
		row = fmt.Sprintf(" of %q", e.key)
	}
	return fmt.Sprintf("postgres: %s%s: stored value cannot be read: %s", e.field, row, e.err)
}

func (e *unreadableError) Unwrap() error { return e.err }

// Redacted is what a log may hold that is to hold no values.
func (e *unreadableError) Redacted() string {
	return (&unreadableError{field: e.field, err: e.err}).Error()
}

// unchanged reports whether the server sent the very text that was written. Of all
// types, only text is sent as it is in every protocol.
func unchanged(raw []byte, written core.Record, c *column) bool {
	if written.IsZero() {
		return false
	}
	v := written.At(c.index)
	return v.Type() == core.Text && v.Text() == string(raw)
}
