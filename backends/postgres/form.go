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

// form describes how a column holds the values of a field if the model does not represent its type: as text in the
// spelling of the server, or through JSON. The zero form is that of a column that holds the values unchanged.
//
// Conditions and orders apply to the values of the model, so that they mean the same on every backend. A
// [textClassifier] decides whether an index on the column can help.
type form struct {
	prefix, suffix string         // SQL around the column for reading
	text           bool           // read as text
	base           string         // type for writing; without modifiers if a cast has this type
	json           bool           // written through JSON
	enum           bool           // an enum; its labels may be renamed
	hasNumerics    bool           // may contain numbers of any size: long expansions are rejected
	expandMark     string         // mark of the error of a long expansion
	otherType      bool           // the column's type may reject values of the model's type
	classifier     textClassifier // nil if equality must compare text
}

// formOf returns the form of a column for a cell.
func formOf(found *catalogColumn, of cell) form {
	switch {
	case found.typeName == "float4" && of.typ == core.Float:
		// The shortest decimal of a real is another double than its exact value: the cast to text is the shortest.
		return form{suffix: "::text::double precision", otherType: found.domain}
	case found.isExact(of) && (found.domain || found.typeName == "numeric"):
		return form{otherType: true}
	case found.isExact(of):
		return form{}
	case of.field.Many():
		return form{suffix: "::text[]", base: found.base, otherType: true}
	case found.typeName == "inet": // its cast to text differs from its spelling
		return form{prefix: "abbrev(", suffix: ")", text: true, base: found.base, otherType: true, classifier: classifyInet}
	case of.typ == core.Text:
		return form{text: true, suffix: "::text", base: found.base, otherType: true, classifier: classifierOf(found), hasNumerics: hasNumericParts(found), enum: found.kind == "e"}
	case found.typeName == "json":
		return form{suffix: "::jsonb", base: found.base, otherType: true}
	}
	return form{
		prefix: "to_jsonb(", suffix: ")", base: found.declared, json: true, otherType: true,
		hasNumerics: hasNumericParts(found), expandMark: fieldMark(markExpands, of.field),
	}
}

// mayHoldJSONText reports whether values may contain JSON as text, which may be invalid as jsonb.
func (c *catalogColumn) mayHoldJSONText() bool {
	return c.typeName == "json" || c.typeName == "_json" || c.typeName == "" && (c.kind == "c" || c.element != "")
}

// toModel converts an expression of the column's type to the type of the model.
func (f form) toModel(expression string) string { return f.prefix + expression + f.suffix }

// fromModel converts an expression of the parameter's type to the type of the column, without modifiers. An assignment
// checks modifiers, whereas a cast would truncate the value (manual, section 8.3).
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

// value returns a column of the row as a value of the model.
func (r row) value(c *column) string { return c.toModel(r.column(c)) }

// values writes columns as values of the model, separated by commas.
func (r row) values(columns []*column) {
	for i, c := range columns {
		r.write(comma(i), r.value(c))
	}
}

// keyOperand has values of a field as parameters of a statement: one parameter for each cell of its column.
type keyOperand struct {
	column  *column
	params  []string // with many they are arrays
	classes []textClass
	many    bool
}

// arguments adds values of a field and returns their parameters: arrays with many set, otherwise the only value.
func (b *builder) arguments(c *column, values []core.Value, many bool) keyOperand {
	o := keyOperand{column: c, params: make([]string, len(c.cells)), classes: make([]textClass, len(c.cells)), many: many}
	elements := c.elements(values)
	for i, cell := range c.cells {
		o.classes[i] = cell.classify(elements[i]...)
		if many {
			o.params[i] = b.param(cell.elementType()+"[]", cell.array(elements[i]))
		} else {
			o.params[i] = b.param(cell.paramType, cell.argument(elements[i][0]))
		}
	}
	return o
}

// keys adds keys of the table as operands.
func (b *builder) keys(t *table, keys []core.Value, many bool) keyOperand {
	return b.arguments(t.key, keys, many)
}

