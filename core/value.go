package core

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Value is the content of one field: absent, null, or a value of a [Type]. It is immutable and safe for concurrent
// use.
//
// The zero Value is absent, which differs from null: in a patch it keeps the stored value, in a record to insert it
// takes the default, and after a projection the field was not read. Two values are equal if and only if == is true,
// so a Value can be a map key.
type Value struct {
	typ Type
	num int64  // Int, Bool, Time (microseconds since 1970), Float (its bits), Date (days since 1970), LocalTime (as if in UTC)
	str string // Text, UUID, Bytes, Decimal, the canonical text of JSON and List, and the encoded elements of a Tuple
}

// Null is the null value.
var Null = Value{typ: typeNull}

// IntValue returns a value of type [Int].
func IntValue(n int64) Value { return Value{typ: Int, num: n} }

// BoolValue returns a value of type [Bool].
func BoolValue(b bool) Value {
	if b {
		return Value{typ: Bool, num: 1}
	}
	return Value{typ: Bool}
}

// TextValue returns a value of type [Text]. s must be valid UTF-8 without U+0000; [Type.Convert] checks that.
func TextValue(s string) Value { return Value{typ: Text, str: s} }

// FloatValue returns a value of type [Float], with negative zero as zero. f must be finite; [Type.Convert] checks
// that.
func FloatValue(f float64) Value {
	if f == 0 {
		f = 0 // one zero, so that == is equality
	}
	return Value{typ: Float, num: int64(math.Float64bits(f))} //nolint:gosec // the bits are kept, not the number
}

// TimeValue returns a value of type [Time], truncated to microseconds, the precision of PostgreSQL (manual, section
// 8.5). The year must be within 1 to 9999; [Type.Convert] checks that.
func TimeValue(t time.Time) Value { return Value{typ: Time, num: t.UnixMicro()} }

// DateValue returns the day of t, in the location of t, as a value of type [Date]. The year must be within 1 to 9999;
// [Type.Convert] checks that.
func DateValue(t time.Time) Value {
	year, month, day := t.Date()
	return Value{typ: Date, num: time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay}
}

const secondsPerDay = 24 * 60 * 60

// LocalTimeValue returns the date and clock time of t, in the location of t, as a value of type [LocalTime], truncated to
// microseconds. The year must be within 1 to 9999; [Type.Convert] checks that.
func LocalTimeValue(t time.Time) Value {
	_, offset := t.Zone()
	return Value{typ: LocalTime, num: t.UnixMicro() + int64(offset)*microsPerSecond}
}

const (
	microsPerSecond = 1_000_000
	timeLayout      = "2006-01-02T15:04:05.999999Z07:00"
	localTimeLayout = "2006-01-02T15:04:05.999999"
)

// BytesValue returns a value of type [Bytes] with a copy of b.
func BytesValue(b []byte) Value { return Value{typ: Bytes, str: string(b)} }

// IsAbsent reports whether v is the zero Value.
func (v Value) IsAbsent() bool { return v.typ == 0 }

// IsNull reports whether v is [Null].
func (v Value) IsNull() bool { return v.typ == typeNull }

// IsSet reports whether v is neither absent nor null.
func (v Value) IsSet() bool { return v.typ.Valid() }

// Type returns the type of the value; 0 for absent and null.
func (v Value) Type() Type {
	if v.typ.Valid() {
		return v.typ
	}
	return 0
}

// Int returns the number of an [Int]; 0 for any other value.
func (v Value) Int() int64 {
	if v.typ == Int {
		return v.num
	}
	return 0
}

// Float returns the number of a [Float]; 0 for any other value.
func (v Value) Float() float64 {
	if v.typ == Float {
		return math.Float64frombits(uint64(v.num)) //nolint:gosec // the bits are kept, not the number
	}
	return 0
}

// Bool reports whether the value is the [Bool] true.
func (v Value) Bool() bool { return v.typ == Bool && v.num != 0 }

