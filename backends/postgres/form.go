package postgres

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// form is how a column whose type is none of the model's holds the values of a
// field: as text in the spelling of the server, or through JSON. The zero form is
// that of a column that holds them as they are.
//
// Conditions and orders are about what the model sees, so that they mean the same
// on every backend. [native] is what an index of the column can do for them.
type form struct {
	prefix, suffix string         // around the column, to read it
	text           bool           // read as text, although it is of another type
	base           string         // the type to write, as SQL names it; without modifiers, if a cast leads to it
	json           bool           // written through JSON
	enum           bool           // of labels, which may be renamed
	hasNumerics    bool           // has numbers of any size: values that expand are refused
	expandMark     string         // the mark of that error
	otherType      bool           // the type is none of the model's, and may refuse some of its values
	classifier     textClassifier // nil if equality has to be that of texts
}

func formOf(found *catalogColumn, f *core.Field) form {
	switch {
	case found.isExact(f) && found.domain:
		return form{otherType: true}
	case found.isExact(f):
		return form{}
	case f.Many():
		return form{suffix: "::text[]", base: found.base, otherType: true}
	case found.typeName == "inet": // whose cast to text is not how it is spelled
		return form{prefix: "abbrev(", suffix: ")", text: true, base: found.base, otherType: true, classifier: classifyInet}
	case f.Type() == core.Text:
		return form{text: true, suffix: "::text", base: found.base, otherType: true, classifier: classifierOf(found), hasNumerics: hasNumericParts(found), enum: found.kind == "e"}
	case found.typeName == "json":
		return form{suffix: "::jsonb", base: found.base, otherType: true}
	}
	return form{
		prefix: "to_jsonb(", suffix: ")", base: found.declared, json: true, otherType: true,
		hasNumerics: hasNumericParts(found), expandMark: fieldMark(markExpands, f),
	}
}

// holdsText reports whether values of the type may contain JSON as text, which need not
// be valid where it is read as jsonb.
func (c *catalogColumn) mayHoldJSONText() bool {
	return c.typeName == "json" || c.typeName == "_json" || c.typeName == "" && (c.kind == "c" || c.element != "")
}

// read returns the value of an expression of the column's type.
func (f form) toModel(expression string) string { return f.prefix + expression + f.suffix }

// write returns the value of an expression of the parameter's type. It has no
// modifiers, which an assignment enforces, but a cast takes for a request to cut
// (manual, section 8.3).
func (f form) fromModel(expression string) string {
	switch {
	case f.json && f.hasNumerics:
		return f.fromModelLimited(expression)
	case f.json:
		return "(SELECT x.v FROM jsonb_to_record(jsonb_build_object('v', " + expression + ")) AS x (v " + f.base + "))"
	case f.base != "":
		return expression + "::" + f.base
	}
	return expression
}

// value returns the column of the row that conditions are about as the model has it.
func (b *builder) value(c *column) string { return c.toModel(b.column(c)) }

// values writes the columns as the model has them, with commas between them.
func (b *builder) values(columns []*column) {
	for i, c := range columns {
		b.write(comma(i), b.value(c))
	}
}

// same writes that the column equals a parameter, or one of an array of them. Where
// the column's own equality can be asked, it is, so that an index serves; texts that
// are spelled differently differ nevertheless.
func (b *builder) equals(c *column, v textClass, param string, many bool) {
	operator, end, array := " = ", "", ""
	if many {
		operator, end, array = " = ANY (", ")", "[]"
	}
	switch {
	case c.text && v == impossible:
		b.write(param, " IS NULL") // which it is not
	case c.enum:
		b.write(b.column(c), operator, c.labels(param, many), end)
	case c.text && v == castable:
		b.write("(", b.column(c), operator, param, "::", c.base, array, end, " AND ", b.value(c), c.equalityCollation, operator, param, end, ")")
	default:
		b.write(b.value(c), c.equalityCollation, operator, param, end)
	}
}

// labels returns the values of an enum with the labels of a parameter. A label that the
// type does not have is left out, where a cast would fail.
func (c *column) labels(param string, many bool) string {
	array, operator, end := "", " = ", ""
	if many {
		array, operator, end = "ARRAY", " = ANY (", ")"
	}
	return array + "(SELECT e.label FROM unnest(enum_range(NULL::" + c.base + ")) AS e (label) WHERE e.label::text" + c.equalityCollation + operator + param + end + ")"
}

// verdict returns what is known of a value before the server has seen it; castable
// for columns where that is no question.
func (c *column) classify(values ...core.Value) textClass {
	if !c.text {
		return castable
	}
	if c.classifier == nil {
		return uncertain
	}
	worst := castable
	for _, v := range values {
		if got := c.classifier(v.Text()); len(values) == 1 || got == castable {
			worst = max(worst, got)
		} else {
			worst = uncertain
		}
	}
	return worst
}

// possible returns the values that the column can hold at all.
func (c *column) representable(values []core.Value) []core.Value {
	if c.classifier == nil {
		return values
	}
	kept := make([]core.Value, 0, len(values))
	for _, v := range values {
		if c.classifier(v.Text()) != impossible {
			kept = append(kept, v)
		}
	}
	return kept
}

// trimmed is a text as char(n) counts it (manual, section 8.3).
func trimBlanks(s string) string { return strings.TrimRight(s, " ") }

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

// PostgreSQL spells numbers without an exponent, so a few bytes of a client can name a
// value with 131,072 digits that every reader pays for. Columns whose type has such
// numbers refuse values that grow too much.

// maxExponent is the largest exponent that a client may use, in either direction.
const maxExponent = 1000

// A value that is written through JSON may have maxGrowth bytes and growthFactor times
// those that were given.
const (
	maxGrowth    = "1000"
	growthFactor = "100"
)

var exponents = regexp.MustCompile(`[0-9._][eE]([+-]?[0-9_]+)`)

// expands reports whether a text names a number with an exponent beyond [maxExponent].
func hasLargeExponent(text string) bool {
	return slices.ContainsFunc(exponents.FindAllStringSubmatch(text, -1), func(found []string) bool {
		exponent, err := strconv.Atoi(strings.ReplaceAll(found[1], "_", ""))
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	})
}

// hasNumerics reports whether the spelling of a column's type consists of numbers of
// any size. Elements and attributes of a type of the schema's own may be such numbers.
func hasNumericParts(found *catalogColumn) bool {
	switch strings.TrimPrefix(found.typeName, "_") {
	case "numeric", "numrange", "nummultirange":
		return true
	case "":
		return found.element != "" || slices.Contains([]string{"c", "r", "m"}, found.kind)
	}
	return false
}

// bounded is [form.write] of a value that must not be far longer than the expression.
func (f form) fromModelLimited(expression string) string {
	size := "octet_length(to_jsonb(x.v)::text)"
	return "(SELECT x.v FROM (SELECT " + expression + " AS given) AS g, jsonb_to_record(jsonb_build_object('v', g.given)) AS x (v " + f.base + ")" +
		" WHERE CASE WHEN " + size + " > " + maxGrowth + " + " + growthFactor + " * octet_length(g.given::text) THEN " +
		raise(f.expandMark, size+"::text") + " IS NULL ELSE TRUE END)"
}
