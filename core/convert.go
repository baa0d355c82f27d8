package core

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/core/internal/strictjson"
)

var errLossy = errors.New("value does not fit the type")

// Convert returns raw as a value of type t. It returns an error if the conversion would lose information. raw is a
// plain Go value or a parsed JSON value with numbers as [json.Number]. nil is [Null] for every type. Accepted values
// by type:
//
//   - Int: Go integers, whole floats, whole JSON numbers, and strings in the canonical decimal form ("1"; not "01",
//     "+1" or "1.0");
//   - Float: finite Go numbers that a double represents exactly, JSON numbers, and strings with a JSON number;
//   - Text: strings of valid UTF-8 without U+0000, and numbers, which become their JSON text;
//   - Bool: true and false;
//   - Time: [time.Time], truncated to microseconds, and RFC 3339 strings with at most six significant digits after
//     the second;
//   - UUID: [16]byte and strings of 36 characters in either case;
//   - Bytes: []byte and base64 strings (RFC 4648, section 4);
//   - JSON: values with a JSON form;
//   - List: slices with a JSON form, and JSON arrays;
//   - Date: strings in the form "2006-01-02", and a [time.Time] at midnight in [time.UTC]. Any other time.Time has a clock
//     time or a zone that the date would lose; [DateValue] takes its day;
//   - LocalTime: strings in the form of RFC 3339 without the zone, with at most six significant digits after the second,
//     and a [time.Time] in [time.UTC], truncated to microseconds. Any other time.Time has a zone that the local time would
//     lose; [LocalTimeValue] ignores it;
//   - Decimal: Go integers, JSON numbers and strings with a JSON number by their digits, and finite floats as their
//     shortest decimal.
//
// JSON numbers for other types than Decimal, also inside JSON and List values, must be within the range of a double and have at most 400 bytes
// without the exponent, so that every storage can hold them.
//
// Convert also accepts a [Value] that has type t or holds an accepted value, pointers to accepted values (a nil
// pointer is [Null]), and named types of the Go types above.
func (t Type) Convert(raw any) (Value, error) {
	for {
		switch x := raw.(type) {
		case nil:
			return Null, nil
		case Value:
			return t.convertValue(x)
		}
		if !t.Valid() {
			return Value{}, errLossy
		}
		if t == JSON || t == List || isBasic(raw) {
			return valueTypes[t].convert(raw)
		}
		var ok bool
		if raw, ok = underlying(reflect.ValueOf(raw)); !ok {
			return Value{}, errLossy
		}
	}
}

func (t Type) convertValue(v Value) (Value, error) {
	switch {
	case v.typ == t && v.IsSet() && !wellFormed(v):
		return Value{}, errLossy
	case v.typ == t || !v.IsSet():
		return v, nil
	case v.typ == JSON && t == List || v.typ == List && t == JSON:
		return toJSON(t, json.RawMessage(v.str))
	case v.typ == Time && (t == Date || t == LocalTime): // an instant has another date and clock time in each zone
		return Value{}, errLossy
	}
	return t.Convert(v.Any())
}

// isBasic reports whether raw has one of the Go types that the conversions handle.
func isBasic(raw any) bool {
	switch raw.(type) {
	case int64, float64, json.Number, string, bool, time.Time, []byte, [16]byte:
		return true
	}
	return false
}

// underlying returns the target of a pointer, nil for a nil pointer, or the value as one of the types of isBasic; false if
// there is none.
func underlying(v reflect.Value) (any, bool) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil, true
	case v.Kind() == reflect.Pointer:
		return v.Elem().Interface(), true
	case v.CanInt():
		return v.Int(), true
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), true //nolint:gosec // checked in the line above
	case v.CanUint():
		return json.Number(strconv.FormatUint(v.Uint(), 10)), true
	case v.CanFloat():
		return v.Float(), true
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return v.Bool(), true
	case v.Kind() == reflect.Array && v.Type().ConvertibleTo(uuidType):
		return v.Convert(uuidType).Interface(), true
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && v.Type() != rawType:
		return v.Bytes(), true
	}
	return nil, false
}

var (
	uuidType = reflect.TypeFor[[16]byte]()
	rawType  = reflect.TypeFor[json.RawMessage]() // holds JSON, not binary data
)

func toInt(raw any) (Value, error) {
	switch x := raw.(type) {
	case int64:
		return IntValue(x), nil
	case float64:
		if x == math.Trunc(x) && x >= -1<<63 && x < 1<<63 {
			return IntValue(int64(x)), nil
		}
		return Value{}, errLossy
	case json.Number:
		text, err := strictjson.CanonicalNumber(x.String())
		if err != nil {
			return Value{}, errLossy
		}
		return parseInt(text)
	case string:
		return parseInt(x)
	}
	return Value{}, errLossy
}

// parseInt parses the canonical decimal form of an integer.
func parseInt(s string) (Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return Value{}, errLossy
	}
	return IntValue(n), nil
}

