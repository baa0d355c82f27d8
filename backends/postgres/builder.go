package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// builder writes one statement and collects its arguments.
type builder struct {
	strings.Builder

	alias string // of the row that conditions concern
	args  []any
	fence string // guard of the statement, see [builder.openFence]; "" for none
	err   error  // of the first condition that could not be written
}

// newBuilder returns a builder for conditions on the row t. It has room for most statements.
func newBuilder() *builder {
	b := &builder{alias: "t", args: make([]any, 0, 4)}
	b.Grow(512)
	return b
}

// call returns the statement as a call; the function read receives its rows.
func (b *builder) call(read func(rows pgx.Rows) error) call {
	return call{sql: b.String(), args: b.args, read: read}
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

// keys adds keys of the table and returns their parameter: an array with many set, otherwise the only key.
func (b *builder) keys(t *table, keys []core.Value, many bool) string {
	if many {
		return b.param(t.key.elementType()+"[]", t.key.array(keys))
	}
	return b.param(t.key.paramType, t.key.argument(keys[0]))
}

// column returns a column of the current row, as stored.
func (b *builder) column(c *column) string { return b.alias + "." + c.name }

// columns writes columns as stored, separated by commas.
func (b *builder) columns(columns []*column) {
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(b.column(c))
	}
}

// Conditions of the model are true or false, whereas those of SQL may be unknown. Wherever the builder writes conditions,
// unknown counts as false. Only negations need care: the builder moves them down to the comparisons and writes these so
// that nulls have the right result. The comparisons can still use indexes.

// filter writes a condition, or its negation.
func (b *builder) filter(t *table, f core.Filter, negate bool) {
	switch f.Kind() {
	case core.FilterAll, core.FilterNone:
		if (f.Kind() == core.FilterAll) != negate {
			b.WriteString("TRUE")
		} else {
			b.WriteString("FALSE")
		}
	case core.FilterNot:
		b.filter(t, f.Filters()[0], !negate)
	case core.FilterAnd, core.FilterOr:
		word := " OR "
		if (f.Kind() == core.FilterAnd) != negate {
			word = " AND "
		}
		b.WriteByte('(')
		for i, child := range f.Filters() {
			if i > 0 {
				b.WriteString(word)
			}
			b.filter(t, child, negate)
		}
		b.WriteByte(')')
	case core.FilterEq, core.FilterNe, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterIn, core.FilterPrefix:
		c := t.columns[f.Field().Column()]
		if c.viewOnly {
			b.err = cmp.Or(b.err, fmt.Errorf("postgres: condition of a write on %s: the table has no such column", c.field))
			return
		}
		b.comparison(c, f, negate)
	default:
		b.err = cmp.Or(b.err, fmt.Errorf("postgres: unknown kind of filter: %d", f.Kind()))
	}
}

// mentions reports whether a condition concerns a field.
func mentions(f core.Filter, field *core.Field) bool {
	return f.Field() == field || slices.ContainsFunc(f.Filters(), func(child core.Filter) bool { return mentions(child, field) })
}

// openFence writes the policies' condition of a statement and makes it the fence: later comparisons that may fail are
// evaluated only for rows that the fence lets pass.
func (b *builder) openFence(t *table, using core.Filter) {
	if using.Kind() == core.FilterAll {
		return
	}
	start := b.Len()
	b.filter(t, using, false)
	b.fence = b.String()[start:]
	b.WriteString(" AND ")
}

// comparison writes a comparison. The planner may evaluate comparisons in any order. If a comparison that may fail were
// evaluated for a hidden row, its error would reveal the row; so it is fenced. All other comparisons are not, so that
// indexes serve them.
func (b *builder) comparison(c *column, f core.Filter, negate bool) {
	b.fenced(c.mayFail, func() { b.compare(c, f, negate) })
}

// fenced writes a condition with the function write. If the condition may fail, it is enclosed in the fence.
func (b *builder) fenced(fails bool, write func()) {
	if !fails || b.fence == "" {
		write()
		return
	}
	b.write("CASE WHEN ", b.fence, " THEN ")
	write()
	b.WriteString(" ELSE FALSE END")
}

