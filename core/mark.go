package core

import (
	"crypto/sha256"
	"encoding/base64"
	"unicode/utf8"
)

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
