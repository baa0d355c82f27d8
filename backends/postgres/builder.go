package postgres

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// builder writes one statement and collects its arguments.
type builder struct {
	strings.Builder

	args    []any
	aliases int   // number of the last alias of [row.related]
	err     error // of the first condition that could not be written
}

// newBuilder returns a builder with room for most statements.
func newBuilder() *builder {
	b := &builder{args: make([]any, 0, 4)}
	b.Grow(512)
	return b
}

// row is one row in a statement: conditions concern it, and lists name its columns. Its methods write to the builder.
type row struct {
	*builder

	table *table
	alias string
	// fence is a condition on which comparisons that may fail depend, see [row.behind]; "" for none.
	fence string
	// rowByRow makes the planner decide conditions on related rows for one row after the other, instead of joining all.
	rowByRow bool
}

// row returns the row of a table with the alias t.
func (b *builder) row(t *table) row { return row{builder: b, table: t, alias: "t"} }

// as returns the row under another alias.
func (r row) as(alias string) row {
	r.alias = alias
	return r
}

// call returns the statement as a call; the function read receives its rows.
func (b *builder) call(read func(rows pgx.Rows) error) call {
	return call{sql: b.String(), args: b.args, read: read}
}

// piece returns the text that a function writes.
func (b *builder) piece(write func()) string {
	start := b.Len()
	write()
	return b.String()[start:]
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.WriteString(p)
	}
}

// param adds an argument and returns its parameter. The cast gives the parameter the same type in every protocol.
func (b *builder) param(cast string, argument any) string {
	b.args = append(b.args, argument)
	return "$" + strconv.Itoa(len(b.args)) + "::" + cast
}

// column returns a column of the row, as stored.
func (r row) column(c *column) string { return r.alias + "." + c.name }

// columns writes columns as stored, separated by commas.
func (r row) columns(columns []*column) {
	for i, c := range columns {
		r.write(comma(i), r.column(c))
	}
}

// Conditions of the model are true or false, whereas those of SQL may be unknown. Wherever the builder writes conditions,
// unknown counts as false. Only negations need care: the builder moves them down to the comparisons and writes these so
// that nulls have the right result. The comparisons can still use indexes.

// filter writes a condition on the row, or its negation.
func (r row) filter(f core.Filter, negate bool) {
	switch f.Kind() {
	case core.FilterAll, core.FilterNone:
		if (f.Kind() == core.FilterAll) != negate {
			r.WriteString("TRUE")
		} else {
			r.WriteString("FALSE")
		}
	case core.FilterNot:
		r.filter(f.Filters()[0], !negate)
	case core.FilterAnd, core.FilterOr:
		word := " OR "
		if (f.Kind() == core.FilterAnd) != negate {
			word = " AND "
		}
		r.WriteByte('(')
		for i, child := range f.Filters() {
			if i > 0 {
				r.WriteString(word)
			}
			r.filter(child, negate)
		}
		r.WriteByte(')')
	case core.FilterEq, core.FilterNe, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterIn,
		core.FilterPrefix, core.FilterContains, core.FilterIContains:
		if c := r.conditional(f.Field()); c != nil {
			r.comparison(c, f, negate)
		}
	case core.FilterRelated:
		r.exists(f, negate)
	case core.FilterSearch:
		r.search(f, negate)
	default:
		r.err = cmp.Or(r.err, fmt.Errorf("postgres: unknown kind of filter: %d", f.Kind()))
	}
}

// conditional returns the column of a field for a condition on the row. For a field that only the view or query has, it
// returns nil, and the statement fails.
func (r row) conditional(f *core.Field) *column {
	c := r.table.columns[f.Column()]
	if c.viewOnly {
		r.err = cmp.Or(r.err, fmt.Errorf("postgres: condition of a write on %s: the table has no such column", f))
		return nil
	}
	return c
}

