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
type native func(text string) verdict

// verdict is what is known of a text.
type verdict int

const (
	castable    verdict = iota
	unknownText         // compared as text, with every row: no cast may fail
	impossible          // the server spells no value of the type so
)

// nativeOf returns the judge of a column's type; nil for types without one. Those
// are the ones without equality (xml, json, point), and the ones whose spelling is
// too rich to tell in advance whether the server reads it (intervals, ranges,
// money, text search, timetz).
func nativeOf(c *catalogColumn) native {
	if c.kind == "e" {
		return func(string) verdict { return castable } // [column.labels] casts nothing
	}
	return natives[c.typeName]
}

func when(is bool, otherwise verdict) verdict {
	if is {
		return castable
	}
	return otherwise
}

var natives = map[string]native{
	"numeric":   judgeNumeric,
	"bpchar":    func(s string) verdict { return when(s == trimmed(s), impossible) },
	"name":      func(s string) verdict { return when(len(s) <= pgsql.MaxName, impossible) },
	"date":      layout(time.DateOnly),
	"timestamp": layout(time.DateTime),
	"time":      layout(time.TimeOnly),
	"inet":      judgeInet,
	"cidr":      judgeCidr,
	"macaddr":   pattern(`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`),
	"macaddr8":  pattern(`^[0-9a-f]{2}(:[0-9a-f]{2}){7}$`),
	"bit":       pattern(`^[01]*$`),
	"varbit":    pattern(`^[01]*$`),
	"oid":       judgeOID,
}

// pattern judges types that have one spelling.
func pattern(expression string) native {
	re := regexp.MustCompile(expression)
	return func(s string) verdict { return when(re.MatchString(s), impossible) }
}

// layout judges dates and times. There are more than Go has: before Christ, after
// the year 9999, infinity, and other styles (manual, section 8.5.2).
func layout(layout string) native {
	return func(s string) verdict {
		at, err := time.Parse(layout, s)
		usual := err == nil && at.Year() >= 0 && len(s) <= len("2006-01-02 15:04:05.000000")
		return when(usual && !strings.HasPrefix(s, "0000") && !strings.Contains(s, ","), unknownText)
	}
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// judgeNumeric knows that numbers are never spelled with an exponent (manual,
// section 8.1.2).
func judgeNumeric(s string) verdict {
	const certain = 1000 // digits, of the 147,455 that there can be
	switch {
	case len(s) <= certain && decimal.MatchString(s), s == "NaN":
		return castable
	case decimal.MatchString(s), s == "Infinity", s == "-Infinity": // which came with version 14
		return unknownText
	}
	return impossible
}

// judgeInet knows addresses, and networks that have host bits or have none.
func judgeInet(s string) verdict {
	if a, err := netip.ParseAddr(s); err == nil {
		return when(a.Zone() == "", impossible)
	}
	_, err := netip.ParsePrefix(s)
	return when(err == nil, impossible)
}

func judgeCidr(s string) verdict {
	p, err := netip.ParsePrefix(s)
	return when(err == nil && p == p.Masked(), impossible)
}

// judgeOID knows that the server spells no zero before others, which newer ones take
// for octal.
func judgeOID(s string) verdict {
	n, err := strconv.ParseUint(s, 10, 32)
	return when(err == nil && strconv.FormatUint(n, 10) == s, impossible)
}
