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
	raw := append(fingerprint(op), keysetOf(position).json()...)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// mark decodes the cursor for op.
func (c Cursor) keyset(op *Op) (keyset, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(raw) < fingerprintSize || string(raw[:fingerprintSize]) != string(fingerprint(op)) {
		return nil, errInvalidCursor()
	}
	return parseKeyset(raw[fingerprintSize:], op.Order)
}

func errInvalidCursor() error {
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
type keyset []keysetValue

// marked is one value of a position. A long one is cut: its beginning is kept, and a
// hash of the whole.
type keysetValue struct {
	value Value
	hash  string // of a value that is cut
}

// Sizes of a mark in bytes of JSON, so that the cursor stays below 2 KiB in base64.
const (
	keysetSize       = 1500
	keysetKeySize    = 512 // a key that is longer is cut like other values
	prefixSize       = 256 // of the prefixOf of a value, at most
	hashSize         = 8
	minKeyPrefixSize = 40                                         // of the prefixOf of a key: shorter ones are forged, to have many records looked through
	truncatedSize    = len(`{"begins":"","hash":"AAAAAAAAAAA"},`) // of a cut value without its prefixOf
)

// markOf returns the mark of a position, whose last value is a key. Values are cut
// only if the whole is too long.
func keysetOf(position []Value) keyset {
	k := make(keyset, len(position))
	size := 0
	for i, v := range position {
		k[i].value = v
		size += v.JSONSize() + len(",")
	}
	if size > keysetSize {
		k.truncate()
	}
	return k
}

// cut cuts the values that take more than their share, the key last.
func (k keyset) truncate() {
	left, values := keysetSize, k
	if key := k[len(k)-1].value.JSONSize() + len(","); key <= keysetKeySize {
		left, values = left-key, k[:len(k)-1]
	}
	share := min(left/len(values), prefixSize+truncatedSize)
	for i := range values {
		if v := values[i].value; v.JSONSize()+len(",") > share {
			values[i] = keysetValue{prefixOf(v, share-truncatedSize), hashOf(v)}
		}
	}
}

// beginning returns the longest beginning of a text or of bytes that takes at most
// that many bytes of JSON, without quotes. Values of other types are not long.
func prefixOf(v Value, size int) Value {
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
func (k keyset) json() []byte {
	text := []byte{'['}
	for i, at := range k {
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
func parseKeyset(text []byte, order []Order) (keyset, error) {
	list, err := List.Convert(jsonText(text))
	if err != nil {
		return nil, errInvalidCursor()
	}
	items, ok := list.Any().([]any)
	if !ok || len(items) != len(order) {
		return nil, errInvalidCursor()
	}
	k := make(keyset, len(items))
	for i, item := range items {
		if k[i], ok = parseKeysetValue(item, order[i].Field); !ok {
			return nil, errInvalidCursor()
		}
	}
	return k, nil
}

func parseKeysetValue(item any, f *Field) (at keysetValue, ok bool) {
	if object, cut := item.(map[string]any); cut {
		item = object["begins"]
		at.hash, ok = object["hash"].(string)
		if !ok || len(object) != 2 || at.hash == "" || item == nil || f.typ != Text && f.typ != Bytes {
			return keysetValue{}, false
		}
	}
	var err error
	at.value, err = f.typ.Convert(item)
	if f.Key() && (at.value.IsNull() || at.hash != "" && at.value.JSONSize() < minKeyPrefixSize) {
		return keysetValue{}, false
	}
	return at, err == nil
}

// whole reports whether the mark is a position: no value is cut.
func (k keyset) complete() bool {
	for _, at := range k {
		if at.hash != "" {
			return false
		}
	}
	return true
}

// of reports whether the mark was made of a record with those values.
func (k keyset) matches(order []Order, rec Record) bool {
	for i, at := range k {
		v := rec.values[order[i].Field.column]
		if at.hash == "" && v != at.value || at.hash != "" && (!v.IsSet() || hashOf(v) != at.hash) {
			return false
		}
	}
	return true
}

// position returns the values of the record that the mark was made of, or, if that is
// the zero Record, a position at or before it in the order.
func (k keyset) position(order []Order, rec Record) ([]Value, error) {
	position := make([]Value, len(k))
	for i, at := range k {
		switch {
		case !rec.IsZero():
			position[i] = rec.values[order[i].Field.column]
		case at.hash != "" && order[i].Desc: // every value with the prefixOf comes after
			position[i] = successor(at.value)
		default:
			position[i] = at.value
		}
		if position[i].IsNull() && order[i].Field.Key() {
			return nil, errInvalidCursor()
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
func (s session) keysetPosition(ctx context.Context, op *Op, at keyset) ([]Value, error) {
	s.final = false
	rec, err := s.keysetRecord(ctx, op, at)
	if err != nil && !readDenied(err) {
		return nil, err
	}
	return at.position(op.Order, rec)
}

// hides reports whether a policy lets the principal read nothing of what was asked for.
func readDenied(err error) bool {
	return errors.Is(err, Forbidden) || errors.Is(err, Unauthorized) || errors.Is(err, UnknownField)
}

// marked returns the record that the mark was made of, with the fields that the op
// sorts by; the zero Record if there is none.
func (s session) keysetRecord(ctx context.Context, op *Op, at keyset) (Record, error) {
	names := make([]string, len(op.Order))
	for i, o := range op.Order {
		names[i] = o.Field.name
	}
	key := at[len(at)-1]
	if key.hash != "" {
		return s.keysetRecordByPrefix(ctx, op, at, names)
	}
	records, err := s.Load(ctx, op.Resource, []Value{key.value}, names...)
	if err != nil || len(records) == 0 || !at.matches(op.Order, records[0]) {
		return Record{}, err
	}
	return records[0], nil
}

// markedPageSize is how many records [session.markedByBeginning] reads at a time.
const keysetPageSize = 256

// markedByBeginning looks for the record among those whose keys begin like its own.
func (s session) keysetRecordByPrefix(ctx context.Context, op *Op, at keyset, names []string) (Record, error) {
	key := op.Resource.key
	begins := Prefix(key.name, at[len(at)-1].value.str)
	q := Query{Where: begins, Fields: names, Limit: keysetPageSize}
	for {
		page, err := s.Select(ctx, op.Resource, q)
		if err != nil {
			return Record{}, err
		}
		for _, rec := range page.Records {
			if at.matches(op.Order, rec) {
				return rec, nil
			}
		}
		if page.Next == "" {
			return Record{}, nil
		}
		q.Where = And(begins, Gt(key.name, page.Records[len(page.Records)-1].Key()))
	}
}
