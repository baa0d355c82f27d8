package postgres

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/core"
)

// argument returns a value as an argument for pgx. A list of keys becomes the text of an array, because in a parameter
// that is an array of arrays all rows must have the same length.
func (c *column) argument(v core.Value) any {
	switch v.Type() {
	case core.Int:
		return v.Int()
	case core.Float:
		return v.Float()
	case core.Bool:
		return v.Bool()
	case core.Time:
		return v.Time()
	case core.Date:
		return v.Date()
	case core.LocalTime:
		return v.LocalTime()
	case core.Bytes:
		return []byte(v.Text())
	case core.List:
		if c.field.Many() {
			return keyArray(v, c.field.Target().Key().Type())
		}
		return v.Text()
	case core.Text, core.UUID, core.JSON, core.Decimal:
		return v.Text()
	}
	return nil
}

// sample returns a value of the Go type that argument returns. pgx needs it for arrays without an element type of their
// own.
func (c *column) sample() any {
	switch c.typ {
	case core.Float:
		return float64(0)
	case core.Bool:
		return false
	case core.Time, core.Date, core.LocalTime:
		return core.IntValue(0).Time()
	case core.Bytes:
		return []byte{}
	}
	return ""
}

// elementType returns the SQL type of the elements of an array parameter.
func (c *column) elementType() string {
	switch c.typ {
	case core.JSON, core.List, core.Decimal:
		return "text"
	}
	return c.paramType
}

// fromParameter converts an expression of the type elementType to the column's type.
func (c *column) fromParameter(expression string) string {
	if c.elementType() == c.paramType {
		return c.fromModel(expression)
	}
	return c.fromModel(expression + "::" + c.paramType)
}

// keyArray returns a list of keys as the text of an array (manual, section 8.15.2).
func keyArray(list core.Value, t core.Type) string {
	keys, err := list.Elements(t)
	if err != nil { // cannot happen: the store has checked the list
		return "{}"
	}
	text := []byte{'{'}
	for i, key := range keys {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendElement(text, key.String())
	}
	return string(append(text, '}'))
}

var elementEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// appendElement appends a quoted element of the text of an array.
func appendElement(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = append(dst, elementEscapes.Replace(s)...)
	return append(dst, '"')
}

// check returns an error for a record with a value that the column cannot hold, and for a column that cannot be written.
func (c *column) check(rec core.Record) error {
	f, v := c.field, c.in(rec)
	if c.generated || c.viewOnly {
		return readOnlyError(f)
	}
	fits := true
	switch v.Type() {
	case core.Int:
		fits = v.Int() >= c.limits.low && v.Int() <= c.limits.high
	case core.Text:
		fits = c.limits.fitsText(v.Text()) && !(c.hasNumerics && hasLargeExponent(v.Text()))
	case core.Decimal:
		_, fraction, _ := strings.Cut(v.Text(), ".")
		fits = c.limits.scale == nil || len(fraction) <= max(int(*c.limits.scale), 0)
	case core.Float:
		fits = !c.limits.singlePrecision || fitsFloat32(v.Float())
	}
	if fits {
		return nil
	}
	return badValue(f, rec.At(c.index))
}

// fitsFloat32 reports whether the server stores the number in single precision. It rejects numbers that would become
// infinite or zero.
func fitsFloat32(f float64) bool {
	single := float32(f)
	return !math.IsInf(float64(single), 0) && (f == 0 || single != 0)
}

// fitsText reports whether the column can hold the string. The server would silently truncate some of the others.
func (l limits) fitsText(s string) bool {
	switch {
	case l.bytes > 0:
		return len(s) <= l.bytes
	case l.size == 0 || len(s) <= l.size && !l.exactSize:
		return true
	case l.ignoreBlanks:
		s = trimBlanks(s)
	}
	n := utf8.RuneCountInString(s)
	return n == l.size || n < l.size && !l.exactSize
}

