package postgres

import (
	"strings"

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
