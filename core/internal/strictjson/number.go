package strictjson

import (
	"bytes"
	"math/big"
	"strconv"
)

// maxNumberBytes holds every float64 in plain notation and bounds the work that one number can cause.
const maxNumberBytes = 400

// canonicalGrowth bounds by how much a canonical spelling may exceed the literal: ".", "e", "+" and three digits.
const canonicalGrowth = 8

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
	if num.negative = bytes.HasPrefix(b, []byte("-")); num.negative {
		end++
	}
	num.whole = leadingDigits(b[end:])
	if len(num.whole) == 0 {
		return num, end, "digit expected in a number"
	}
	if num.whole[0] == '0' && len(num.whole) > 1 {
		return num, end, "number with a leading zero"
	}
	end += len(num.whole)
	if end < len(b) && b[end] == '.' {
		end++
		if num.frac = leadingDigits(b[end:]); len(num.frac) == 0 {
			return num, end, "digit expected after the decimal point"
		}
		end += len(num.frac)
	}
	if end < len(b) && b[end]|0x20 == 'e' {
		end++
		if end < len(b) && (b[end] == '+' || b[end] == '-') {
			num.expNegative = b[end] == '-'
			end++
		}
		if num.exp = leadingDigits(b[end:]); len(num.exp) == 0 {
			return num, end, "digit expected in an exponent"
		}
		end += len(num.exp)
	}
	num.text = b[:end]
	return num, end, ""
}

func leadingDigits(b []byte) []byte {
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
	case len(n.text) > maxNumberBytes:
		return "number longer than 400 bytes"
	case n.overflows():
		return "number too large"
	case len(n.text) > maxNumberBytes-canonicalGrowth && len(n.appendCanonical(nil)) > maxNumberBytes:
		return "number longer than 400 bytes" // else its canonical text could not be read back
	}
	return ""
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
		return n.lead(), true
	}
	exp, err := strconv.ParseInt(string(n.exp), 10, 62) // 62 bits, so that adding lead cannot overflow
	if n.expNegative {
		exp = -exp
	}
	return n.lead() + exp, err == nil
}

// bigPoint is point for any exponent.
func (n number) bigPoint() *big.Int {
	exp, _ := new(big.Int).SetString(string(n.exp), 10)
	if n.expNegative {
		exp.Neg(exp)
	}
	return exp.Add(exp, big.NewInt(n.lead()))
}

// lead is point for the number without its exponent.
func (n number) lead() int64 {
	if n.whole[0] != '0' {
		return int64(len(n.whole))
	}
	return int64(len(bytes.TrimLeft(n.frac, "0")) - len(n.frac))
}

func (n number) isZero() bool {
	return len(bytes.Trim(n.whole, "0")) == 0 && len(bytes.Trim(n.frac, "0")) == 0
}