// behind writes a guard, the policies' condition on the row, and makes it part of the fence: comparisons on the returned
// row that may fail are evaluated only if the guard holds. The guard itself has no fence.
func (r row) behind(guard core.Filter) row {
	if guard.Kind() == core.FilterAll {
		return r
	}
	unfenced := r
	unfenced.fence = ""
	written := r.piece(func() { unfenced.filter(guard, false) })
	r.fence = both(r.fence, written)
	r.WriteString(" AND ")
	return r
}

// both joins two fences.
func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " AND " + b
}

// comparison writes a comparison. The planner may evaluate comparisons in any order. If a comparison that may fail were
// evaluated for a hidden row, its error would reveal the row; so it is fenced. All other comparisons are not, so that
// indexes serve them.
func (r row) comparison(c *column, f core.Filter, negate bool) {
	r.fenced(c.mayFail, func() { r.compare(c, f, negate) })
}

// fenced writes a condition with the function write. If the condition may fail, it is enclosed in the fence.
func (r row) fenced(fails bool, write func()) {
	if !fails || r.fence == "" {
		write()
		return
	}
	r.write("CASE WHEN ", r.fence, " THEN ")
	write()
	r.WriteString(" ELSE FALSE END")
}

func (r row) compare(c *column, f core.Filter, negate bool) {
	if len(c.cells) > 1 {
		r.compareTuple(c, f, negate)
		return
	}
	switch f.Kind() {
	case core.FilterEq, core.FilterNe:
		r.equal(c, f.Values()[0], (f.Kind() == core.FilterEq) != negate)
	case core.FilterIn:
		r.in(c, f.Values(), negate)
	case core.FilterPrefix:
		r.prefix(c, f.Values()[0].Text(), negate)
	case core.FilterContains:
		r.like(c, " LIKE ", f.Values()[0].Text(), negate)
	case core.FilterIContains:
		r.like(c, " ILIKE ", f.Values()[0].Text(), negate)
	default:
		r.ordered(c, f.Kind(), f.Values()[0], negate)
	}
}

// compareTuple is compare for a column with several cells. The value is null if a cell is null.
func (r row) compareTuple(c *column, f core.Filter, negate bool) {
	switch f.Kind() {
	case core.FilterEq, core.FilterNe:
		r.equalTuple(c, f.Values()[0], (f.Kind() == core.FilterEq) != negate)
	case core.FilterIn:
		r.inTuples(c, f.Values(), negate)
	case core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe:
		r.orderedTuple(c, f.Kind(), f.Values()[0], negate)
	default:
		r.err = cmp.Or(r.err, fmt.Errorf("postgres: %s: a key of several fields has no comparison %d", c.field, f.Kind()))
	}
}

func (r row) equalTuple(c *column, v core.Value, equal bool) {
	switch {
	case !v.IsSet():
		r.WriteString(r.isNull(c, equal))
	case equal:
		r.matches(r.arguments(c, []core.Value{v}, false))
	default:
		r.WriteByte('(')
		for i, param := range r.arguments(c, []core.Value{v}, false).params {
			r.write(or(i), r.value(c.cells[i]), c.cells[i].equalityCollation, " IS DISTINCT FROM ", param)
		}
		r.WriteByte(')')
	}
}

// isNull returns the condition that a column with several cells is null, or with null false, its negation.
func (r row) isNull(c *column, null bool) string {
	test, separator := " IS NOT NULL", " AND "
	if null {
		test = " IS NULL"
	}
	if null && c.partlyNull {
		separator = " OR "
	}
	tests := make([]string, len(c.cells))
	for i, cell := range c.cells {
		tests[i] = r.column(cell) + test
	}
	return "(" + strings.Join(tests, separator) + ")"
}

