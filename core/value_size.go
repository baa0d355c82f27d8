package core

import (
	"encoding/base64"
	"strconv"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// The longest spellings of types whose values have no length of their own.
const (
	maxFloatSize = len("-0.0000012345678901234567")
	maxTimeSize  = len(`"2006-01-02T15:04:05.999999Z"`)
	maxBoolSize  = len("false")
	nullSize     = len("null")
)

// JSONSize returns at least the number of bytes that [Value.AppendJSON] appends. It
// is exact, escapes included, for every type but Float, Bool and Time, and allocates
// nothing.
func (v Value) JSONSize() int {
	switch v.typ {
	case Int:
		var digits [20]byte
		return len(strconv.AppendInt(digits[:0], v.num, 10))
	case Float:
		return maxFloatSize
	case Text:
		return strictjson.StringSize(v.str)
	case Bool:
		return maxBoolSize
	case Time:
		return maxTimeSize
	case UUID:
		return len(v.str) + len(`""`)
	case Bytes:
		return base64.StdEncoding.EncodedLen(len(v.str)) + len(`""`)
	case JSON, List:
		return len(v.str)
	}
	return nullSize
}