// Time returns the instant of a [Time] in UTC; the zero time for any other value.
func (v Value) Time() time.Time {
	if v.typ == Time {
		return time.UnixMicro(v.num).UTC()
	}
	return time.Time{}
}

// Date returns the day of a [Date] as its midnight in UTC; the zero time for any other value.
func (v Value) Date() time.Time {
	if v.typ == Date {
		return time.Unix(v.num*secondsPerDay, 0).UTC()
	}
	return time.Time{}
}

// LocalTime returns the date and clock time of a [LocalTime] as a time in UTC; the zero time for any other value.
func (v Value) LocalTime() time.Time {
	if v.typ == LocalTime {
		return time.UnixMicro(v.num).UTC()
	}
	return time.Time{}
}

// Text returns the string of a [Text], the canonical text of a [UUID], [Decimal], [JSON] or [List], and the bytes of a [Bytes]
// as a string; "" for a number, bool or time. For a [Tuple] it is an encoding that sorts as [Compare] does; [Value.String]
// returns its text.
func (v Value) Text() string { return v.str }

// Any returns the value as a plain Go value: nil, int64, float64, string, bool or time.Time. A UUID, Date,
// LocalTime, Decimal and Tuple are strings, as in JSON. Bytes are a []byte, JSON and List are the types that encoding/json decodes into, with json.Number
// for numbers. The caller owns the result.
func (v Value) Any() any {
	if !v.IsSet() {
		return nil
	}
	return valueTypes[v.typ].plain(v)
}

// String returns the value as text for messages and logs: its JSON without quotes. An absent value is "-".
func (v Value) String() string {
	switch v.typ {
	case 0:
		return "-"
	case Text, JSON, List:
		return v.str
	case Tuple:
		return tupleText(v)
	}
	return strings.Trim(string(v.AppendJSON(nil)), `"`)
}

// AppendJSON appends the JSON of the value to dst; null for an absent value.
func (v Value) AppendJSON(dst []byte) []byte {
	if !v.IsSet() {
		return append(dst, "null"...)
	}
	return valueTypes[v.typ].appendJSON(dst, v)
}

// MarshalJSON implements [encoding/json.Marshaler] with [Value.AppendJSON].
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// appendFloat formats a number as ECMAScript and encoding/json do.
func appendFloat(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') { // strconv writes at least two digits
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// Compare returns -1, 0 or +1 if a sorts before, with or after b: numbers by size, text by code point, false before
// true, times by instant, dates and local times by the calendar, bytes by byte, and null after everything, as in ascending order in PostgreSQL (manual,
// section 7.5). Values of different types sort by type.
func Compare(a, b Value) int {
	if a.typ != b.typ {
		return cmp.Compare(a.typ, b.typ)
	}
	if !a.IsSet() {
		return 0
	}
	return valueTypes[a.typ].compare(a, b)
}

// UUIDValue returns a value of type [UUID] (RFC 9562, section 4).
func UUIDValue(id [16]byte) Value {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return Value{typ: UUID, str: string(text[:])}
}

// NewUUID returns a random [UUID] of version 4 (RFC 9562, section 5.4), for backends that generate such keys.
func NewUUID() Value {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return UUIDValue(id)
}

// UUID returns the bytes of a [UUID]; false for any other value.
func (v Value) UUID() (id [16]byte, ok bool) {
	if v.typ != UUID {
		return id, false
	}
	n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(v.str, "-", "")))
	return id, err == nil && n == len(id)
}

// JSONSize returns an upper bound of the number of bytes that [Value.AppendJSON] appends. It is exact, escapes
// included, for all types but Float, Bool and Time. It does not allocate.
func (v Value) JSONSize() int {
	if !v.IsSet() {
		return len("null")
	}
	return valueTypes[v.typ].jsonSize(v)
}

