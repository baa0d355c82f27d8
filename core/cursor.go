package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Cursor continues a query after the last record of a page. It is opaque text of less than 2 KiB that fits into a
// URL. It is valid for its query only, with any limit, and stays valid when records are inserted, changed or deleted,
// the last record of the page included.
//
// A cursor holds the sort values of that record. If they are too long, it holds their prefixes and hashes; the next
// page then reads the record again, in the same transaction and under the guards of the request. If the record is
// deleted, hidden or changed, the list continues at the first value with the prefix: it may repeat records, but
// leaves out none.
type Cursor string

// fingerprintSize is the length of a query's hash in a cursor, in bytes. It detects mistakes. A forged cursor gives a
// client no more than a filter does.
const fingerprintSize = 8

// cursorAfter returns the cursor that continues op after rec, which must have the values that the op sorts by.
func cursorAfter(op *Op, rec Record) (Cursor, error) {
	position := sortValues(op.Order, rec)
	for i, o := range op.Order {
		if position[i].IsAbsent() {
			return "", &Error{Code: ServerError, Cause: fmt.Errorf("a record has no value of %s, by which the query sorts", o.Field)}
		}
	}
	return cursorAt(op, position)
}

// cursorAt returns the cursor that continues op after the position.
func cursorAt(op *Op, position []Value) (Cursor, error) {
	raw := append(fingerprint(op), keysetOf(position).json()...)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// keyset decodes the cursor for op.
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

// fingerprint returns a hash of the op's resource, order, and scope or condition.
func fingerprint(op *Op) []byte {
	text := append([]byte(nil), op.Resource.name...)
	text = append(text, 0)
	if op.scope != "" {
		text = append(text, 0) // the text of a condition never begins with it
		text = append(text, op.scope...)
	} else {
		text = append(text, op.Where.String()...)
	}
	for _, o := range op.Order {
		text = append(text, 0)
		for _, hop := range o.Path {
			text = append(text, hop.Relation.Stored.String()...)
			text = append(text, '.')
		}
		text = append(text, o.Field.name...)
		if o.Desc {
			text = append(text, '-')
		}
	}
	sum := sha256.Sum256(text)
	return sum[:fingerprintSize]
}

// keyset is the content of a [Cursor]: the sort values of a record, one for each entry of the order. Long values are
// truncated.
type keyset []keysetValue

// keysetValue is a sort value or, if hash is set, the prefix of a long one and the hash of the whole.
type keysetValue struct {
	value Value
	hash  string
}

// Sizes in bytes of JSON. They keep a cursor below 2 KiB in base64.
const (
	keysetSize       = 1500
	keysetKeySize    = 512 // longer keys are truncated like other values
	prefixSize       = 256 // longest prefix of a value
	hashSize         = 8
	minKeyPrefixSize = 40                                         // shortest prefix of a key; a shorter, forged one would read many records
	truncatedSize    = len(`{"begins":"","hash":"AAAAAAAAAAA"},`) // truncated value without its prefix
)

// keysetOf returns the keyset of a position that ends with a key. It truncates values only if the position is too
// long as a whole.
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

// truncate shortens values that take more than an equal share of the space, the key last.
func (k keyset) truncate() {
	left, values := keysetSize, k
	if key := k[len(k)-1].value.JSONSize() + len(","); key <= keysetKeySize {
		left, values = left-key, k[:len(k)-1]
	}
	share := min(left/len(values), prefixSize+truncatedSize)
	for i := range values {
		if v := values[i].value; v.JSONSize()+len(",") > share && hashedWhole(v.typ) {
			values[i] = keysetValue{hash: hashOf(v)}
		} else if v.JSONSize()+len(",") > share {
			values[i] = keysetValue{prefixOf(v, share-truncatedSize), hashOf(v)}
		}
	}
}

// hashedWhole reports whether a long value of the type is only hashed, because a prefix of its text is no bound of it.
// Values of types other than Text, Bytes, Decimal and Tuple are short.
func hashedWhole(t Type) bool { return t == Decimal || t == Tuple }

// prefixOf returns the longest prefix of a Text or Bytes value that takes at most size bytes of JSON, without quotes.
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

// json returns the keyset as a JSON array.
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

// parseKeyset parses the JSON of a keyset for the order.
func parseKeyset(text []byte, order []Order) (keyset, error) {
	list, err := List.Convert(json.RawMessage(text))
	if err != nil {
		return nil, errInvalidCursor()
	}
	items, ok := list.Any().([]any)
	if !ok || len(items) != len(order) {
		return nil, errInvalidCursor()
	}
	k := make(keyset, len(items))
	for i, item := range items {
		if k[i], ok = parseKeysetValue(item, order[i].Field, i == len(order)-1); !ok {
			return nil, errInvalidCursor()
		}
	}
	return k, nil
}

// parseKeysetValue parses the sort value of a field. The last one is the key.
func parseKeysetValue(item any, f *Field, last bool) (at keysetValue, ok bool) {
	if object, cut := item.(map[string]any); cut {
		item = object["begins"]
		at.hash, ok = object["hash"].(string)
		if ok && hashedWhole(f.typ) && item == nil && len(object) == 2 && at.hash != "" {
			return at, !last
		}
		if !ok || len(object) != 2 || at.hash == "" || item == nil || f.typ != Text && f.typ != Bytes {
			return keysetValue{}, false
		}
	}
	var err error
	at.value, err = f.convertType(item)
	if last && (at.value.IsNull() || at.hash != "" && at.value.JSONSize() < minKeyPrefixSize) {
		return keysetValue{}, false
	}
	return at, err == nil
}

// complete reports whether no value is truncated.
func (k keyset) complete() bool {
	for _, at := range k {
		if at.hash != "" {
			return false
		}
	}
	return true
}

// matches reports whether the keyset is that of the position.
func (k keyset) matches(position []Value) bool {
	for i, at := range k {
		v := position[i]
		if at.hash == "" && v != at.value || at.hash != "" && (!v.IsSet() || hashOf(v) != at.hash) {
			return false
		}
	}
	return true
}

// position returns the position found, which the keyset matches. With nil it returns a position at or before that
// record.
func (k keyset) position(order []Order, found []Value) ([]Value, error) {
	position := make([]Value, len(k))
	for i, at := range k {
		switch {
		case found != nil:
			position[i] = found[i]
		case at.hash != "" && hashedWhole(order[i].Field.typ) && order[i].Desc: // all values come after null
			position[i] = Null
		case at.hash != "" && order[i].Field.typ == Tuple:
			position[i] = leastTuple(order[i].Field.elements)
		case at.hash != "" && order[i].Field.typ == Decimal:
			position[i] = leastDecimal
		case at.hash != "" && order[i].Desc: // all values with the prefix come after it
			position[i] = successor(at.value)
		default:
			position[i] = at.value
		}
		if position[i].IsNull() && i == len(k)-1 {
			return nil, errInvalidCursor()
		}
	}
	return position, nil
}

// leastDecimal is the least value of type Decimal.
var leastDecimal = Value{typ: Decimal, str: "-" + strings.Repeat("9", maxDecimalDigits)}

// successor returns a value greater than all values with the prefix v. If there is none, it returns null, which sorts
// after every value.
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

// selectInTx reads the page and the record of its cursor in one transaction.
func (s session) selectInTx(ctx context.Context, r *Resource, q Query) (page Page, err error) {
	err = s.store.TxWith(ctx, TxOptions{ReadOnly: true}, func(ctx context.Context, tx *Transaction) (err error) {
		tx.session.deleted = s.deleted
		page, err = tx.Select(ctx, r, q)
		return err
	})
	return page, err
}

// keysetPosition returns the position after the record of a truncated keyset, if the record still exists, is visible
// and unchanged; otherwise a position at or before it.
func (s session) keysetPosition(ctx context.Context, op *Op, at keyset) ([]Value, error) {
	s.final = false
	found, err := s.keysetRecord(ctx, op, at)
	if err != nil && !readDenied(err) {
		return nil, err
	}
	return at.position(op.Order, found)
}

// readDenied reports whether a policy denies the principal to read the resource or a field.
func readDenied(err error) bool {
	return errors.Is(err, Forbidden) || errors.Is(err, Unauthorized) || errors.Is(err, UnknownField)
}

// keysetPageSize is the number of records that [session.keysetRecord] reads at a time.
const keysetPageSize = 256

// keysetRecord returns the sort values of the record of the keyset; nil if there is none.
func (s session) keysetRecord(ctx context.Context, op *Op, at keyset) ([]Value, error) {
	key := at[len(at)-1]
	switch {
	case key.hash == "":
		found, err := s.keysetRecords(ctx, op, at, op.Order, op.Resource.key.Compare(FilterEq, key.value))
		return found.position, err
	case crosses(op.Order): // the records with the prefix can be read page by page in the order of the keys only
		return nil, nil
	}
	begins := op.Resource.key.Compare(FilterPrefix, key.value)
	for where := begins; ; {
		found, err := s.keysetRecords(ctx, op, at, op.Resource.keyOrder, where)
		if err != nil || found.position != nil || !found.more {
			return found.position, err
		}
		where = And(begins, op.Resource.key.Compare(FilterGt, found.last))
	}
}

// keysetPage is the result of reading a page of records in which the record of a keyset may be.
type keysetPage struct {
	position []Value // sort values of the record of the keyset; nil if it is not in the page
	last     Value   // key of the last record of the page
	more     bool
}

func (s session) keysetRecords(ctx context.Context, op *Op, at keyset, order []Order, where Filter) (page keysetPage, err error) {
	read := s.op(Select, op.Resource)
	read.Where, read.Order, read.Limit = where, order, keysetPageSize
	if read.Fields, err = op.Resource.projection(nil, op.Order); err != nil {
		return page, err
	}
	res, err := s.send(ctx, read)
	if err != nil {
		return page, err
	}
	for i, rec := range res.Records {
		position := sortValues(op.Order, rec)
		if crosses(op.Order) {
			if len(res.Positions) != len(res.Records) {
				return page, errNoPositions
			}
			position = res.Positions[i]
		}
		if at.matches(position) {
			page.position = position
			return page, nil
		}
		page.last = rec.Key()
	}
	page.more = res.More
	return page, nil
}
