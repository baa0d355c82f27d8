package memtable

import (
	"math"

	"github.com/larder-go/larder/core"
)

// ordinal is what values are stored as in trees: plain Go types that sort as
// [core.Compare] sorts the values, at a fraction of the cost.
type ordinal interface{ int64 | string }

// isNumber reports whether the ordinals of the type are numbers; all others are
// strings.
func isNumber(t core.Type) bool {
	switch t {
	case core.Int, core.Bool, core.Time, core.Float:
		return true
	}
	return false
}

// number returns the ordinal of a value for whose type isNumber holds.
func number(v core.Value) int64 {
	switch v.Type() {
	case core.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case core.Time:
		return v.Time().UnixMicro()
	case core.Float:
		return floatOrdinal(v.Float())
	}
	return v.Int()
}

// floatOrdinal maps doubles to integers of the same order: IEEE 754 sorts
// positive ones by their bits, and negative ones the other way round.
func floatOrdinal(f float64) int64 {
	bits := int64(math.Float64bits(f)) //nolint:gosec // the bits are kept, not the number
	if bits < 0 {
		bits ^= math.MaxInt64
	}
	return bits
}