// maxDecimalDigits bounds the digits of a Decimal in plain notation, the zero before the point included.
const maxDecimalDigits = 1000

// decimalPattern matches the numbers of JSON (RFC 8259, section 6): sign, whole digits, fraction and exponent.
var decimalPattern = regexp.MustCompile(`^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,9}))?$`)

func toDecimal(raw any) (Value, error) {
	text, ok := numberText(raw)
	if !ok || len(text) > 4*maxDecimalDigits {
		return Value{}, errLossy
	}
	m := decimalPattern.FindStringSubmatch(text)
	if m == nil {
		return Value{}, errLossy
	}
	exponent := 0
	if m[4] != "" {
		exponent, _ = strconv.Atoi(m[4]) // at most nine digits
	}
	plain, ok := plainDecimal(m[2]+m[3], len(m[2])+exponent)
	if !ok {
		return Value{}, errLossy
	}
	if plain != "0" {
		plain = m[1] + plain
	}
	return Value{typ: Decimal, str: plain}, nil
}

// numberText returns a number as the text of a JSON number. Floats become their shortest decimal.
func numberText(raw any) (string, bool) {
	if number, ok := raw.(json.Number); ok {
		return number.String(), true
	}
	v, err := toText(raw)
	return v.str, err == nil
}

// plainDecimal returns the number 0.DIGITS times ten to the power of point without exponent and superfluous zeros; false
// if it has too many digits.
func plainDecimal(digits string, point int) (string, bool) {
	significant := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(significant)
	significant = strings.TrimRight(significant, "0")
	switch {
	case significant == "":
		return "0", true
	case max(point, 1)+max(len(significant)-point, 0) > maxDecimalDigits:
		return "", false
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + significant, true
	case point >= len(significant):
		return significant + strings.Repeat("0", point-len(significant)), true
	}
	return significant[:point] + "." + significant[point:], true
}

func compareDecimal(a, b Value) int {
	x, xNegative := strings.CutPrefix(a.str, "-")
	y, yNegative := strings.CutPrefix(b.str, "-")
	switch {
	case xNegative && yNegative:
		x, y = y, x
	case xNegative:
		return -1
	case yNegative:
		return 1
	}
	xWhole, xFraction, _ := strings.Cut(x, ".")
	yWhole, yFraction, _ := strings.Cut(y, ".")
	return cmp.Or(cmp.Compare(len(xWhole), len(yWhole)), strings.Compare(xWhole, yWhole), strings.Compare(xFraction, yFraction))
}

// fractionOf returns the digits after the point of a Decimal.
func fractionOf(v Value) string {
	_, fraction, _ := strings.Cut(v.str, ".")
	return fraction
}

// AppendJSON appends the JSON of a value of the field to dst, as clients see it: [Value.AppendJSON], and for a [Decimal]
// with a [FieldSpec.Scale] with exactly that many digits after the point.
func (f *Field) AppendJSON(dst []byte, v Value) []byte {
	if f.spec.Scale == nil || v.typ != Decimal {
		return v.AppendJSON(dst)
	}
	return append(append(append(dst, '"'), f.DecimalText(v)...), '"')
}

// DecimalText returns the digits of a [Decimal] value of the field, with as many after the point as [FieldSpec.Scale]
// says.
func (f *Field) DecimalText(v Value) string {
	if f.spec.Scale == nil || v.typ != Decimal {
		return v.str
	}
	fraction := fractionOf(v)
	missing := *f.spec.Scale - len(fraction)
	if missing <= 0 {
		return v.str
	}
	text := v.str
	if fraction == "" {
		text += "."
	}
	return text + strings.Repeat("0", missing)
}

// JSONSize returns an upper bound of the number of bytes that [Field.AppendJSON] appends.
func (f *Field) JSONSize(v Value) int {
	size := v.JSONSize()
	if f.spec.Scale != nil && v.typ == Decimal {
		size += *f.spec.Scale + len(".")
	}
	return size
}
