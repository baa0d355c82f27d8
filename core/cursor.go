package core

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Cursor is a place in the result of a query: after the last record of a page.
// It is opaque text that fits into a URL, holds nothing but the values that the
// query sorts by, and works for that query alone. It stays valid when records
// come and go, the one that it was made of included.
type Cursor string

// fingerprintSize is enough to tell queries apart by accident; a forged cursor
// gains nothing, because it is data of the query like any other value.
const fingerprintSize = 8

// cursorAfter returns the cursor that continues op after rec. A record that lost
// a value that it was sorted by would continue elsewhere.
func cursorAfter(op *Op, rec Record) (Cursor, error) {
	position := make([]Value, len(op.Order))
	for i, o := range op.Order {
		if position[i] = rec.values[o.Field.column]; position[i].IsAbsent() {
			return "", &Error{Code: ServerError, Cause: fmt.Errorf("a record came without %s, which the query sorts by", o.Field)}
		}
	}
	raw := append(fingerprint(op), ListOf(position...).str...)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// position decodes the cursor for op.
func (c Cursor) position(op *Op) ([]Value, error) {
	foreign := &Error{Code: BadParam, Param: "after", Accepted: "a cursor of the same query"}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(raw) < fingerprintSize || string(raw[:fingerprintSize]) != string(fingerprint(op)) {
		return nil, foreign
	}
	list, err := List.Convert(jsonText(raw[fingerprintSize:]))
	if err != nil {
		return nil, foreign
	}
	items, ok := list.Any().([]any)
	if !ok || len(items) != len(op.Order) {
		return nil, foreign
	}
	position := make([]Value, len(items))
	for i, item := range items {
		v, err := op.Order[i].Field.typ.Convert(item)
		if err != nil || v.IsNull() && op.Order[i].Field.Key() {
			return nil, foreign
		}
		position[i] = v
	}
	return position, nil
}

// fingerprint identifies the query of op: resource, condition and order.
func fingerprint(op *Op) []byte {
	text := append([]byte(nil), op.Resource.name...)
	text = append(text, 0)
	if op.scope != "" {
		text = append(text, 0) // no condition begins like this
		text = append(text, op.scope...)
	} else {
		text = append(text, op.Where.String()...)
	}
	for _, o := range op.Order {
		text = append(text, 0)
		text = append(text, o.Field.name...)
		if o.Desc {
			text = append(text, '-')
		}
	}
	sum := sha256.Sum256(text)
	return sum[:fingerprintSize]
}
