package postgres

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/core"
)

// array is a parameter with many values. pgx encodes them one by one in binary;
// where it sends text, it asks for Value.
type array struct {
	length int
	at     func(i int) any
	sample any // of what at returns when that is not nil
}

var (
	_ pgtype.ArrayGetter = array{}
	_ driver.Valuer      = array{}
)

// array returns the values of the column as a parameter.
func (c *column) array(values []core.Value) array {
	return c.arrayOf(len(values), func(i int) core.Value { return values[i] })
}

// arrayOf is array for values that are somewhere else.
func (c *column) arrayOf(length int, value func(i int) core.Value) array {
	switch c.field.Type() {
	case core.Int:
		return c.intArray(length, value)
	case core.Text:
		return c.textArray(length, value)
	}
	return array{length, func(i int) any { return c.argument(value(i)) }, c.sample()}
}

// flags returns truth values as a parameter.
func flags(values []bool) array {
	return array{len(values), func(i int) any { return values[i] }, false}
}

// Dimensions returns the one that an array of values has.
func (a array) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(a.length), LowerBound: 1}} //nolint:gosec // what fits into a message fits into 32 bits
}

// Index returns an element.
func (a array) Index(i int) any { return a.at(i) }

// IndexType returns what pgx chooses the encoding by.
func (a array) IndexType() any { return a.sample }

// Value returns the array's text (manual, section 8.15.2).
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
			return nil, fmt.Errorf("postgres: no text for %T", x)
		}
	}
	return string(append(out, '}')), nil
}