func (r row) inTuples(c *column, values []core.Value, negate bool) {
	set, null := split(c, values)
	r.WriteByte('(')
	if negate {
		r.WriteString("NOT (")
	}
	switch {
	case len(set) == 0:
		r.WriteString("FALSE")
	case r.table.remote: // Citus rejects subqueries in an INSERT
		for i, v := range set {
			if i > 0 {
				r.WriteString(" OR ")
			}
			r.matches(r.arguments(c, []core.Value{v}, false))
			r.WriteString(" IS TRUE")
		}
	default:
		r.matches(r.arguments(c, set, true))
	}
	if null {
		r.write(" OR ", r.isNull(c, true))
	}
	if negate {
		r.WriteByte(')')
	}
	r.WriteByte(')')
}

// orderedTuple compares rows (manual, section 9.25.5), so that an index on the cells serves the condition.
func (r row) orderedTuple(c *column, kind core.FilterKind, v core.Value, negate bool) {
	if !v.IsSet() {
		less := kind == core.FilterLt || kind == core.FilterLe
		r.write("(", r.isNull(c, false), " AND ", strconv.FormatBool(less), ") = ", strconv.FormatBool(!negate))
		return
	}
	r.WriteByte('(')
	defer r.WriteByte(')')
	operator := operators[kind][0]
	if negate {
		operator = operators[kind][1]
	}
	params := r.arguments(c, []core.Value{v}, false).params
	r.write(r.ordering(c), operator, "ROW(", strings.Join(params, ", "), ")")
	switch {
	case c.hasNulls && negate:
		r.write(" OR ", r.isNull(c, true))
	case c.hasNulls:
		r.write(" AND ", r.isNull(c, false))
	}
}

// ordering returns the cells of a column as a row that sorts as the column does.
func (r row) ordering(c *column) string {
	operands := make([]string, len(c.cells))
	for i, cell := range c.cells {
		operands[i] = r.value(cell) + cell.orderCollation
	}
	return "ROW(" + strings.Join(operands, ", ") + ")"
}

// or returns the word before a further alternative.
func or(i int) string {
	if i == 0 {
		return ""
	}
	return " OR "
}

// operators has the SQL operators of comparisons and of their negations.
var operators = [...][2]string{
	core.FilterLt: {" < ", " >= "}, core.FilterLe: {" <= ", " > "},
	core.FilterGt: {" > ", " <= "}, core.FilterGe: {" >= ", " < "},
}

// ordered writes a comparison by order. Null is greater than all values, as in [core.Compare].
func (r row) ordered(c *column, kind core.FilterKind, v core.Value, negate bool) {
	if !v.IsSet() {
		less := kind == core.FilterLt || kind == core.FilterLe
		r.write("(", r.column(c), " IS NOT NULL AND ", strconv.FormatBool(less), ") = ", strconv.FormatBool(!negate))
		return
	}
	operator := operators[kind][0]
	if negate {
		operator = operators[kind][1]
	}
	r.write("(", r.value(c), c.orderCollation, operator, r.param(c.paramType, c.argument(v)))
	r.orNull(c, negate)
	r.WriteByte(')')
}

// orNull adds the rows without a value to a negated comparison.
func (r row) orNull(c *column, negate bool) {
	if negate && c.hasNulls {
		r.write(" OR ", r.column(c), " IS NULL")
	}
}

// operand returns the column as an operand of equality. A JSON null in the column is null in the model.
func (r row) operand(c *column) string {
	switch c.typ {
	case core.JSON, core.List:
		if !c.field.Many() {
			return "nullif(" + r.value(c) + ", 'null'::jsonb)"
		}
	}
	return r.value(c) + c.equalityCollation
}

func (r row) equal(c *column, v core.Value, equal bool) {
	operand := r.operand(c)
	switch {
	case !v.IsSet() && equal:
		r.write(r.nullable(c), " IS NULL")
	case !v.IsSet():
		r.write(r.nullable(c), " IS NOT NULL")
	case equal && c.text:
		r.equals(c, c.classify(v), r.param(c.paramType, c.argument(v)), false)
	case equal:
		r.write(operand, " = ", r.param(c.paramType, c.argument(v)))
	default: // correct with nulls too; no index serves inequality
		r.write(operand, " IS DISTINCT FROM ", r.param(c.paramType, c.argument(v)))
	}
}

