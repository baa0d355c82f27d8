package core

import (
	"cmp"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// Type is the type of a field's values. The zero Type is invalid; [Value.Type] returns it for absent and null values.
type Type uint8

// The types of a model.
const (
	// Int is a signed integer of 64 bits.
	Int Type = iota + 1
	// Float is an IEEE 754 double. It is never infinite or NaN, and there is one zero.
	Float
	// Text is valid UTF-8 without U+0000, ordered by code point.
	Text
	// Bool is false or true, in this order.
	Bool
	// Time is an instant in UTC with microseconds, in the years 1 to 9999. In JSON it is RFC 3339 text.
	Time
	// UUID is an RFC 9562 identifier, in lower case.
	UUID
	// Bytes is binary data. In JSON it is base64 text (RFC 4648, section 4).
	Bytes
	// JSON is any JSON value in canonical form: sorted names, one form per number. Its values have equality, but no
	// order.
	JSON
	// List is a JSON array in canonical form. Its values have equality, but no order. A to-many relation without an
	// inverse is stored as a List.
	List
	// Date is a day of the Gregorian calendar, without a time zone, in the years 1 to 9999. In JSON it is text such as
	// "2026-11-29".
	Date
	// LocalTime is a date and a clock time without a time zone, with microseconds, in the years 1 to 9999. It names no
	// instant. In JSON it is text such as "2026-11-29T12:00:00.5".
	LocalTime
	// Decimal is an exact decimal number of at most 1,000 digits, compared by value. It is never infinite or NaN. In JSON
	// it is text without exponent or superfluous zeros, such as "10.5"; a [FieldSpec.Scale] fixes the digits after the
	// point.
	Decimal
	// Tuple is the key of a resource with several key fields: their values, in order. Fields do not declare it; it is the
	// type of [Resource.Key] of such a resource, and of relations to it. It is ordered by its elements, the first one first,
	// and takes at most 500 bytes of JSON. In JSON it is text such as "17,3", with "%2C" for a comma and "%25" for a percent
	// sign in an element.
	Tuple

	typeNull Type = 255
)

// valueType describes one [Type]. A new type needs a constant at the end of the list and an entry in valueTypes here, an
// accessor in core/typed, and support in the backends and faces that must store and show it.
type valueType struct {
	name    string
	ordered bool // the values have an order
	key     bool // a primary key can have the type
	element bool // one of several key fields can have the type
	// convert returns a Go value as a value of the type, or errLossy. Except for JSON and List, the Go value has been
	// reduced to one of the types of isBasic.
	convert func(raw any) (Value, error)
	// wellFormed checks the content of a value, which constructors such as [TextValue] do not. nil accepts all values.
	wellFormed func(v Value) bool
	// plain implements [Value.Any].
	plain func(v Value) any
	// appendJSON implements [Value.AppendJSON].
	appendJSON func(dst []byte, v Value) []byte
	// jsonSize implements [Value.JSONSize].
	jsonSize func(v Value) int
	// compare implements [Compare] for two values of the type.
	compare func(a, b Value) int
}

var valueTypes = [...]valueType{
	Int: {
		name: "int", ordered: true, key: true, element: true, convert: toInt, compare: compareNum,
		plain:      func(v Value) any { return v.num },
		appendJSON: func(dst []byte, v Value) []byte { return strconv.AppendInt(dst, v.num, 10) },
		jsonSize: func(v Value) int {
			var digits [20]byte
			return len(strconv.AppendInt(digits[:0], v.num, 10))
		},
	},
	Float: {
		name: "float", ordered: true, convert: toFloat,
		wellFormed: func(v Value) bool { return !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0) },
		compare:    func(a, b Value) int { return cmp.Compare(a.Float(), b.Float()) },
		plain:      func(v Value) any { return v.Float() },
		appendJSON: func(dst []byte, v Value) []byte { return appendFloat(dst, v.Float()) },
		jsonSize:   func(Value) int { return len("-0.0000012345678901234567") },
	},
	Text: {
		name: "text", ordered: true, key: true, element: true, convert: toText, compare: compareStr, plain: plainStr,
		wellFormed: func(v Value) bool { return utf8.ValidString(v.str) && strings.IndexByte(v.str, 0) < 0 },
		appendJSON: func(dst []byte, v Value) []byte { return strictjson.AppendString(dst, v.str) },
		jsonSize:   func(v Value) int { return strictjson.StringSize(v.str) },
	},
	Bool: {
		name: "bool", ordered: true, element: true, convert: toBool, compare: compareNum,
		plain:      func(v Value) any { return v.num != 0 },
		appendJSON: func(dst []byte, v Value) []byte { return strconv.AppendBool(dst, v.num != 0) },
		jsonSize:   func(Value) int { return len("false") },
	},
	Time: {
		name: "time", ordered: true, element: true, convert: toTime, compare: compareNum,
		wellFormed: func(v Value) bool { return inCalendar(v.Time()) },
		plain:      func(v Value) any { return v.Time() },
		appendJSON: func(dst []byte, v Value) []byte {
			return v.Time().AppendFormat(dst, `"`+timeLayout+`"`)
		},
		jsonSize: func(Value) int { return len(`"2006-01-02T15:04:05.999999Z"`) },
	},
	UUID: {
		name: "uuid", ordered: true, key: true, element: true, convert: toUUID, compare: compareStr, plain: plainStr,
		appendJSON: func(dst []byte, v Value) []byte { return append(append(append(dst, '"'), v.str...), '"') },
		jsonSize:   func(v Value) int { return len(v.str) + len(`""`) },
	},
	Bytes: {
		name: "bytes", ordered: true, convert: toBytes, compare: compareStr,
		plain: func(v Value) any { return []byte(v.str) },
		appendJSON: func(dst []byte, v Value) []byte {
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), []byte(v.str)), '"')
		},
		jsonSize: func(v Value) int { return base64.StdEncoding.EncodedLen(len(v.str)) + len(`""`) },
	},
	JSON: {
		name: "json", compare: compareStr, plain: plainJSON, appendJSON: appendStr, jsonSize: sizeStr,
		convert: func(raw any) (Value, error) { return toJSON(JSON, raw) },
	},
	List: {
		name: "list", compare: compareStr, plain: plainJSON, appendJSON: appendStr, jsonSize: sizeStr,
		convert: func(raw any) (Value, error) { return toJSON(List, raw) },
	},
	Date: {
		name: "date", ordered: true, element: true, convert: toDate, compare: compareNum,
		wellFormed: func(v Value) bool { return inCalendar(v.Date()) },
		plain:      func(v Value) any { return v.Date().Format(time.DateOnly) },
		appendJSON: func(dst []byte, v Value) []byte { return v.Date().AppendFormat(dst, `"`+time.DateOnly+`"`) },
		jsonSize:   func(Value) int { return len(`"2006-01-02"`) },
	},
	LocalTime: {
		name: "localtime", ordered: true, element: true, convert: toLocalTime, compare: compareNum,
		wellFormed: func(v Value) bool { return inCalendar(v.LocalTime()) },
		plain:      func(v Value) any { return v.LocalTime().Format(localTimeLayout) },
		appendJSON: func(dst []byte, v Value) []byte { return v.LocalTime().AppendFormat(dst, `"`+localTimeLayout+`"`) },
		jsonSize:   func(Value) int { return len(`"` + localTimeLayout + `"`) },
	},
	Decimal: {
		name: "decimal", ordered: true, convert: toDecimal, compare: compareDecimal, plain: plainStr,
		wellFormed: func(v Value) bool { same, err := toDecimal(v.str); return err == nil && same == v },
		appendJSON: func(dst []byte, v Value) []byte { return append(append(append(dst, '"'), v.str...), '"') },
		jsonSize:   func(v Value) int { return len(v.str) + len(`""`) },
	},
	Tuple: {
		name: "tuple", ordered: true, compare: compareStr, appendJSON: appendTuple,
		convert:  func(any) (Value, error) { return Value{}, errLossy }, // the types of the elements are those of the field
		plain:    func(v Value) any { return tupleText(v) },
		jsonSize: func(v Value) int { return strictjson.StringSize(tupleText(v)) },
	},
}