// names returns names for the elements of the arrays: k0, k1 and so on.
func (o keyOperand) names() string {
	names := make([]string, len(o.params))
	for i := range names {
		names[i] = "k" + strconv.Itoa(i)
	}
	return strings.Join(names, ", ")
}

// arrays returns the arguments of unnest.
func (o keyOperand) arrays() string { return strings.Join(o.params, ", ") }

// each returns the operand for one row of unnest, whose alias is v, with the columns of names.
func (o keyOperand) each() keyOperand {
	o.params, o.many = slices.Clone(o.params), false
	for i := range o.params {
		o.params[i] = "v.k" + strconv.Itoa(i)
	}
	return o
}

// matches writes the condition that the column of the row equals the operand, or with many, one of its values.
func (r row) matches(o keyOperand) {
	switch {
	case len(o.params) == 1:
		r.equals(o.column.cells[0], o.classes[0], o.params[0], o.many)
	case o.many:
		r.write("EXISTS (SELECT FROM unnest(", o.arrays(), ") AS v (", o.names(), ") WHERE ")
		r.matchesEach(o.each())
		r.WriteByte(')')
	default:
		r.WriteByte('(')
		r.matchesEach(o)
		r.WriteByte(')')
	}
}

func (r row) matchesEach(o keyOperand) {
	for i, c := range o.column.cells {
		r.write(and(i))
		r.equals(c, o.classes[i], o.params[i], false)
	}
}

// sameAs writes the condition that the column of the row has the value of the operand, without regard to indexes.
func (r row) sameAs(o keyOperand) {
	for i, c := range o.column.cells {
		r.write(and(i), r.value(c), c.equalityCollation, " = ", o.params[i])
	}
}

// and returns the word before a further condition.
func and(i int) string {
	if i == 0 {
		return ""
	}
	return " AND "
}

// equals writes the condition that a column equals a parameter, or with many, an element of an array parameter. It uses
// the equality of the column's type where a cast is certain to succeed, so that an index helps, and additionally
// compares the text, because equal values may be spelled differently.
func (r row) equals(c *column, v textClass, param string, many bool) {
	operator, end, array := " = ", "", ""
	if many {
		operator, end, array = " = ANY (", ")", "[]"
	}
	switch {
	case c.text && v == impossible:
		r.write(param, " IS NULL") // always false
	case c.enum:
		r.write(r.column(c), operator, c.labels(param, many), end)
	case c.text && v == castable:
		r.write("(", r.column(c), operator, param, "::", c.base, array, end, " AND ", r.value(c), c.equalityCollation, operator, param, end, ")")
	default:
		r.write(r.value(c), c.equalityCollation, operator, param, end)
	}
}

// labels returns an expression for the values of an enum with given labels. It leaves out labels that the type does not
// have, where a cast would fail.
func (c *column) labels(param string, many bool) string {
	array, operator, end := "", " = ", ""
	if many {
		array, operator, end = "ARRAY", " = ANY (", ")"
	}
	return array + "(SELECT e.label FROM unnest(enum_range(NULL::" + c.base + ")) AS e (label) WHERE e.label::text" + c.equalityCollation + operator + param + end + ")"
}

// classify predicts how the server treats values. It returns castable for columns that do not hold text of another
// type.
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

// representable returns the values that the column can hold.
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

// trimBlanks removes trailing blanks, which char(n) ignores (manual, section 8.3).
func trimBlanks(s string) string { return strings.TrimRight(s, " ") }

// textClassifier predicts how the server treats a string as a value of a column type.
type textClassifier func(text string) textClass

// textClass is the prediction for a string and a column type.
type textClass int

const (
	castable   textClass = iota // the cast succeeds, so that the type's own equality and its indexes can be used
	uncertain                   // the cast may fail: compare text, with all rows
	impossible                  // the server spells no value of the type in this way
)

// classifierOf returns the classifier of a column's type; nil for types without one. These have no equality (xml, json,
// point), or so many spellings that it cannot be predicted whether the server accepts a string (intervals, ranges,
// money, text search, timetz).
func classifierOf(c *catalogColumn) textClassifier {
	if c.kind == "e" {
		return func(string) textClass { return castable } // [column.labels] uses no cast
	}
	return classifiers[c.typeName]
}

