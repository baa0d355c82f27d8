package core

import "strconv"

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

	typeNull Type = 255
)

var typeNames = [...]string{
	Int: "int", Float: "float", Text: "text", Bool: "bool", Time: "time",
	UUID: "uuid", Bytes: "bytes", JSON: "json", List: "list",
}

// String returns the name of the type in lower case, as in errors and documents.
func (t Type) String() string {
	if t.Valid() {
		return typeNames[t]
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

// Valid reports whether t is a type of the model.
func (t Type) Valid() bool { return t >= Int && t <= List }

// Ordered reports whether values of type t have an order, so that queries can sort by them and compare them: all
// types but [JSON] and [List].
func (t Type) Ordered() bool { return t >= Int && t <= Bytes }

// key reports whether a primary key can have type t.
func (t Type) key() bool { return t == Int || t == Text || t == UUID }
