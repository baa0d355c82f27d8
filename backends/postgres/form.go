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
	before, after string // around the column, to read it
	text          bool   // read as text, although it is of another type
	base          string // the type to write, as SQL names it; without modifiers, if a cast leads to it
	json          bool   // written through JSON
	enum          bool   // of labels, which may be renamed
	numerics      bool   // has numbers of any size: values that expand are refused
	expands       string // the mark of that error
	other         bool   // the type is none of the model's, and may refuse some of its values
	native        native // nil if equality has to be that of texts
}

func formOf(found *catalogColumn, f *core.Field) form {
	switch {
	case found.isPlain(f) && found.domain:
		return form{other: true}
	case found.isPlain(f):
		return form{}
	case f.Many():
		return form{after: "::text[]", base: found.base, other: true}
	case found.typeName == "inet": // whose cast to text is not how it is spelled
		return form{before: "abbrev(", after: ")", text: true, base: found.base, other: true, native: judgeInet}
	case f.Type() == core.Text:
		return form{text: true, after: "::text", base: found.base, other: true, native: nativeOf(found), numerics: hasNumerics(found), enum: found.kind == "e"}
	case found.typeName == "json":
		return form{after: "::jsonb", base: found.base, other: true}
	}
	return form{
		before: "to_jsonb(", after: ")", base: found.declared, json: true, other: true,
		numerics: hasNumerics(found), expands: markOf(markExpands, f),
	}
}

// holdsText reports whether values of the type may contain JSON as text, which need not
// be valid where it is read as jsonb.
func (c *catalogColumn) holdsText() bool {
	return c.typeName == "json" || c.typeName == "_json" || c.typeName == "" && (c.kind == "c" || c.element != "")
}

// read returns the value of an expression of the column's type.
func (f form) read(expression string) string { return f.before + expression + f.after }

// write returns the value of an expression of the parameter's type. It has no
// modifiers, which an assignment enforces, but a cast takes for a request to cut
// (manual, section 8.3).
func (f form) write(expression string) string {
	switch {
	case f.json && f.numerics:
		return f.bounded(expression)
	case f.json:
		return "(SELECT x.v FROM jsonb_to_record(jsonb_build_object('v', " + expression + ")) AS x (v " + f.base + "))"
	case f.base != "":
		return expression + "::" + f.base
	}
	return expression
}

// value returns the column of the row that conditions are about as the model has it.
func (b *builder) value(c *column) string { return c.read(b.column(c)) }

// values writes the columns as the model has them, with commas between them.
func (b *builder) values(columns []*column) {
	for i, c := range columns {
		b.write(comma(i), b.value(c))
	}
}

// same writes that the column equals a parameter, or one of an array of them. Where
// the column's own equality can be asked, it is, so that an index serves; texts that
// are spelled differently differ nevertheless.
func (b *builder) same(c *column, v verdict, param string, many bool) {
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
		b.write("(", b.column(c), operator, param, "::", c.base, array, end, " AND ", b.value(c), c.equality, operator, param, end, ")")
	default:
		b.write(b.value(c), c.equality, operator, param, end)
	}
}

// labels returns the values of an enum with the labels of a parameter. A label that the
// type does not have is left out, where a cast would fail.
func (c *column) labels(param string, many bool) string {
	array, operator, end := "", " = ", ""
	if many {
		array, operator, end = "ARRAY", " = ANY (", ")"
	}
	return array + "(SELECT e.label FROM unnest(enum_range(NULL::" + c.base + ")) AS e (label) WHERE e.label::text" + c.equality + operator + param + end + ")"
}

// verdict returns what is known of a value before the server has seen it; castable
// for columns where that is no question.
func (c *column) verdict(values ...core.Value) verdict {
	if !c.text {
		return castable
	}
	if c.native == nil {
		return unknownText
	}
	worst := castable
	for _, v := range values {
		if got := c.native(v.Text()); len(values) == 1 || got == castable {
			worst = max(worst, got)
		} else {
			worst = unknownText
		}
	}
	return worst
}

// possible returns the values that the column can hold at all.
func (c *column) possible(values []core.Value) []core.Value {
	if c.native == nil {
		return values
	}
	kept := make([]core.Value, 0, len(values))
	for _, v := range values {
		if c.native(v.Text()) != impossible {
			kept = append(kept, v)
		}
	}
	return kept
}

// trimmed is a text as char(n) counts it (manual, section 8.3).
func trimmed(s string) string { return strings.TrimRight(s, " ") }
