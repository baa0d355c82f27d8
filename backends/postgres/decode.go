package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/core"
)

// decoder decodes a value that is not null. The value does not refer to raw.
type decoder func(raw []byte) (core.Value, error)

var errNotInModel = errors.New("the model does not represent this stored value")

// decoder returns the decoder for the format in which the server sends the column.
func (c *column) decoder(types *pgtype.Map, sent pgconn.FieldDescription) decoder {
	if c.field.Many() {
		return arrayDecoder(types, sent, c.field.Target().Key().Type())
	}
	if sent.Format == pgtype.BinaryFormatCode {
		return binaryDecoders[c.typ]
	}
	switch c.typ {
	case core.Time, core.Date, core.LocalTime, core.Bytes:
		return scanDecoder(types, sent, c.typ)
	}
	return textDecoders[c.typ]
}

// binaryDecoders decode the binary formats of the built-in types.
var binaryDecoders = [...]decoder{
	core.Int: func(raw []byte) (core.Value, error) {
		switch len(raw) {
		case 8:
			return core.IntValue(int64(binary.BigEndian.Uint64(raw))), nil
		case 4:
			return core.IntValue(int64(int32(binary.BigEndian.Uint32(raw)))), nil
		case 2:
			return core.IntValue(int64(int16(binary.BigEndian.Uint16(raw)))), nil
		}
		return core.Value{}, errNotInModel
	},
	core.Float: func(raw []byte) (core.Value, error) {
		if len(raw) != 8 {
			return core.Value{}, errNotInModel
		}
		return core.Float.Convert(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	},
	core.Text: func(raw []byte) (core.Value, error) { return core.TextValue(string(raw)), nil },
	core.Bool: func(raw []byte) (core.Value, error) { return core.BoolValue(len(raw) == 1 && raw[0] != 0), nil },
	core.Time: func(raw []byte) (core.Value, error) {
		if len(raw) != 8 {
			return core.Value{}, errNotInModel
		}
		return timeValue(core.Time, int64(binary.BigEndian.Uint64(raw)))
	},
	core.UUID: func(raw []byte) (core.Value, error) {
		if len(raw) != 16 {
			return core.Value{}, errNotInModel
		}
		return core.UUIDValue([16]byte(raw)), nil
	},
	core.Bytes: func(raw []byte) (core.Value, error) { return core.BytesValue(raw), nil },
	core.JSON:  func(raw []byte) (core.Value, error) { return jsonValue(core.JSON, raw) },
	core.List:  func(raw []byte) (core.Value, error) { return jsonValue(core.List, raw) },
	core.LocalTime: func(raw []byte) (core.Value, error) {
		if len(raw) != 8 {
			return core.Value{}, errNotInModel
		}
		return timeValue(core.LocalTime, int64(binary.BigEndian.Uint64(raw)))
	},
	core.Decimal: func(raw []byte) (core.Value, error) {
		text, ok := numericText(raw)
		if !ok {
			return core.Value{}, errNotInModel
		}
		return core.Decimal.Convert(text)
	},
	core.Date: func(raw []byte) (core.Value, error) {
		if len(raw) != 4 {
			return core.Value{}, errNotInModel
		}
		return dateValue(int32(binary.BigEndian.Uint32(raw)))
	},
}

// textDecoders decode the text formats of the built-in types.
var textDecoders = [...]decoder{
	core.Int: func(raw []byte) (core.Value, error) {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return core.IntValue(n), err
	},
	core.Float: func(raw []byte) (core.Value, error) {
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return core.Value{}, err
		}
		return core.Float.Convert(f)
	},
	core.Text:    binaryDecoders[core.Text],
	core.Bool:    func(raw []byte) (core.Value, error) { return core.BoolValue(string(raw) == "t"), nil },
	core.UUID:    func(raw []byte) (core.Value, error) { return core.UUID.Convert(string(raw)) },
	core.Decimal: func(raw []byte) (core.Value, error) { return core.Decimal.Convert(string(raw)) },
	core.JSON:    func(raw []byte) (core.Value, error) { return core.JSON.StoredJSON(raw) },
	core.List:    func(raw []byte) (core.Value, error) { return core.List.StoredJSON(raw) },
}

// jsonValue decodes jsonb in binary format: a version byte and the text.
func jsonValue(t core.Type, raw []byte) (core.Value, error) {
	if len(raw) == 0 || raw[0] != 1 {
		return core.Value{}, errNotInModel
	}
	return t.StoredJSON(raw[1:])
}

// epoch is the origin of timestamps, the year 2000, in microseconds since 1970.
const epoch = 946684800 * 1_000_000

// timeValue converts microseconds since 2000. It returns an error for infinities and for years outside the model's
// range.
func timeValue(t core.Type, micros int64) (core.Value, error) {
	if micros == math.MaxInt64 || micros == math.MinInt64 || micros > math.MaxInt64-epoch {
		return core.Value{}, errNotInModel
	}
	return t.Convert(time.UnixMicro(micros + epoch).UTC())
}

// numericText returns a numeric in binary format as a number with an exponent; false for NaN and the infinities. The format
// has, in 16 bits each, the number of digits to base 10,000, the weight of the first one, the sign, the scale, and the
// digits (numeric_send in src/backend/utils/adt/numeric.c).
func numericText(raw []byte) (text string, ok bool) {
	const header, positive, negative = 8, 0x0000, 0x4000
	if len(raw) < header {
		return "", false
	}
	word := func(i int) uint16 { return binary.BigEndian.Uint16(raw[2*i:]) }
	n, weight, sign := int(word(0)), int(int16(word(1))), word(2) //nolint:gosec // the weight is a signed number
	if sign != positive && sign != negative || len(raw) != header+2*n {
		return "", false
	}
	if n == 0 {
		return "0", true
	}
	b := []byte{'-'}
	for i := range n {
		digits := strconv.Itoa(10_000 + int(word(header/2+i)))
		b = append(b, digits[1:]...)
	}
	whole := strings.TrimLeft(string(b[1:]), "0")
	if sign == negative {
		whole = "-" + whole
	}
	return whole + "e" + strconv.Itoa(4*(weight-n+1)), true
}