// classIf returns castable if the condition holds, otherwise the given class.
func classIf(is bool, otherwise textClass) textClass {
	if is {
		return castable
	}
	return otherwise
}

// classifiers has the classifiers by names in pg_type.
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

// matching returns a classifier for a type with exactly the spellings that match an expression.
func matching(expression string) textClassifier {
	re := regexp.MustCompile(expression)
	return func(s string) textClass { return classIf(re.MatchString(s), impossible) }
}

// timeLayout returns a classifier for dates and times in a layout. Values outside Go's range are uncertain: years
// before Christ and after 9999, infinity, and other styles (manual, section 8.5.2).
func timeLayout(layout string) textClassifier {
	return func(s string) textClass {
		at, err := time.Parse(layout, s)
		usual := err == nil && at.Year() >= 0 && len(s) <= len("2006-01-02 15:04:05.000000")
		return classIf(usual && !strings.HasPrefix(s, "0000") && !strings.Contains(s, ","), uncertain)
	}
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// classifyNumeric relies on the server never using exponents (manual, section 8.1.2).
func classifyNumeric(s string) textClass {
	const certain = 1000 // digits, of at most 147,455
	switch {
	case len(s) <= certain && decimal.MatchString(s), s == "NaN":
		return castable
	case decimal.MatchString(s), s == "Infinity", s == "-Infinity": // infinities exist since version 14
		return uncertain
	}
	return impossible
}

// classifyInet accepts addresses, and networks with or without host bits.
func classifyInet(s string) textClass {
	if a, err := netip.ParseAddr(s); err == nil {
		return classIf(a.Zone() == "", impossible)
	}
	_, err := netip.ParsePrefix(s)
	return classIf(err == nil, impossible)
}

// classifyCidr accepts networks without host bits.
func classifyCidr(s string) textClass {
	p, err := netip.ParsePrefix(s)
	return classIf(err == nil && p == p.Masked(), impossible)
}

// classifyOID rejects leading zeros, which newer servers read as octal.
func classifyOID(s string) textClass {
	n, err := strconv.ParseUint(s, 10, 32)
	return classIf(err == nil && strconv.FormatUint(n, 10) == s, impossible)
}

// PostgreSQL spells numbers without exponents, so that a few bytes of input can denote a value of 131,072 digits, which
// every reader would receive. Columns of types with such numbers reject values that grow too much.

// maxExponent is the largest absolute value of an exponent in input.
const maxExponent = 1000

// A value that is written through JSON may have maxGrowth bytes plus growthFactor times the bytes of the input.
const (
	maxGrowth    = "1000"
	growthFactor = "100"
)

var exponents = regexp.MustCompile(`[0-9._][eE]([+-]?[0-9_]+)`)

// hasLargeExponent reports whether a string contains a number with an exponent beyond [maxExponent].
func hasLargeExponent(text string) bool {
	return slices.ContainsFunc(exponents.FindAllStringSubmatch(text, -1), func(found []string) bool {
		exponent, err := strconv.Atoi(strings.ReplaceAll(found[1], "_", ""))
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	})
}

// hasNumericParts reports whether values of the column's type may contain numbers of any size. For types that are not
// built in, elements and attributes may be such numbers.
func hasNumericParts(found *catalogColumn) bool {
	switch strings.TrimPrefix(found.typeName, "_") {
	case "numeric", "numrange", "nummultirange":
		return true
	case "":
		return found.element != "" || slices.Contains([]string{"c", "r", "m"}, found.kind)
	}
	return false
}

// fromModelLimited is fromModel with a check that the value is not much longer than the expression.
func (f form) fromModelLimited(expression string) string {
	size := "octet_length(to_jsonb(x.v)::text)"
	return "(SELECT x.v FROM (SELECT " + expression + " AS given) AS g, jsonb_to_record(jsonb_build_object('v', g.given)) AS x (v " + f.base + ")" +
		" WHERE CASE WHEN " + size + " > " + maxGrowth + " + " + growthFactor + " * octet_length(g.given::text) THEN " +
		raise(f.expandMark, size+"::text") + " IS NULL ELSE TRUE END)"
}
