package strictjson

import (
	"bytes"
	"math"
	"strconv"
)

// maxNumberBytes is the greatest length of a number in plain notation, in which PostgreSQL's jsonb prints numbers.
// Every float64 is shorter.
const maxNumberBytes = 400

// maxLiteralBytes is the greatest length of a number as written. A canonical text may be longer than plain notation by
// a point, "e+" and three digits.
const maxLiteralBytes = maxNumberBytes + 8

// maxFloatPoint is the [number.point] of the greatest float64, 1.797e308.
const maxFloatPoint = 309

// number is a JSON number in the parts of its grammar (RFC 8259, section 6). Its slices share the memory of the input.
type number struct {
	text        []byte
	negative    bool
	whole, frac []byte
	expNegative bool
	exp         []byte
}

// scanNumber scans the longest number at the beginning of b. If msg is empty, end is the length of the number;
// otherwise msg is the problem and end its position.
func scanNumber(b []byte) (num number, end int, msg string) {
	if end, msg = num.scanWhole(b); msg != "" {
		return num, end, msg
	}
	if end, msg = num.scanFraction(b, end); msg != "" {
		return num, end, msg
	}
	if end, msg = num.scanExponent(b, end); msg != "" {
		return num, end, msg
	}
	num.text = b[:end]
	return num, end, ""
}

func (n *number) scanWhole(b []byte) (end int, msg string) {
	if n.negative = bytes.HasPrefix(b, []byte("-")); n.negative {
		end++
	}
	n.whole = digitsAt(b[end:])
	switch {
	case len(n.whole) == 0:
		return end, "digit expected in a number"
	case n.whole[0] == '0' && len(n.whole) > 1:
		return end, "number with a leading zero"
	}
	return end + len(n.whole), ""
}

func (n *number) scanFraction(b []byte, i int) (end int, msg string) {
	if i == len(b) || b[i] != '.' {
		return i, ""
	}
	i++
	if n.frac = digitsAt(b[i:]); len(n.frac) == 0 {
		return i, "digit expected after the decimal point"
	}
	return i + len(n.frac), ""
}

func (n *number) scanExponent(b []byte, i int) (end int, msg string) {
	if i == len(b) || b[i] != 'e' && b[i] != 'E' {
		return i, ""
	}
	i++
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		n.expNegative = b[i] == '-'
		i++
	}
	if n.exp = digitsAt(b[i:]); len(n.exp) == 0 {
		return i, "digit expected in an exponent"
	}
	return i + len(n.exp), ""
}

// digitsAt returns the digits at the beginning of b.
func digitsAt(b []byte) []byte {
	for i, c := range b {
		if c < '0' || c > '9' {
			return b[:i]
		}
	}
	return b
}

// outOfRange returns the limit that the number exceeds; empty if there is none.
func (n number) outOfRange() string {
	switch {
	case len(n.text) > maxLiteralBytes:
		return "number longer than 400 bytes"
	case n.overflows():
		return "number too large"
	case n.plainLength() > maxNumberBytes:
		return "number longer than 400 bytes without its exponent"
	}
	return ""
}

// plainLength returns the length of the number in plain notation, without leading and trailing zeros.
func (n number) plainLength() int64 {
	if n.isZero() {
		return 1
	}
	point, fits := n.point()
	if !fits {
		return math.MaxInt64
	}
	digits, sign := int64(len(n.significant())), int64(0)
	if n.negative {
		sign = 1
	}
	switch {
	case point <= 0:
		return sign + int64(len("0.")) - point + digits
	case point < digits:
		return sign + digits + int64(len("."))
	}
	return sign + point
}

// overflows reports whether the magnitude exceeds a float64. It converts only numbers near the limit.
func (n number) overflows() bool {
	if len(n.exp) == 0 && len(n.whole) < maxFloatPoint || n.isZero() {
		return false
	}
	point, fits := n.point()
	switch {
	case !fits:
		return !n.expNegative
	case point != maxFloatPoint:
		return point > maxFloatPoint
	}
	_, err := strconv.ParseFloat(string(n.text), 64)
	return err != nil
}

// point returns the exponent of the number in the form 0.d1d2... × 10^point, where d1 is the first digit that is not
// zero. It reports false for an exponent of about 19 digits or more, which does not fit.
func (n number) point() (point int64, fits bool) {
	if len(n.exp) == 0 {
		return n.leadWithoutExponent(), true
	}
	exp, err := strconv.ParseInt(string(n.exp), 10, 62) // 62 bits, so that the sum below cannot overflow
	if n.expNegative {
		exp = -exp
	}
	return n.leadWithoutExponent() + exp, err == nil
}

// leadWithoutExponent returns the point of the number without its exponent.
func (n number) leadWithoutExponent() int64 {
	if n.whole[0] != '0' {
		return int64(len(n.whole))
	}
	return int64(len(bytes.TrimLeft(n.frac, "0")) - len(n.frac))
}

func (n number) isZero() bool {
	return len(bytes.Trim(n.whole, "0")) == 0 && len(bytes.Trim(n.frac, "0")) == 0
}