// dateValue returns a day as the server sends it: in days since 2000-01-01. It rejects the infinities and the years that
// the model does not have.
func dateValue(days int32) (core.Value, error) {
	if days == math.MaxInt32 || days == math.MinInt32 {
		return core.Value{}, errNotInModel
	}
	return core.Date.Convert(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(days)))
}

// scanDecoder decodes the text format with pgx.
func scanDecoder(types *pgtype.Map, sent pgconn.FieldDescription, t core.Type) decoder {
	oid, format := sent.DataTypeOID, sent.Format
	if t == core.Bytes {
		return func(raw []byte) (core.Value, error) {
			var b []byte
			err := types.Scan(oid, format, raw, &b)
			return core.BytesValue(b), err
		}
	}
	return func(raw []byte) (core.Value, error) {
		var at time.Time
		if err := types.Scan(oid, format, raw, &at); err != nil {
			return core.Value{}, err
		}
		return t.Convert(at)
	}
}

// arrayDecoder decodes an array of keys to a list in ascending order and without duplicates. It leaves out nulls.
func arrayDecoder(types *pgtype.Map, sent pgconn.FieldDescription, key core.Type) decoder {
	oid, format := sent.DataTypeOID, sent.Format
	return func(raw []byte) (core.Value, error) {
		var keys []core.Value
		var err error
		switch key {
		case core.Int:
			keys, err = scanArray(types, oid, format, raw, func(n pgtype.Int8) (core.Value, bool) { return core.IntValue(n.Int64), n.Valid })
		case core.UUID:
			keys, err = scanArray(types, oid, format, raw, func(id pgtype.UUID) (core.Value, bool) { return core.UUIDValue(id.Bytes), id.Valid })
		default:
			keys, err = scanArray(types, oid, format, raw, func(s pgtype.Text) (core.Value, bool) { return core.TextValue(s.String), s.Valid })
		}
		return core.ListOf(core.SortKeys(keys)...), err
	}
}

func scanArray[T any](types *pgtype.Map, oid uint32, format int16, raw []byte, value func(T) (core.Value, bool)) ([]core.Value, error) {
	var elements []T
	if err := types.Scan(oid, format, raw, &elements); err != nil {
		return nil, err
	}
	keys := make([]core.Value, 0, len(elements))
	for _, e := range elements {
		if key, set := value(e); set {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// rowReader reads the rows of a statement as records. The result may have further columns after the expected ones.
type rowReader struct {
	rows     pgx.Rows
	table    *table
	columns  []*column
	decoders []decoder
	space    []core.Value // for the values of the next records
	count    int          // records read so far
	elements []core.Value // of a field with several cells
}

// recordsPerBlock is the largest number of records that share an allocation. It limits the memory that one retained
// record keeps alive.
const recordsPerBlock = 16

// record reads the current row. The parameter is the written record; the zero Record for reads. A text value that
// equals the written one shares its memory.
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
		case c.element >= 0:
			if err := r.readElement(i, raw, values); err != nil {
				return core.Record{}, err
			}
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

// readElement reads a cell of a field with several cells, and with the last one sets the value of the field.
func (r *rowReader) readElement(i int, raw []byte, values []core.Value) error {
	c, v := r.columns[i], core.Null
	if raw != nil {
		var err error
		if v, err = r.decoders[i](raw); err != nil {
			return r.unreadable(c.field, err)
		}
	}
	if c.element == 0 {
		r.elements = r.elements[:0]
	}
	r.elements = append(r.elements, v)
	values[c.index] = core.TupleOf(r.elements...)
	return nil
}

func (r *rowReader) prepare() {
	sent, types := r.rows.FieldDescriptions(), r.rows.Conn().TypeMap()
	r.decoders = make([]decoder, len(r.columns))
	for i, c := range r.columns {
		r.decoders[i] = c.decoder(types, sent[i])
	}
}

// unreadable returns the error of a stored value that the model does not represent. It names the row if the key is
// among the columns.
func (r *rowReader) unreadable(f *core.Field, err error) error {
	e := &unreadableError{field: f, err: err}
	elements := make([]core.Value, len(r.table.key.cells))
	for i, c := range r.columns {
		at := slices.Index(r.table.key.cells, c)
		if raw := r.rows.RawValues()[i]; at >= 0 && raw != nil {
			elements[at], _ = r.decoders[i](raw)
		}
	}
	if e.key = elements[0]; len(elements) > 1 {
		e.key = core.TupleOf(elements...)
	}
	return e
}

// unreadableError is a stored value that cannot be read.
type unreadableError struct {
	field *core.Field
	key   core.Value // absent if the statement did not return it
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

// Redacted returns the error text without values, for logs.
func (e *unreadableError) Redacted() string {
	return (&unreadableError{field: e.field, err: e.err}).Error()
}

// unchanged reports whether the server returned a text value as it was written. Only text has the same format in all
// protocols.
func unchanged(raw []byte, written core.Record, c *column) bool {
	if written.IsZero() {
		return false
	}
	v := written.At(c.index)
	return v.Type() == core.Text && v.Text() == string(raw)
}
