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

	alias string // of the row in conditions
	args  []any
	fence string // condition that must hold before conditions that may fail are evaluated; "" for none
	err   error  // of the first condition that cannot be written
}

// newBuilder returns a builder for a statement whose conditions concern the row t. It has room for most statements.
func newBuilder() *builder {
	b := &builder{alias: "t", args: make([]any, 0, 4)}
	b.Grow(512)
	return b
}

// call returns the statement as a call, with read for its rows.
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

// keys adds keys of the table as one array, or with many unset the only key, and returns the parameter.
func (b *builder) keys(t *table, keys []core.Value, many bool) string {
	if many {
		return b.param(t.key.elementType()+"[]", t.key.array(keys))
	}
	return b.param(t.key.paramType, t.key.argument(keys[0]))
}

// column returns the column of the row that conditions are about.
func (b *builder) column(c *column) string { return b.alias + "." + c.name }

// list writes the columns as they are, with commas between them.
func (b *builder) columns(columns []*column) {
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(b.column(c))
	}
}

// A condition of the model is true or false, one of SQL may be unknown. In the
// places where conditions are written unknown counts as false, so only negations
// need care: they are driven down to the comparisons, and those are written so
// that null falls on the right side. What remains can use indexes.

// filter writes the condition, or its negation.
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
		for i, kid := range f.Filters() {
			if i > 0 {
				b.WriteString(word)
			}
			b.filter(t, kid, negate)
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

// mentions reports whether the condition asks about the field.
func mentions(f core.Filter, field *core.Field) bool {
	return f.Field() == field || slices.ContainsFunc(f.Filters(), func(kid core.Filter) bool { return mentions(kid, field) })
}

// openFence writes the guard of a statement. Conditions that are written after it stand
// behind it.
func (b *builder) openFence(t *table, using core.Filter) {
	if using.Kind() == core.FilterAll {
		return
	}
	start := b.Len()
	b.filter(t, using, false)
	b.fence = b.String()[start:]
	b.WriteString(" AND ")
}

// comparison writes a comparison. The planner may execute it before the guard, so one
// that may fail asks the guard itself: its error would tell of hidden rows. Others are
// left as they are, so that indexes serve them.
func (b *builder) comparison(c *column, f core.Filter, negate bool) {
	b.fenced(c.mayFail, func() { b.compare(c, f, negate) })
}

// behindFence has write write a condition. If it may fail, it is executed for rows that
// the guard lets pass.
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

// operators of comparisons, and of their negations.
var operators = [...][2]string{
	core.FilterLt: {" < ", " >= "}, core.FilterLe: {" <= ", " > "},
	core.FilterGt: {" > ", " <= "}, core.FilterGe: {" >= ", " < "},
}

// ordered compares with a value. With null, as [core.Compare] has it, which sorts
// null behind all values.
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

// operand is the column as equality sees it. A JSON null in a column is the same as
// null in the model.
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
	default: // right with nulls too, even if the column can have none: no index serves either
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
	case null != negate: // null is among the values, or the negation of values is asked for
		b.write(" OR ", b.nullable(c), " IS NULL")
	}
	b.WriteByte(')')
}

// nullable is what is null where the model has null.
func (b *builder) nullable(c *column) string {
	if c.text {
		return b.column(c)
	}
	return b.operand(c)
}

// fromElements turns an array of the type parameter into one of the column's.
func (c *column) fromElements(expression string) string {
	return expression + "::" + c.paramType + "[]"
}

// prefix writes a range, which an index serves.
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

// prefixEnd returns the first text behind all that begin with prefix; false if
// there is none.
func prefixEnd(prefix string) (string, bool) {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == 0xD7FF: // surrogates are not in texts
			return prefix + "\uE000", true
		case last < utf8.MaxRune:
			return prefix + string(last+1), true
		}
	}
	return "", false
}

// split returns the values that are not null and that the column can hold, and
// whether one is null.
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
