package core

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// maxTupleSize bounds the JSON of a [Tuple], in bytes, so that a [Cursor] has room for it.
const maxTupleSize = 500

var errTupleSize = errors.New("is longer than 500 bytes")

// TupleOf returns the [Tuple] of the values, the key of a resource with one value for each of its key fields. A Tuple
// among the values contributes its elements. The result is [Null] if a value is null, and otherwise absent if a value is
// absent. TupleOf panics for a value of a type that a key of several fields cannot have.
func TupleOf(values ...Value) Value {
	var encoded []byte
	absent := false
	for _, v := range values {
		switch {
		case v.IsNull():
			return Null
		case v.IsAbsent():
			absent = true
		case v.typ == Tuple:
			encoded = append(encoded, v.str...)
		case !v.typ.Element():
			panic("core: a tuple cannot hold a value of type " + v.typ.String())
		default:
			encoded = appendElement(encoded, v)
		}
	}
	if absent {
		return Value{}
	}
	return Value{typ: Tuple, str: string(encoded)}
}

// appendElement appends an encoding of the value that sorts as [Compare] does: the type, and eight bytes for a number or
// text with a terminator, which no text contains.
func appendElement(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.typ))
	if v.typ == Text || v.typ == UUID {
		return append(append(dst, v.str...), 0)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.num)^1<<63) //nolint:gosec // flips the sign, so that bytes sort like numbers
}

// Tuple returns the elements of a [Tuple]; nil for any other value.
func (v Value) Tuple() []Value {
	if v.typ != Tuple {
		return nil
	}
	var elements []Value
	for rest := v.str; rest != ""; {
		element := Value{typ: Type(rest[0])}
		rest = rest[1:]
		if element.typ == Text || element.typ == UUID {
			element.str, rest, _ = strings.Cut(rest, "\x00")
		} else {
			element.num = int64(binary.BigEndian.Uint64([]byte(rest[:8])) ^ 1<<63) //nolint:gosec // the sign is flipped back
			rest = rest[8:]
		}
		elements = append(elements, element)
	}
	return elements
}

var (
	escapeElement   = strings.NewReplacer("%", "%25", ",", "%2C")
	unescapeElement = strings.NewReplacer("%25", "%", "%2C", ",")
)

// tupleText returns the elements as text, joined by commas.
func tupleText(v Value) string {
	elements := v.Tuple()
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = escapeElement.Replace(elementText(element))
	}
	return strings.Join(texts, ",")
}

// elementText returns [Value.String] of an element.
func elementText(v Value) string {
	switch v.typ {
	case Int:
		return strconv.FormatInt(v.num, 10)
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Time:
		return v.Time().Format(timeLayout)
	case Date:
		return v.Date().Format(time.DateOnly)
	case LocalTime:
		return v.LocalTime().Format(localTimeLayout)
	}
	return v.str
}

// ParseTuple returns the [Tuple] with elements of the given types from its text, such as "17,3". In elements "," is
// "%2C" and "%" is "%25".
//
// Errors: text that is not the form in which [Value.String] writes a tuple.
func ParseTuple(text string, types ...Type) (Value, error) {
	texts := strings.Split(text, ",")
	if len(texts) != len(types) {
		return Value{}, errLossy
	}
	elements := make([]Value, len(types))
	for i, t := range types {
		if !t.Element() {
			return Value{}, errLossy
		}
		var raw any = unescapeElement.Replace(texts[i])
		if t == Bool {
			raw = raw == "true"
		}
		var err error
		if elements[i], err = t.Convert(raw); err != nil {
			return Value{}, err
		}
	}
	v := TupleOf(elements...)
	if tupleText(v) != text {
		return Value{}, errLossy
	}
	return v, nil
}

// convertTuple returns a Tuple, or its text, as a tuple with elements of the types. nil and null are [Null].
func convertTuple(raw any, types []Type) (Value, error) {
	v, ok := raw.(Value)
	if ok && v.typ == Tuple {
		return v, tupleFits(v, types)
	}
	text, err := Text.Convert(raw)
	if err != nil || !text.IsSet() {
		return text, err
	}
	if v, err = ParseTuple(text.str, types...); err == nil {
		err = tupleFits(v, types)
	}
	return v, err
}

// typeNames returns the names of the types with commas between them.
func typeNames(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return strings.Join(names, ",")
}

// tupleFits returns an error for a tuple whose elements have other types or invalid content, or that is too long.
func tupleFits(v Value, types []Type) error {
	elements := v.Tuple()
	fits := slices.EqualFunc(elements, types, func(element Value, t Type) bool { return element.typ == t && wellFormed(element) })
	switch {
	case !fits:
		return errLossy
	case v.JSONSize() > maxTupleSize:
		return errTupleSize
	}
	return nil
}

// leastTuple returns a tuple of the types that sorts before all others.
func leastTuple(types []Type) Value {
	least := make([]Value, len(types))
	for i, t := range types {
		least[i] = leastElement(t)
	}
	return TupleOf(least...)
}

func leastElement(t Type) Value {
	switch t {
	case Int:
		return IntValue(-1 << 63)
	case Time, LocalTime:
		v, _ := LocalTime.Convert("0001-01-01T00:00:00")
		return Value{typ: t, num: v.num}
	case Date:
		v, _ := Date.Convert("0001-01-01")
		return v
	case UUID:
		return UUIDValue([16]byte{})
	}
	return Value{typ: t}
}

func appendTuple(dst []byte, v Value) []byte { return strictjson.AppendString(dst, tupleText(v)) }
