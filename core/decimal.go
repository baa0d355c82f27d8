package core

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

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
