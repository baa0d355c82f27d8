package postgres

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
)

// native judges a text that is to be compared with the values of a type. Of a text
// that is castable it is certain that the cast to the type succeeds: the type's own
// equality can be asked, and an index answers.
type textClassifier func(text string) textClass

// verdict is what is known of a text.
type textClass int

const (
	castable   textClass = iota
	uncertain            // compared as text, with every row: no cast may fail
	impossible           // the server spells no value of the type so
)

// nativeOf returns the judge of a column's type; nil for types without one. Those
// are the ones without equality (xml, json, point), and the ones whose spelling is
// too rich to tell in advance whether the server reads it (intervals, ranges,
// money, text search, timetz).
func classifierOf(c *catalogColumn) textClassifier {
	if c.kind == "e" {
		return func(string) textClass { return castable } // [column.labels] casts nothing
	}
	return classifiers[c.typeName]
}

func classIf(is bool, otherwise textClass) textClass {
	if is {
		return castable
	}
	return otherwise
}

var classifiers = map[string]textClassifier{
	"numeric":   classifyNumeric,
	"bpchar":    func(s string) textClass { return classIf(s == trimBlanks(s), impossible) },
	"name":      func(s string) textClass { return classIf(len(s) <= pgsql.MaxName, impossible) },
	"date":      timeLayout(time.DateOnly),
	"timestamp": timeLayout(time.DateTime),
	"time":      timeLayout(time.TimeOnly),
	"inet":      classifyInet,
	"cidr":      classifyCidr,
	"macaddr":   matching(`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`),
	"macaddr8":  matching(`^[0-9a-f]{2}(:[0-9a-f]{2}){7}$`),
	"bit":       matching(`^[01]*$`),
	"varbit":    matching(`^[01]*$`),
	"oid":       classifyOID,
}

// pattern judges types that have one spelling.
func matching(expression string) textClassifier {
	re := regexp.MustCompile(expression)
	return func(s string) textClass { return classIf(re.MatchString(s), impossible) }
}

// layout judges dates and times. There are more than Go has: before Christ, after
// the year 9999, infinity, and other styles (manual, section 8.5.2).
func timeLayout(layout string) textClassifier {
	return func(s string) textClass {
		at, err := time.Parse(layout, s)
		usual := err == nil && at.Year() >= 0 && len(s) <= len("2006-01-02 15:04:05.000000")
		return classIf(usual && !strings.HasPrefix(s, "0000") && !strings.Contains(s, ","), uncertain)
	}
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// judgeNumeric knows that numbers are never spelled with an exponent (manual,
// section 8.1.2).
func classifyNumeric(s string) textClass {
	const certain = 1000 // digits, of the 147,455 that there can be
	switch {
	case len(s) <= certain && decimal.MatchString(s), s == "NaN":
		return castable
	case decimal.MatchString(s), s == "Infinity", s == "-Infinity": // which came with version 14
		return uncertain
	}
	return impossible
}

// judgeInet knows addresses, and networks that have host bits or have none.
func classifyInet(s string) textClass {
	if a, err := netip.ParseAddr(s); err == nil {
		return classIf(a.Zone() == "", impossible)
	}
	_, err := netip.ParsePrefix(s)
	return classIf(err == nil, impossible)
}

func classifyCidr(s string) textClass {
	p, err := netip.ParsePrefix(s)
	return classIf(err == nil && p == p.Masked(), impossible)
}

// judgeOID knows that the server spells no zero before others, which newer ones take
// for octal.
func classifyOID(s string) textClass {
	n, err := strconv.ParseUint(s, 10, 32)
	return classIf(err == nil && strconv.FormatUint(n, 10) == s, impossible)
}