func (b *builder) compare(c *column, f core.Filter, negate bool) {
	switch f.Kind() {
	case core.FilterEq, core.FilterNe:
		b.equal(c, f.Values()[0], (f.Kind() == core.FilterEq) != negate)
	case core.FilterIn:
		b.in(c, f.Values(), negate)
	case core.FilterPrefix:
		b.prefix(c, f.Values()[0].Text(), negate)
	default:
		b.ordered(c, f.Kind(), f.Values()[0], negate)
	}
}

// operators has the SQL operators of comparisons and of their negations.
var operators = [...][2]string{
	core.FilterLt: {" < ", " >= "}, core.FilterLe: {" <= ", " > "},
	core.FilterGt: {" > ", " <= "}, core.FilterGe: {" >= ", " < "},
}

// ordered writes a comparison by order. Null is greater than all values, as in [core.Compare].
func (b *builder) ordered(c *column, kind core.FilterKind, v core.Value, negate bool) {
	if !v.IsSet() {
		less := kind == core.FilterLt || kind == core.FilterLe
		b.write("(", b.column(c), " IS NOT NULL AND ", strconv.FormatBool(less), ") = ", strconv.FormatBool(!negate))
		return
	}
	operator := operators[kind][0]
	if negate {
		operator = operators[kind][1]
	}
	b.write("(", b.value(c), c.orderCollation, operator, b.param(c.paramType, c.argument(v)))
	b.orNull(c, negate)
	b.WriteByte(')')
}

// orNull adds the rows without a value to a negated comparison.
func (b *builder) orNull(c *column, negate bool) {
	if negate && c.hasNulls {
		b.write(" OR ", b.column(c), " IS NULL")
	}
}

// operand returns the column as an operand of equality. A JSON null in the column is null in the model.
func (b *builder) operand(c *column) string {
	switch c.field.Type() {
	case core.JSON, core.List:
		if !c.field.Many() {
			return "nullif(" + b.value(c) + ", 'null'::jsonb)"
		}
	}
	return b.value(c) + c.equalityCollation
}

func (b *builder) equal(c *column, v core.Value, equal bool) {
	operand := b.operand(c)
	switch {
	case !v.IsSet() && equal:
		b.write(b.nullable(c), " IS NULL")
	case !v.IsSet():
		b.write(b.nullable(c), " IS NOT NULL")
	case equal && c.text:
		b.equals(c, c.classify(v), b.param(c.paramType, c.argument(v)), false)
	case equal:
		b.write(operand, " = ", b.param(c.paramType, c.argument(v)))
	default: // correct with nulls too; no index serves inequality
		b.write(operand, " IS DISTINCT FROM ", b.param(c.paramType, c.argument(v)))
	}
}

func (b *builder) in(c *column, values []core.Value, negate bool) {
	set, null := split(c, values)
	operand := b.operand(c)
	b.WriteByte('(')
	if len(set) > 0 {
		array := c.fromElements(b.param(c.elementType()+"[]", c.array(set)))
		switch {
		case negate:
			b.write(operand, " <> ALL (", array, ")")
		case c.text:
			b.equals(c, c.classify(set...), array, true)
		default:
			b.write(operand, " = ANY (", array, ")")
		}
	}
	switch {
	case len(set) == 0 && null && negate:
		b.write(b.nullable(c), " IS NOT NULL")
	case len(set) == 0 && null:
		b.write(b.nullable(c), " IS NULL")
	case len(set) == 0 && negate:
		b.WriteString("TRUE")
	case len(set) == 0:
		b.WriteString("FALSE")
	case null != negate: // null is one of the values, or the values are negated
		b.write(" OR ", b.nullable(c), " IS NULL")
	}
	b.WriteByte(')')
}

// nullable returns an expression that is null where the model has null.
func (b *builder) nullable(c *column) string {
	if c.text {
		return b.column(c)
	}
	return b.operand(c)
}

// fromElements converts an array of elementType to an array of the column's type.
func (c *column) fromElements(expression string) string {
	return expression + "::" + c.paramType + "[]"
}

// prefix writes a prefix condition as a range, so that an index serves it.
func (b *builder) prefix(c *column, prefix string, negate bool) {
	end, bounded := prefixEnd(prefix)
	column := b.value(c) + c.orderCollation
	low, and, high := " >= ", " AND ", " < "
	if negate {
		low, and, high = " < ", " OR ", " >= "
	}
	b.write("(", column, low, b.param(c.paramType, prefix))
	if bounded {
		b.write(and, column, high, b.param(c.paramType, end))
	}
	b.orNull(c, negate)
	b.WriteByte(')')
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
