package postgres

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/core"
)

// vector is the values of one column as an array parameter. pgx encodes it element
// by element in binary; where it sends text, it asks for Value.
type vector struct {
	column *column
	values []core.Value
}

var (
	_ pgtype.ArrayGetter = vector{}
	_ driver.Valuer      = vector{}
)

func (v vector) Dimensions() []pgtype.ArrayDimension {
	if len(v.values) > math.MaxInt32 {
		return nil
	}
	return []pgtype.ArrayDimension{{Length: int32(len(v.values)), LowerBound: 1}} //nolint:gosec // checked
}

func (v vector) Index(i int) any { return v.column.argument(v.values[i]) }

func (v vector) IndexType() any { return v.column.sample() }

// Value returns the array's text (manual, section 8.15.2).
func (v vector) Value() (driver.Value, error) {
	text := []byte{'{'}
	for i := range v.values {
		if i > 0 {
			text = append(text, ',')
		}
		switch x := v.Index(i).(type) {
		case nil:
			text = append(text, "NULL"...)
		case int64:
			text = strconv.AppendInt(text, x, 10)
		case float64:
			text = append(text, formatFloat(x)...)
		case bool:
			text = strconv.AppendBool(text, x)
		case string:
			text = appendElement(text, x)
		case time.Time:
			text = appendElement(text, x.Format(time.RFC3339Nano))
		case []byte:
			text = appendElement(text, `\x`+hex.EncodeToString(x))
		default:
			return nil, fmt.Errorf("postgres: no text for %T", x)
		}
	}
	return string(append(text, '}')), nil
}

// flags is an array parameter of truth values.
type flags []bool

func (f flags) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(f)), LowerBound: 1}} //nolint:gosec // as many as a vector has
}

func (f flags) Index(i int) any { return f[i] }

func (f flags) IndexType() any { return false }

// Value is the same as that of vector.
func (f flags) Value() (driver.Value, error) {
	text := []byte{'{'}
	for i, b := range f {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendBool(text, b)
	}
	return string(append(text, '}')), nil
}
