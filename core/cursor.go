package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
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
			return "", &Error{Code: ServerError, Cause: fmt.Errorf("a record has no value of %s, by which the query sorts", o.Field)}
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

// mark is what a [Cursor] holds of a position: a value for each entry of the order.
type mark []marked

// marked is one value of a position. A long one is cut: its beginning is kept, and a
// hash of the whole.
type marked struct {
	value Value
	hash  string // of a value that is cut
}

// Sizes of a mark in bytes of JSON, so that the cursor stays below 2 KiB in base64.
const (
	markSize      = 1500
	markKeySize   = 512 // a key that is longer is cut like other values
	beginningSize = 256 // of the beginning of a value, at most
	hashSize      = 8
	leastKeySize  = 40                                         // of the beginning of a key: shorter ones are forged, to have many records looked through
	cutSize       = len(`{"begins":"","hash":"AAAAAAAAAAA"},`) // of a cut value without its beginning
)

// markOf returns the mark of a position, whose last value is a key. Values are cut
// only if the whole is too long.
func markOf(position []Value) mark {
	m := make(mark, len(position))
	size := 0
	for i, v := range position {
		m[i].value = v
		size += v.JSONSize() + len(",")
	}
	if size > markSize {
		m.cut()
	}
	return m
}

// cut cuts the values that take more than their share, the key last.
func (m mark) cut() {
	left, values := markSize, m
	if key := m[len(m)-1].value.JSONSize() + len(","); key <= markKeySize {
		left, values = left-key, m[:len(m)-1]
	}
	share := min(left/len(values), beginningSize+cutSize)
	for i := range values {
		if v := values[i].value; v.JSONSize()+len(",") > share {
			values[i] = marked{beginning(v, share-cutSize), hashOf(v)}
		}
	}
}

// beginning returns the longest beginning of a text or of bytes that takes at most
// that many bytes of JSON, without quotes. Values of other types are not long.
func beginning(v Value, size int) Value {
	if v.typ == Bytes {
		return Value{typ: Bytes, str: v.str[:min(len(v.str), base64.StdEncoding.DecodedLen(size))]}
	}
	end := 0
	for end < len(v.str) {
		_, n := utf8.DecodeRuneInString(v.str[end:])
		if size -= TextValue(v.str[end:end+n]).JSONSize() - len(`""`); size < 0 {
			break
		}
		end += n
	}
	return Value{typ: v.typ, str: v.str[:end]}
}

func hashOf(v Value) string {
	sum := sha256.Sum256([]byte(v.str))
	return base64.RawURLEncoding.EncodeToString(sum[:hashSize])
}

// text returns the mark as JSON.
func (m mark) text() []byte {
	text := []byte{'['}
	for i, at := range m {
		if i > 0 {
			text = append(text, ',')
		}
		if at.hash == "" {
			text = at.value.AppendJSON(text)
			continue
		}
		text = at.value.AppendJSON(append(text, `{"begins":`...))
		text = TextValue(at.hash).AppendJSON(append(text, `,"hash":`...))
		text = append(text, '}')
	}
	return append(text, ']')
}

// parseMark reads the text of a mark of that order.
func parseMark(text []byte, order []Order) (mark, error) {
	list, err := List.Convert(jsonText(text))
	if err != nil {
		return nil, errForeignCursor()
	}
	items, ok := list.Any().([]any)
	if !ok || len(items) != len(order) {
		return nil, errForeignCursor()
	}
	m := make(mark, len(items))
	for i, item := range items {
		if m[i], ok = parseMarked(item, order[i].Field); !ok {
			return nil, errForeignCursor()
		}
	}
	return m, nil
}

func parseMarked(item any, f *Field) (at marked, ok bool) {
	if object, cut := item.(map[string]any); cut {
		item = object["begins"]
		at.hash, ok = object["hash"].(string)
		if !ok || len(object) != 2 || at.hash == "" || item == nil || f.typ != Text && f.typ != Bytes {
			return marked{}, false
		}
	}
	var err error
	at.value, err = f.typ.Convert(item)
	if f.Key() && (at.value.IsNull() || at.hash != "" && at.value.JSONSize() < leastKeySize) {
		return marked{}, false
	}
	return at, err == nil
}