func toFloat(raw any) (Value, error) {
	switch x := raw.(type) {
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return Value{}, errLossy
		}
		return FloatValue(x), nil
	case int64:
		if f := float64(x); f < 1<<63 && int64(f) == x {
			return FloatValue(f), nil
		}
		return Value{}, errLossy
	case json.Number:
		return parseFloat(x.String())
	case string:
		return parseFloat(x)
	}
	return Value{}, errLossy
}

// parseFloat parses a JSON number as a double. A whole number must be exactly the double, or the JSON text of that
// double, in which the last digits of large numbers are zeros. A fraction is rounded to the nearest double, but not
// to zero.
func parseFloat(s string) (Value, error) {
	text, err := strictjson.CanonicalNumber(s)
	if err != nil {
		return Value{}, errLossy
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || f == 0 && text != "0" {
		return Value{}, errLossy
	}
	if whole, ok := wholeNumber(text); ok {
		back, _ := big.NewFloat(f).Int(nil)
		if back.Cmp(whole) != 0 && string(appendFloat(nil, f)) != text {
			return Value{}, errLossy
		}
	}
	return FloatValue(f), nil
}

// wholeNumber returns the number in canonical text; false if it is not whole.
func wholeNumber(text string) (*big.Int, bool) {
	if !strings.Contains(text, "e+") { // canonical text has exponents from 1e21
		return new(big.Int).SetString(text, 10)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() {
		return nil, false
	}
	return r.Num(), true
}

func toText(raw any) (Value, error) {
	switch x := raw.(type) {
	case string:
		if !utf8.ValidString(x) || strings.IndexByte(x, 0) >= 0 {
			return Value{}, errLossy
		}
		return TextValue(x), nil
	case json.Number:
		if _, err := strictjson.CanonicalNumber(x.String()); err != nil {
			return Value{}, errLossy
		}
		return TextValue(x.String()), nil
	case int64:
		return TextValue(strconv.FormatInt(x, 10)), nil
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return Value{}, errLossy
		}
		return TextValue(string(appendFloat(nil, x))), nil
	case bool:
		return Value{}, errLossy
	}
	return Value{}, errLossy
}

func toBool(raw any) (Value, error) {
	if b, ok := raw.(bool); ok {
		return BoolValue(b), nil
	}
	return Value{}, errLossy
}

// toUUID accepts the form with hyphens, the only one in RFC 9562.
func toUUID(raw any) (Value, error) {
	switch x := raw.(type) {
	case [16]byte:
		return UUIDValue(x), nil
	case string:
		if len(x) != 36 || x[8] != '-' || x[13] != '-' || x[18] != '-' || x[23] != '-' {
			return Value{}, errLossy
		}
		var id [16]byte
		if n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(x, "-", ""))); err != nil || n != 16 {
			return Value{}, errLossy
		}
		return UUIDValue(id), nil
	}
	return Value{}, errLossy
}

func toBytes(raw any) (Value, error) {
	switch x := raw.(type) {
	case []byte:
		return BytesValue(x), nil
	case string:
		b, err := base64.StdEncoding.Strict().DecodeString(x)
		if err != nil || strings.ContainsAny(x, "\r\n") {
			return Value{}, errLossy
		}
		return BytesValue(b), nil
	}
	return Value{}, errLossy
}

func toTime(raw any) (Value, error) {
	var at time.Time
	switch x := raw.(type) {
	case time.Time:
		at = x
	case string:
		var ok bool
		if at, ok = parseTime(x); !ok {
			return Value{}, errLossy
		}
	default:
		return Value{}, errLossy
	}
	if !inCalendar(at) {
		return Value{}, errLossy
	}
	return TimeValue(at), nil
}

// parseTime parses RFC 3339 text with at most microseconds.
func parseTime(s string) (at time.Time, ok bool) {
	s = upperTime(s)
	at, err := time.Parse(time.RFC3339Nano, s)
	return at, err == nil && strictTime(s) && at.Nanosecond()%1000 == 0
}

// inCalendar reports whether the year of the instant, in UTC, is within 1 to 9999.
func inCalendar(at time.Time) bool {
	year := at.UTC().Year()
	return year >= 1 && year <= 9999
}

func toDate(raw any) (Value, error) {
	switch x := raw.(type) {
	case time.Time:
		if x.Location() == time.UTC && inCalendar(x) && x.Equal(DateValue(x).Date()) {
			return DateValue(x), nil
		}
	case string:
		day, err := time.Parse(time.DateOnly, x)
		if err == nil && len(x) == len(time.DateOnly) && inCalendar(day) {
			return DateValue(day), nil
		}
	}
	return Value{}, errLossy
}

func toLocalTime(raw any) (Value, error) {
	switch x := raw.(type) {
	case time.Time:
		if x.Location() == time.UTC && inCalendar(x) {
			return LocalTimeValue(x), nil
		}
	case string:
		if at, ok := parseTime(x + "Z"); ok && inCalendar(at) {
			return LocalTimeValue(at), nil
		}
	}
	return Value{}, errLossy
}

