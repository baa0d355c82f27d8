package strictjson

import (
	"bytes"
	"math"
	"strconv"
)

// maxNumberBytes is the longest number in plain notation, the one that PostgreSQL's jsonb prints. It holds every float64.
const maxNumberBytes = 400

// maxLiteralBytes bounds the work for one number. A canonical spelling may be longer than plain notation, by a point, "e+" and
// three digits.
const maxLiteralBytes = maxNumberBytes + 8

// maxFloatPoint is number.point of the largest float64, 1.797e308.
const maxFloatPoint = 309

// number is a JSON number (RFC 8259 section 6) cut at the joints of its grammar. Its slices point into the input.
type number struct {
	text        []byte
	negative    bool
	whole, frac []byte
	expNegative bool
	exp         []byte
}

// scanNumber reads the longest number at the start of b. end is its length or, with a msg, where it goes wrong.
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

func digitsAt(b []byte) []byte {
	for i, c := range b {
		if c < '0' || c > '9' {
			return b[:i]
		}
	}
	return b
}

// outOfRange returns why a well-formed number is refused, or "".
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

// plainLength is how many bytes the number has without an exponent and without zeros around it.
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

// overflows tells whether the magnitude exceeds a float64. Only numbers near the limit need a conversion.
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

// point is the exponent in the spelling 0.d1d2... × 10^point, where d1 is the first digit that is not zero. It does not fit where the
// exponent has some 19 digits or more.
func (n number) point() (point int64, fits bool) {
	if len(n.exp) == 0 {
		return n.leadWithoutExponent(), true
	}
	exp, err := strconv.ParseInt(string(n.exp), 10, 62) // 62 bits, so that adding lead cannot overflow
	if n.expNegative {
		exp = -exp
	}
	return n.leadWithoutExponent() + exp, err == nil
}

// lead is point for the number without its exponent.
func (n number) leadWithoutExponent() int64 {
	if n.whole[0] != '0' {
		return int64(len(n.whole))
	}
	return int64(len(bytes.TrimLeft(n.frac, "0")) - len(n.frac))
}

func (n number) isZero() bool {
	return len(bytes.Trim(n.whole, "0")) == 0 && len(bytes.Trim(n.frac, "0")) == 0
}
