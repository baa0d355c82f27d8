package memtable

import (
	"math"
	"strings"

	"github.com/larder-go/larder/core"
)

// ordinal is the representation of values in trees: a plain Go type that sorts as [core.Compare] sorts the values, and
// much faster.
type ordinal interface{ int64 | string }

// isNumber reports whether the ordinals of the type are integers. All other ordinals are strings.
func isNumber(t core.Type) bool {
	switch t {
	case core.Int, core.Bool, core.Time, core.Float, core.Date, core.LocalTime:
		return true
	}
	return false
}

// number returns the ordinal of a value of a type for which isNumber holds.
func number(v core.Value) int64 {
	switch v.Type() {
	case core.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case core.Time:
		return v.Time().UnixMicro()
	case core.Date:
		return v.Date().Unix()
	case core.LocalTime:
		return v.LocalTime().UnixMicro()
	case core.Float:
		return floatOrdinal(v.Float())
	}
	return v.Int()
}

// floatOrdinal maps doubles to integers of the same order. The bits of positive IEEE 754 numbers ascend with the
// numbers, and the bits of negative ones descend.
func floatOrdinal(f float64) int64 {
	bits := int64(math.Float64bits(f)) //nolint:gosec // the bits are kept, not the number
	if bits < 0 {
		bits ^= math.MaxInt64
	}
	return bits
}

// decimalOrdinal maps decimals to strings of the same order: the sign, the number of whole digits and the digits. The bytes
// of negative numbers are inverted, and end with the greatest byte so that more digits come first.
func decimalOrdinal(v core.Value) string {
	text, negative := strings.CutPrefix(v.Text(), "-")
	whole, fraction, _ := strings.Cut(text, ".")
	b := append([]byte{1}, byte(len(whole)>>8), byte(len(whole))) //nolint:gosec // at most 1,000 digits
	b = append(append(b, whole...), fraction...)
	if negative {
		for i := range b {
			b[i] = ^b[i]
		}
		b[0] = 0
		b = append(b, 0xff)
	}
	return string(b)
}