// upperTime replaces "t" and "z", which RFC 3339 allows (section 5.6), by the "T" and "Z" that package time requires.
func upperTime(s string) string {
	const at = len("2006-01-02")
	if len(s) > at && (s[at] == 't' || s[len(s)-1] == 'z') {
		return strings.ToUpper(s)
	}
	return s
}

// strictTime rejects strings that package time accepts beyond RFC 3339: hours of one digit, fractions after a comma
// or with ignored digits, and offsets of 24 hours or 60 minutes (go.dev/issue/54580).
func strictTime(s string) bool {
	if s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") || fractionDigits(s) > 9 {
		return false
	}
	zone := s[len(s)-len("+07:00"):]
	return strings.HasSuffix(s, "Z") || zone[1:3] < "24" && zone[4:] < "60"
}

func fractionDigits(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
}

// toJSON converts raw to canonical JSON as type JSON or List. Go values that the canonical writer does not support,
// such as structs, go through encoding/json.
func toJSON(t Type, raw any) (Value, error) {
	if p, ok := raw.(*json.RawMessage); ok && p != nil && *p != nil {
		raw = *p // needs no encoding/json
	}
	text, err := strictjson.AppendCanonical(nil, raw)
	if err != nil {
		if text, err = marshalCanonical(raw); err != nil {
			return Value{}, errLossy
		}
	}
	return jsonValue(t, text)
}

// StoredJSON returns JSON text from a storage as a value of type t, which must be [JSON] or [List]. Unlike
// [Type.Convert] it accepts numbers of any size and any nesting: another program may have written them, and one such
// value must not make its record unreadable.
//
// Errors: invalid JSON; for a List, JSON that is no array.
func (t Type) StoredJSON(text []byte) (Value, error) {
	canonical, err := strictjson.AppendStored(nil, text)
	if err != nil {
		return Value{}, err
	}
	return jsonValue(t, canonical)
}

// jsonValue returns canonical text as a value of type t.
func jsonValue(t Type, canonical []byte) (Value, error) {
	if string(canonical) == "null" {
		return Null, nil
	}
	if t == List && canonical[0] != '[' {
		return Value{}, errLossy
	}
	return Value{typ: t, str: string(canonical)}, nil
}

func marshalCanonical(raw any) ([]byte, error) {
	encoded, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	if hasReplacement(encoded) {
		return nil, errLossy
	}
	return strictjson.AppendCanonical(nil, json.RawMessage(encoded))
}

// hasReplacement reports whether encoding/json has replaced invalid UTF-8. It escapes the replacement character, but
// not one that the text had.
func hasReplacement(encoded []byte) bool {
	for i := bytes.IndexByte(encoded, '\\'); i >= 0 && i+1 < len(encoded); {
		if bytes.HasPrefix(encoded[i:], []byte(`\ufffd`)) {
			return true
		}
		next := bytes.IndexByte(encoded[i+2:], '\\')
		if next < 0 {
			return false
		}
		i += 2 + next
	}
	return false
}

// ListOf returns a [List] of the values in order.
func ListOf(values ...Value) Value {
	text := []byte{'['}
	for i, v := range values {
		if i > 0 {
			text = append(text, ',')
		}
		text = v.AppendJSON(text)
	}
	return Value{typ: List, str: string(append(text, ']'))}
}

// Elements returns the elements of a [List], converted to type t; nil for a value of another type.
//
// Errors: [BadFieldValue] for an element that does not fit t.
func (v Value) Elements(t Type) ([]Value, error) {
	if v.typ != List {
		return nil, nil
	}
	parsed, err := strictjson.Parse([]byte(v.str), math.MaxInt)
	if err != nil {
		return nil, &Error{Code: BadFieldValue, Type: List, Cause: err}
	}
	items, _ := parsed.([]any)
	out := make([]Value, len(items))
	for i, item := range items {
		if out[i], err = t.Convert(item); err != nil {
			return nil, &Error{Code: BadFieldValue, Type: t, Value: item}
		}
	}
	return out, nil
}

// ParseJSON parses one JSON text strictly (RFC 8259) into nil, bool, json.Number, string, []any and map[string]any.
// It rejects text that encoding/json repairs: duplicate names, invalid UTF-8, lone surrogates and U+0000. maxNesting
// bounds the depth; 0 means 64. Numbers may have any size: [Type.Convert] rejects numbers that a field cannot hold.
//
// Errors: [BadRequest] with a message that names the problem and its byte offset.
func ParseJSON(text []byte, maxNesting int) (any, error) {
	v, err := strictjson.Parse(text, maxNesting)
	if err == nil {
		return v, nil
	}
	if syntax, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		return nil, &Error{Code: BadRequest, Message: syntax.Error()}
	}
	return nil, &Error{Code: BadRequest, Message: "invalid JSON", Cause: err}
}
