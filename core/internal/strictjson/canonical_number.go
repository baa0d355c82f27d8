package strictjson

import (
	"bytes"
	"errors"
	"strconv"
)

// Numbers from 1e-6 to below 1e21 are written without an exponent.
const (
	maxPlainPoint = 21
	minPlainPoint = -5
)

// CanonicalNumber returns the canonical text of the JSON number lit. All numbers of the same value have the same
// canonical text. The conversion is exact: it rounds no digits.
//
// The layout is that of Number::toString in ECMAScript, as in RFC 8785: plain notation from 1e-6 to below 1e21,
// otherwise one digit, the other digits after a point, and a signed exponent, as in 1.5e-7 and 1e+21. There is no
// negative zero. For the shortest decimal of a float64 the text equals that of RFC 8785; other numbers keep digits that
// RFC 8785 would round.
//
// Errors: lit is not a JSON number; its magnitude exceeds a float64; or it has more than 400 bytes in plain notation,
// in which PostgreSQL prints it. CanonicalNumber accepts its own results. The error text does not repeat lit.
func CanonicalNumber(lit string) (string, error) {
	text, err := defaultLimits.appendNumber(nil, lit)
	return string(text), err
}

func (l limits) appendNumber(dst []byte, lit string) ([]byte, error) {
	num, end, msg := scanNumber([]byte(lit))
	if msg == "" && end < len(lit) {
		msg = "unexpected character in a number"
	}
	if msg == "" && l.boundNumbers {
		msg = num.outOfRange()
	}
	if msg != "" {
		return dst, errors.New("invalid JSON number: " + msg)
	}
	return num.appendCanonical(dst), nil
}

// appendCanonical appends the canonical text of the number.
func (n number) appendCanonical(dst []byte) []byte {
	if n.isZero() {
		return append(dst, '0')
	}
	point, fits := n.point()
	if !fits { // an exponent of this size is kept as it is; computing with it could take unbounded memory
		return append(dst, n.text...)
	}
	if n.negative {
		dst = append(dst, '-')
	}
	digits := n.significant()
	if point < minPlainPoint || point > maxPlainPoint {
		return appendScientific(dst, digits, point)
	}
	return appendPlain(dst, digits, int(point))
}

// significant returns the digits without leading and trailing zeros.
func (n number) significant() []byte {
	if len(n.frac) == 0 {
		return bytes.Trim(n.whole, "0")
	}
	return bytes.Trim(append(bytes.Clone(n.whole), n.frac...), "0")
}

// appendPlain writes 0.digits × 10^point without an exponent.
func appendPlain(dst, digits []byte, point int) []byte {
	if point <= 0 {
		dst = append(dst, "0."...)
		dst = appendZeros(dst, -point)
		return append(dst, digits...)
	}
	if point >= len(digits) {
		dst = append(dst, digits...)
		return appendZeros(dst, point-len(digits))
	}
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

// appendScientific writes 0.digits × 10^point with one digit before the decimal point.
func appendScientific(dst, digits []byte, point int64) []byte {
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e')
	if point > 1 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, point-1, 10)
}

// appendFloat appends the shortest decimal that reads back as f.
func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, bits)
	num, end, msg := scanNumber(text)
	if msg != "" || end < len(text) {
		return dst, errors.New("NaN and infinities have no JSON spelling")
	}
	return num.appendCanonical(dst), nil
}