// readOnlyError is the error of a write to a column that cannot be written. The error does not name a hidden field.
func readOnlyError(f *core.Field) *core.Error {
	if f.Hidden() {
		return badValues(f.Resource())
	}
	return &core.Error{Code: core.FieldReadOnly, Resource: f.Resource().APIName(), Field: f.APIName()}
}

// badValue is the error of a value that a column rejects. The error does not name a hidden field.
func badValue(f *core.Field, v core.Value) *core.Error {
	if f.Hidden() {
		return badValues(f.Resource())
	}
	return &core.Error{
		Code: core.BadFieldValue, Resource: f.Resource().APIName(), Field: f.APIName(), Type: f.Type(), Value: v.Any(),
	}
}

// array is an array parameter. pgx encodes the elements one by one in binary, and calls Value for the text protocol.
type array struct {
	length int
	at     func(i int) any
	sample any // value of the Go type of the elements
}

var (
	_ pgtype.ArrayGetter = array{}
	_ driver.Valuer      = array{}
)

// array returns values of the column as an array parameter.
func (c *column) array(values []core.Value) array {
	return c.arrayOf(len(values), func(i int) core.Value { return values[i] })
}

// arrayOf is array for values that a function returns.
func (c *column) arrayOf(length int, value func(i int) core.Value) array {
	switch c.typ {
	case core.Int:
		return c.intArray(length, value)
	case core.Text:
		return c.textArray(length, value)
	}
	return array{length, func(i int) any { return c.argument(value(i)) }, c.sample()}
}

// flags returns booleans as an array parameter.
func flags(values []bool) array {
	return array{len(values), func(i int) any { return values[i] }, false}
}

// Dimensions returns the one dimension of the array.
func (a array) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(a.length), LowerBound: 1}} //nolint:gosec // what fits into a message fits into 32 bits
}

// Index returns an element.
func (a array) Index(i int) any { return a.at(i) }

// IndexType returns a value by which pgx chooses the encoding.
func (a array) IndexType() any { return a.sample }

// Value returns the text of the array (manual, section 8.15.2).
func (a array) Value() (driver.Value, error) {
	out := []byte{'{'}
	for i := range a.length {
		if i > 0 {
			out = append(out, ',')
		}
		switch x := a.at(i).(type) {
		case nil:
			out = append(out, "NULL"...)
		case *intElement:
			out = strconv.AppendInt(out, int64(*x), 10)
		case float64:
			out = strconv.AppendFloat(out, x, 'g', -1, 64)
		case bool:
			out = strconv.AppendBool(out, x)
		case *textElement:
			out = appendElement(out, string(*x))
		case string:
			out = appendElement(out, x)
		case time.Time:
			out = appendElement(out, x.Format(time.RFC3339Nano))
		case []byte:
			out = appendElement(out, `\x`+hex.EncodeToString(x))
		default:
			return nil, fmt.Errorf("postgres: cannot encode %T in an array", x)
		}
	}
	return string(append(out, '}')), nil
}

// intElement and textElement are elements of an [array], for the most frequent types. All elements of an array share
// one variable, so that they need no allocations.
type (
	intElement  int64
	textElement string
)

func (c *column) intArray(length int, value func(i int) core.Value) array {
	n := new(intElement)
	return array{length, func(i int) any {
		v := value(i)
		if v.Type() != core.Int {
			return c.argument(v)
		}
		*n = intElement(v.Int())
		return n
	}, n}
}

func (c *column) textArray(length int, value func(i int) core.Value) array {
	s := new(textElement)
	return array{length, func(i int) any {
		v := value(i)
		if v.Type() != core.Text {
			return c.argument(v)
		}
		*s = textElement(v.Text())
		return s
	}, s}
}

// Int64Value implements [pgtype.Int64Valuer].
func (n *intElement) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*n), Valid: true}, nil
}

// TextValue implements [pgtype.TextValuer].
func (s *textElement) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: string(*s), Valid: true}, nil
}
