package memtable

import (
	"math"

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
