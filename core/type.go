package core

import "strconv"

// Type is the type of a field's values. The zero Type is no type: it is what
// [Value.Type] says of the absent value.
type Type uint8

// The types of a model, with what their values hold.
const (
	// Int is a whole number of 64 bits with sign.
	Int Type = iota + 1
	// Float is an IEEE 754 double, never an infinity or a NaN; there is one zero.
	Float
	// Text is valid UTF-8 without U+0000, ordered by code point.
	Text
	// Bool is false or true, in this order.
	Bool
	// Time is an instant in microseconds, in UTC, of the years 1 to 9999
	// (RFC 3339 in JSON).
	Time
	// UUID is an RFC 9562 identifier, written in lower case.
	UUID
	// Bytes is binary data (base64 of RFC 4648 section 4 in JSON).
	Bytes
	// JSON is any JSON value in canonical form: names sorted, one spelling per
	// number. It has equality but no order.
	JSON
	// List is a JSON array in canonical form. It has equality but no order. It
	// is also what a one-directional to-many relation is stored as.
	List

	typeNull Type = 255
)

var typeNames = [...]string{
	Int: "int", Float: "float", Text: "text", Bool: "bool", Time: "time",
	UUID: "uuid", Bytes: "bytes", JSON: "json", List: "list",
}

// String returns the type's name in lower case, as models, errors and
// documents spell it.
func (t Type) String() string {
	if t.Valid() {
		return typeNames[t]
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

// Valid reports whether t is one of the types of a model.
func (t Type) Valid() bool { return t >= Int && t <= List }

// Ordered reports whether values of type t can be compared with less and
// greater, and so sorted by: all but [JSON] and [List].
func (t Type) Ordered() bool { return t >= Int && t <= Bytes }

// key reports whether t can be the type of a primary key.
func (t Type) key() bool { return t == Int || t == Text || t == UUID }
