package strictjson

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonicalNumberSpellings(t *testing.T) {
	for _, c := range []struct{ lit, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"-0e99999", "0"}, {"0e-99999999999999999999", "0"},
		{"1", "1"}, {"1.0", "1"}, {"1e2", "100"}, {"1E+2", "100"}, {"1e002", "100"}, {"100e-2", "1"}, {"-12.50", "-12.5"},
		{"0.10", "0.1"}, {"1.5e-3", "0.0015"}, {"0.0015e3", "1.5"}, {"10", "10"}, {"1000", "1000"}, {"120.0340", "120.034"},
		{"9007199254740993", "9007199254740993"}, {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},

		// on both sides of both thresholds
		{"999999999999999999999", "999999999999999999999"}, {"1000000000000000000000", "1e+21"}, {"1e20", "100000000000000000000"},
		{"1234567890123456789012", "1.234567890123456789012e+21"}, {"123456789012345678901.5", "123456789012345678901.5"},
		{"0.000001", "0.000001"}, {"1e-6", "0.000001"}, {"0.0000001", "1e-7"}, {"-0.00000123", "-0.00000123"}, {"0.000000123", "1.23e-7"},

		{"1e308", "1e+308"}, {"4.9406564584124654e-324", "4.9406564584124654e-324"}, {"-2.2250738585072014e-308", "-2.2250738585072014e-308"},

		// near the greatest length that PostgreSQL may print
		{"1e-398", "1e-398"}, {"-1e-397", "-1e-397"}, {"123e-398", "1.23e-396"}, {"0." + strings.Repeat("0", 390) + "1", "1e-391"},
		{strings.Repeat("1", 22) + "." + strings.Repeat("3", 377), "1." + strings.Repeat("1", 21) + strings.Repeat("3", 377) + "e+21"},
	} {
		if got, err := CanonicalNumber(c.lit); err != nil || got != c.want {
			t.Errorf("CanonicalNumber(%q) = %q, %v; want %q", c.lit, got, err, c.want)
		}
	}
}

func TestCanonicalNumberRejects(t *testing.T) {
	for lit, want := range map[string]string{
		"":                              "digit expected in a number",
		"-":                             "digit expected in a number",
		"+1":                            "digit expected in a number",
		" 1":                            "digit expected in a number",
		"NaN":                           "digit expected in a number",
		"1 ":                            "unexpected character in a number",
		"1e5x":                          "unexpected character in a number",
		"01":                            "number with a leading zero",
		"1.":                            "digit expected after the decimal point",
		"1e":                            "digit expected in an exponent",
		"1e400":                         "number too large",
		"-1e309":                        "number too large",
		"1.7976931348623159e308":        "number too large",
		strings.Repeat("9", 309):        "number too large",
		"1e" + strings.Repeat("9", 300): "number too large",
		"0.01e360":                      "number too large",
		"1e-399":                        "number longer than 400 bytes without its exponent",
		"-1e-398":                       "number longer than 400 bytes without its exponent",
		"1e-99999999999999999999":       "number longer than 400 bytes without its exponent",
		"12" + strings.Repeat("3", 20) + "." + strings.Repeat("4", 378): "number longer than 400 bytes without its exponent",
		strings.Repeat("1", 409):          "number longer than 400 bytes",
		"0." + strings.Repeat("1", 1<<20): "number longer than 400 bytes",
	} {
		got, err := CanonicalNumber(lit)
		if errorText(err) != "invalid JSON number: "+want || got != "" {
			t.Errorf("CanonicalNumber(%.20q) = %q, %v; want %q", lit, got, err, want)
		}
	}
}

// literals draws numbers of every form of the grammar, small enough for math/big.
var literals = rapid.Custom(func(t *rapid.T) string {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?0?[0-9]{1,2})?`).Draw(t, "literal")
})

func exact(lit string) *big.Rat {
	r, ok := new(big.Rat).SetString(lit)
	if !ok {
		panic("not a number: " + lit)
	}
	return r
}

func TestCanonicalNumberKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lit := literals.Draw(t, "number")
		got, err := CanonicalNumber(lit)
		if err != nil || exact(got).Cmp(exact(lit)) != 0 {
			t.Fatalf("CanonicalNumber(%q) = %q, %v: another value", lit, got, err)
		}
		if again, err := CanonicalNumber(got); err != nil || again != got {
			t.Fatalf("CanonicalNumber(%q) = %q, %v: not stable", got, again, err)
		}
	})
}

func TestEqualNumbersHaveEqualCanonicalText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{1,30}`).Draw(t, "digits")
		exp := rapid.IntRange(-60, 60).Draw(t, "exponent")
		a, b := respell(t, digits, exp), respell(t, digits, exp)
		if exact(a).Cmp(exact(b)) != 0 {
			t.Fatalf("the test is wrong: %s and %s differ", a, b)
		}
		textA, errA := CanonicalNumber(a)
		textB, errB := CanonicalNumber(b)
		if errA != nil || errB != nil || textA != textB {
			t.Fatalf("%s: %q, %v; %s: %q, %v", a, textA, errA, b, textB, errB)
		}
	})
}

// respell returns digits × 10^exp with the point at a random place, zeros on both sides and the matching exponent.
func respell(t *rapid.T, digits string, exp int) string {
	digits = strings.Repeat("0", rapid.IntRange(0, 9).Draw(t, "zeros before")) + digits
	zeros := rapid.IntRange(0, 9).Draw(t, "zeros after")
	digits += strings.Repeat("0", zeros)
	point := rapid.IntRange(1, len(digits)).Draw(t, "point")
	whole, frac := strings.TrimLeft(digits[:point], "0"), digits[point:]
	if whole == "" {
		whole = "0"
	}
	exp += len(frac) - zeros
	lit := whole
	if frac != "" {
		lit += "." + frac
	}
	if exp != 0 || rapid.Bool().Draw(t, "zero exponent") {
		lit += fmt.Sprintf(rapid.SampledFrom([]string{"e%d", "E%+d", "e%04d"}).Draw(t, "exponent form"), exp)
	}
	return lit
}

func TestNumbersNearTheLengthLimitStayReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{
			"D", "-D", "1.D", "0.0000001D", "123456789012345678901234.D", "1e-D", "-15e-D", "De-99", "De-390", "1e-N", "-15e-N",
		}).Draw(t, "form")
		n := rapid.IntRange(370, maxLiteralBytes).Draw(t, "digits")
		digits := strings.Repeat(rapid.StringMatching(`[1-9]`).Draw(t, "digit"), n)
		lit := strings.NewReplacer("D", digits, "N", strconv.Itoa(n)).Replace(form)
		got, err := CanonicalNumber(lit)
		if err != nil {
			return
		}
		if again, err := CanonicalNumber(got); err != nil || again != got {
			t.Fatalf("CanonicalNumber(%q) = %q, which becomes %q, %v", lit, got, again, err)
		}
		if spelled := plain(lit); len(spelled) > maxNumberBytes {
			t.Fatalf("CanonicalNumber(%q) accepted a number that has %d bytes without an exponent", lit, len(spelled))
		}
	})
}