func (r row) in(c *column, values []core.Value, negate bool) {
	set, null := split(c, values)
	operand := r.operand(c)
	r.WriteByte('(')
	if len(set) > 0 {
		array := c.fromElements(r.param(c.elementType()+"[]", c.array(set)))
		switch {
		case negate:
			r.write(operand, " <> ALL (", array, ")")
		case c.text:
			r.equals(c, c.classify(set...), array, true)
		default:
			r.write(operand, " = ANY (", array, ")")
		}
	}
	switch {
	case len(set) == 0 && null && negate:
		r.write(r.nullable(c), " IS NOT NULL")
	case len(set) == 0 && null:
		r.write(r.nullable(c), " IS NULL")
	case len(set) == 0 && negate:
		r.WriteString("TRUE")
	case len(set) == 0:
		r.WriteString("FALSE")
	case null != negate: // null is one of the values, or the values are negated
		r.write(" OR ", r.nullable(c), " IS NULL")
	}
	r.WriteByte(')')
}

// nullable returns an expression that is null where the model has null.
func (r row) nullable(c *column) string {
	if c.text {
		return r.column(c)
	}
	return r.operand(c)
}

// fromElements converts an array of elementType to an array of the column's type.
func (c *column) fromElements(expression string) string {
	return expression + "::" + c.paramType + "[]"
}

// prefix writes a prefix condition as a range, so that an index serves it.
func (r row) prefix(c *column, prefix string, negate bool) {
	end, bounded := prefixEnd(prefix)
	column := r.value(c) + c.orderCollation
	low, and, high := " >= ", " AND ", " < "
	if negate {
		low, and, high = " < ", " OR ", " >= "
	}
	r.write("(", column, low, r.param(c.paramType, prefix))
	if bounded {
		r.write(and, column, high, r.param(c.paramType, end))
	}
	r.orNull(c, negate)
	r.WriteByte(')')
}

// like writes the condition that the text contains a part. Under the collation "C", ILIKE folds the letters A to Z only.
func (r row) like(c *column, operator, part string, negate bool) {
	r.write("(", r.value(c), ` COLLATE "C"`)
	if negate {
		r.WriteString(" NOT")
	}
	r.write(operator, r.param("text", "%"+likeEscapes.Replace(part)+"%"))
	r.orNull(c, negate)
	r.WriteByte(')')
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// search writes the condition that each word is in one of the fields. A field whose text may fail is computed only for a
// row that matches the guard of the field.
func (r row) search(f core.Filter, negate bool) {
	words, in := f.Search()
	r.WriteByte('(')
	for i, word := range words {
		if i > 0 {
			r.WriteString(" AND ")
		}
		r.WriteByte('(')
		for j, field := range in {
			if j > 0 {
				r.WriteString(" OR ")
			}
			r.WriteByte('(')
			of := r.behind(field.Guard)
			if c := r.conditional(field.Field); c != nil {
				of.fenced(c.mayFail, func() { of.like(c, " ILIKE ", word, false) })
			}
			r.WriteByte(')')
		}
		r.WriteByte(')')
	}
	r.WriteByte(')')
	if negate { // unknown counts as false
		r.WriteString(" IS NOT TRUE")
	}
}

// prefixEnd returns the first string after all strings with a prefix; false if there is none.
func prefixEnd(prefix string) (string, bool) {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == 0xD7FF: // strings have no surrogates
			return prefix + "\uE000", true
		case last < utf8.MaxRune:
			return prefix + string(last+1), true
		}
	}
	return "", false
}

// split returns the values that are not null and that the column can hold, and whether null is one of the values.
func split(c *column, values []core.Value) (set []core.Value, null bool) {
	set = make([]core.Value, 0, len(values))
	for _, v := range values {
		if v.IsSet() {
			set = append(set, v)
		} else {
			null = true
		}
	}
	return c.representable(set), null
}