func compareNum(a, b Value) int { return cmp.Compare(a.num, b.num) }

func compareStr(a, b Value) int { return strings.Compare(a.str, b.str) }

func plainStr(v Value) any { return v.str }

func plainJSON(v Value) any {
	parsed, _ := strictjson.Parse([]byte(v.str), math.MaxInt) // canonical text is valid
	return parsed
}

func appendStr(dst []byte, v Value) []byte { return append(dst, v.str...) }

func sizeStr(v Value) int { return len(v.str) }

// wellFormed checks the content of a value that is set.
func wellFormed(v Value) bool {
	check := valueTypes[v.typ].wellFormed
	return check == nil || check(v)
}

// Types returns the types that a field can declare, in the order of their declaration: all but [Tuple].
func Types() []Type {
	var types []Type
	for t := range Type(len(valueTypes)) {
		if t.Valid() && t != Tuple {
			types = append(types, t)
		}
	}
	return types
}

// String returns the name of the type in lower case, as in errors and documents.
func (t Type) String() string {
	if t.Valid() {
		return valueTypes[t].name
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

// Valid reports whether t is a type of the model.
func (t Type) Valid() bool { return t > 0 && int(t) < len(valueTypes) }

// Ordered reports whether values of type t have an order, so that queries can sort by them and compare them: all types
// but [JSON] and [List].
func (t Type) Ordered() bool { return t.Valid() && valueTypes[t].ordered }

// key reports whether a primary key can have type t.
func (t Type) key() bool { return t.Valid() && valueTypes[t].key }

// Element reports whether one of several key fields can have type t, so that values of type t can be elements of a [Tuple].
func (t Type) Element() bool { return t.Valid() && valueTypes[t].element }
