package core

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Cursor is a place in the result of a query: after the last record of a page.
// It is opaque text that fits into a URL: below 2 KiB, however long the values are
// that the query sorts by. It works for that query alone, and stays valid when
// records come and go, the record included that it was made of.
//
// Of values that are too long for that, a cursor holds the beginning and a hash. The
// page that it continues reads the record again, in the same transaction and under
// the guards of the request. If the record is gone, hidden or changed, the list
// continues where values with that beginning begin: records may show twice, and none
// is left out.
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
	raw := append(fingerprint(op), markOf(position).text()...)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// mark decodes the cursor for op.
func (c Cursor) mark(op *Op) (mark, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(raw) < fingerprintSize || string(raw[:fingerprintSize]) != string(fingerprint(op)) {
		return nil, errForeignCursor()
	}
	return parseMark(raw[fingerprintSize:], op.Order)
}

func errForeignCursor() error {
	return &Error{Code: BadParam, Param: "after", Accepted: "a cursor of the same query"}
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