// whole reports whether the mark is a position: no value is cut.
func (m mark) whole() bool {
	for _, at := range m {
		if at.hash != "" {
			return false
		}
	}
	return true
}

// of reports whether the mark was made of a record with those values.
func (m mark) of(order []Order, rec Record) bool {
	for i, at := range m {
		v := rec.values[order[i].Field.column]
		if at.hash == "" && v != at.value || at.hash != "" && (!v.IsSet() || hashOf(v) != at.hash) {
			return false
		}
	}
	return true
}

// position returns the values of the record that the mark was made of, or, if that is
// the zero Record, a position at or before it in the order.
func (m mark) position(order []Order, rec Record) ([]Value, error) {
	position := make([]Value, len(m))
	for i, at := range m {
		switch {
		case !rec.IsZero():
			position[i] = rec.values[order[i].Field.column]
		case at.hash != "" && order[i].Desc: // every value with the beginning comes after
			position[i] = successor(at.value)
		default:
			position[i] = at.value
		}
		if position[i].IsNull() && order[i].Field.Key() {
			return nil, errForeignCursor()
		}
	}
	return position, nil
}

// successor returns a value that is greater than all that begin with v: null, which
// is greater than every value, if there is no other.
func successor(v Value) Value {
	if v.typ == Bytes {
		b := []byte(v.str)
		for n := len(b); n > 0; n-- {
			if b[n-1]++; b[n-1] > 0 {
				return BytesValue(b[:n])
			}
		}
		return Null
	}
	for s := v.str; s != ""; {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if r < utf8.MaxRune {
			return TextValue(s + string(r+1)) // U+FFFD in place of a surrogate, which is greater, too
		}
	}
	return Null
}

// A page that continues after a cursor with values that are cut needs the record that
// the cursor was made of.

// selectInTx reads the page and what it continues after in one transaction.
func (s session) selectInTx(ctx context.Context, r *Resource, q Query) (page Page, err error) {
	err = s.store.TxWith(ctx, TxOptions{ReadOnly: true}, func(ctx context.Context, tx *Transaction) (err error) {
		page, err = tx.Select(ctx, r, q)
		return err
	})
	return page, err
}

// findMark returns the position of the mark: of its record, if that is still there and
// visible, and as it was.
func (s session) findMark(ctx context.Context, op *Op, at mark) ([]Value, error) {
	s.final = false
	rec, err := s.marked(ctx, op, at)
	if err != nil && !hides(err) {
		return nil, err
	}
	return at.position(op.Order, rec)
}

// hides reports whether a policy lets the principal read nothing of what was asked for.
func hides(err error) bool {
	return errors.Is(err, Forbidden) || errors.Is(err, Unauthorized) || errors.Is(err, UnknownField)
}

// marked returns the record that the mark was made of, with the fields that the op
// sorts by; the zero Record if there is none.
func (s session) marked(ctx context.Context, op *Op, at mark) (Record, error) {
	names := make([]string, len(op.Order))
	for i, o := range op.Order {
		names[i] = o.Field.name
	}
	key := at[len(at)-1]
	if key.hash != "" {
		return s.markedByBeginning(ctx, op, at, names)
	}
	records, err := s.Load(ctx, op.Resource, []Value{key.value}, names...)
	if err != nil || len(records) == 0 || !at.of(op.Order, records[0]) {
		return Record{}, err
	}
	return records[0], nil
}

// markedPageSize is how many records [session.markedByBeginning] reads at a time.
const markedPageSize = 256

// markedByBeginning looks for the record among those whose keys begin like its own.
func (s session) markedByBeginning(ctx context.Context, op *Op, at mark, names []string) (Record, error) {
	key := op.Resource.key
	begins := Prefix(key.name, at[len(at)-1].value.str)
	q := Query{Where: begins, Fields: names, Limit: markedPageSize}
	for {
		page, err := s.Select(ctx, op.Resource, q)
		if err != nil {
			return Record{}, err
		}
		for _, rec := range page.Records {
			if at.of(op.Order, rec) {
				return rec, nil
			}
		}
		if page.Next == "" {
			return Record{}, nil
		}
		q.Where = And(begins, Gt(key.name, page.Records[len(page.Records)-1].Key()))
	}
}
