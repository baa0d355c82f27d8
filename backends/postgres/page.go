package postgres

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// sortKey is one entry of an order: a column of the row, or of a related row. PostgreSQL sorts nulls as the model does, as
// if larger than all values (manual, section 7.5).
type sortKey struct {
	row    row
	column *column
	desc   bool
}

// related reports whether the column is that of a related row.
func (k sortKey) related() bool { return k.row.alias != "t" }

// operands returns the expressions to sort by. If only some cells of a column may be null, the others count as null with them.
func (k sortKey) operands() []string {
	operands := make([]string, len(k.column.cells))
	for i, c := range k.column.cells {
		operands[i] = k.row.value(c) + c.orderCollation
		if k.column.partlyNull {
			operands[i] = "CASE WHEN " + k.row.isNull(k.column, false) + " THEN " + operands[i] + " END"
		}
	}
	return operands
}

// operand returns the expression to compare with a position.
func (k sortKey) operand() string {
	operands := k.operands()
	if len(operands) == 1 {
		return operands[0]
	}
	return "ROW(" + strings.Join(operands, ", ") + ")"
}

// sortKeys returns the sort keys of an order, and writes the joins with the related rows that paths lead to.
func (r row) sortKeys(order []core.Order) []sortKey {
	keys := make([]sortKey, len(order))
	for i, o := range order {
		at := r
		for _, hop := range o.Path {
			at = at.join(hop)
		}
		keys[i] = sortKey{at, at.table.columns[o.Field.Column()], o.Desc}
	}
	return keys
}

// step is one sort key and the position in it.
type step struct {
	operand   string // column with its collation
	desc      bool
	value     string // parameter; "" for null
	mayBeNull bool   // the column may have nulls, possibly only after a change of the schema
	hasNulls  bool   // the column may have nulls at present
}

// steps returns the sort keys that the position of the operation has values for.
func (r *reader) steps(b *builder) []step {
	steps := make([]step, len(r.op.After))
	for i, v := range r.op.After {
		k, c := r.keys[i], r.keys[i].column
		steps[i] = step{operand: k.operand(), desc: k.desc, mayBeNull: !c.field.Key() || k.related(), hasNulls: c.hasNulls || k.related()}
		if !v.IsSet() {
			continue
		}
		params := b.arguments(c, []core.Value{v}, false).params
		if steps[i].value = params[0]; len(params) > 1 {
			steps[i].value = "ROW(" + strings.Join(params, ", ") + ")"
		}
	}
	return steps
}

// pages returns the conditions for the rows after the position, in one part or two, see [parts]. No index serves the order
// by related rows, so it has one part.
func (r *reader) pages(t row, steps []step) []string {
	var pages []string
	switch {
	case len(steps) == 0:
		return []string{""}
	case r.op.OrderCrosses():
		pages = []string{after(steps)}
	default:
		pages = parts(steps)
	}
	for i, page := range pages {
		pages[i] = r.position(t, page)
	}
	return pages
}

// position returns a condition on the sort keys, as a further one. If it may fail, it is enclosed in the fence of the row;
// columns of related rows that may fail have the one of [row.join].
func (r *reader) position(t row, condition string) string {
	fails := slices.ContainsFunc(r.keys[:len(r.op.After)], func(k sortKey) bool { return k.column.mayFail })
	return " AND " + t.piece(func() { t.fenced(fails, func() { t.WriteString(condition) }) })
}

// after returns the condition that a row comes after the position.
func after(steps []step) string {
	s := steps[0]
	beyond := s.beyond()
	if len(steps) == 1 {
		return beyond
	}
	rest := after(steps[1:])
	switch {
	case s.value == "" && s.desc:
		return "(" + beyond + " OR " + rest + ")" // all remaining rows are equal in this key
	case s.value == "":
		return "(" + s.operand + " IS NULL AND " + rest + ")"
	}
	return "(" + beyond + " OR " + s.operand + " = " + s.value + " AND " + rest + ")"
}

// beyond returns the condition that a row comes after the position by this sort key alone.
func (s step) beyond() string {
	switch {
	case s.value == "" && s.desc: // nulls are first
		return s.operand + " IS NOT NULL"
	case s.value == "":
		return "FALSE"
	case s.desc:
		return s.operand + " < " + s.value
	case s.mayBeNull: // nulls are last
		return "(" + s.operand + " > " + s.value + " OR " + s.operand + " IS NULL)"
	}
	return s.operand + " > " + s.value
}

// parts returns the condition that a row comes after the position, in one or two consecutive parts. Rows with and
// without a value of the first sort key are two parts, because they lie in different places of an index.
func parts(steps []step) []string {
	s := steps[0]
	switch {
	case len(steps) == 1 || s.value == "" && !s.desc:
		return []string{after(steps)}
	case s.value == "":
		return []string{s.operand + " IS NULL AND " + after(steps[1:]), s.operand + " IS NOT NULL"}
	case s.desc || !s.hasNulls:
		return []string{afterInRange(steps)}
	}
	return []string{afterInRange(steps), s.operand + " IS NULL"}
}

// afterInRange is [after] for the rows with a value of the first sort key: a range of the values and a condition within
// it.
func afterInRange(steps []step) string {
	s := steps[0]
	s.mayBeNull = false
	from := " >= "
	if s.desc {
		from = " <= "
	}
	return s.operand + from + s.value + " AND (" + s.beyond() + " OR " + after(steps[1:]) + ")"
}

// orderAndLimit writes the end of a statement that reads a page. It reads one row more than the page has, to find out
// whether there are more.
func (r *reader) orderAndLimit(b *builder) {
	separator := " ORDER BY "
	for _, k := range r.keys {
		for _, operand := range k.operands() {
			b.write(separator, operand)
			if k.desc {
				b.WriteString(" DESC")
			}
			separator = ", "
		}
	}
	if r.op.Limit > 0 {
		b.write(" LIMIT ", r.limit(b))
	}
}

// limit returns the limit of the statement. The server plans a statement with a parameter as its limit at each execution,
// because it expects such a limit to leave a tenth of the rows. Planning a condition on related rows takes longer than its
// execution, so the usual sizes of pages are part of the statement. Other sizes are parameters, so that clients cannot
// cause many different statements.
func (r *reader) limit(b *builder) string {
	n := min(int64(r.op.Limit), math.MaxInt64-1) + 1
	if r.maybeFew() && r.usualLimit() {
		return strconv.FormatInt(n, 10)
	}
	return b.param("bigint", n)
}

// usualLimit reports whether the page has a usual size: up to 1000, with one digit before the zeros, or 25 and 250.
func (r *reader) usualLimit() bool {
	digits := strings.TrimRight(strconv.Itoa(r.op.Limit), "0")
	return r.op.Limit <= 1000 && (len(digits) == 1 || digits == "25")
}

// The planner cannot estimate how many rows match a condition on related records, and a wrong estimate makes a page a
// thousand times slower: reading all matching rows is slow if there are a million, and reading the rows in the order of the
// page until it is full is slow if there are few. So the statement counts the matching rows up to mostFew, and then does
// the one or the other.

// mostFew is the greatest number of rows that are read without regard to the order of the page.
const mostFew = "1000"

// maybeFew reports whether the conditions on related records may leave few rows.
func (r *reader) maybeFew() bool {
	return r.op.Limit > 0 && !r.op.OrderCrosses() && (relatedParts(r.op.Using).Crosses() || relatedParts(r.op.Where).Crosses())
}

// few returns the query of the name few, which is true if few rows match, and the part of the statement that reads all
// rows in that case.
func (r *reader) few(b *builder, from, rows string, steps []step) (with string, branches []string) {
	t, where := r.where(b.row(r.table))
	with = b.piece(func() {
		b.write("few AS MATERIALIZED (SELECT count(*) <= ", mostFew, " AS are FROM (SELECT", from)
		b.row(r.table).filter(relatedParts(r.op.Using), false)
		t.and(relatedParts(r.op.Where))
		b.write(" LIMIT ", mostFew, " + 1) AS n) ")
	})
	all := rows + "(SELECT few.are FROM few) AND " + where
	if len(steps) > 0 {
		all += r.position(t, after(steps))
	}
	return with, []string{all}
}

// A policy often shows the rows that lead to one of a few related rows, such as the issues of the projects of a member. If an
// index has the rows of each related row in the order of the page, the rows of the page are the first of a merge of these
// lists. The statement has a branch for each of mostMerged lists, of which MergeAppend reads only the rows that the page
// needs. It finds the keys of the related rows first. If there are more, the keys are null and all branches are empty.

// mostMerged is the greatest number of related rows whose lists are merged. Each takes time to plan.
const mostMerged = 16

// merged returns the query of the name keys, and the branches that read the rows of each key; none if that is not possible.
func (r *reader) merged(b *builder, rows, tail string, steps []step) (with string, branches []string) {
	through, rest := r.throughOne()
	if through.Kind() != core.FilterRelated || !r.usualLimit() {
		return "", nil
	}
	t, where := r.whereUnder(b.row(r.table), rest)
	pages := r.pages(t, steps)
	if len(pages) > 1 {
		return "", nil
	}
	with = b.piece(func() {
		to := t.related(through.Relation().Target())
		b.write("keys AS MATERIALIZED (SELECT CASE WHEN cardinality(a.k) <= ", strconv.Itoa(mostMerged), " THEN a.k END AS k FROM (SELECT ARRAY(SELECT ",
			to.column(to.table.key), " FROM ", to.table.from, " AS ", to.alias, " WHERE ")
		to = to.behind(through.Guard())
		to.filter(through.Where(), false)
		b.write(" LIMIT ", strconv.Itoa(mostMerged+1), ") AS k OFFSET 0) AS a), ")
	})
	column := t.column(r.table.columns[through.Relation().Stored.Column()])
	for i := range mostMerged {
		key := "(SELECT keys.k[" + strconv.Itoa(i+1) + "] FROM keys)"
		branches = append(branches, rows+column+" = "+key+" AND "+where+pages[0]+tail)
	}
	return with, branches
}

// throughOne returns the part of the policies' condition that a row matches through a to-one relation, if an index has the
// rows of each related row in the order of the page, and the rest of the condition.
func (r *reader) throughOne() (through, rest core.Filter) {
	parts := []core.Filter{r.op.Using}
	if r.op.Using.Kind() == core.FilterAnd {
		parts = r.op.Using.Filters()
	}
	at := slices.IndexFunc(parts, func(f core.Filter) bool {
		return f.Kind() == core.FilterRelated && !f.Relation().Reverse && r.servesPages(f.Relation().Stored)
	})
	if at < 0 || slices.ContainsFunc(r.table.columns, func(c *column) bool { return c.mayFail }) {
		return core.All(), core.All()
	}
	through = parts[at]
	rest = core.And(slices.Concat(parts[:at], parts[at+1:])...)
	if rest.Crosses() || r.op.Where.Crosses() {
		return core.All(), core.All()
	}
	return through, rest
}

// servesPages reports whether an index has the rows of each value of a to-one relation in the order of the page. The columns
// must have the values of the model, so that a comparison of stored values is one of the model.
func (r *reader) servesPages(f *core.Field) bool {
	plain := func(c *column) bool {
		return c.prefix == "" && c.suffix == "" && !c.text && !c.json && c.collation == "" && !c.viewOnly
	}
	target := r.table.tables[f.Target().Index()].readFrom
	if f.Many() || f.Type() == core.Tuple || !plain(r.table.columns[f.Column()]) || !plain(target.key) || !target.key.uniqueImmediate {
		return false
	}
	return slices.ContainsFunc(r.table.indexes, func(x catalogIndex) bool {
		if x.condition != "" || len(x.columns) <= len(r.keys) || x.columns[0] != f.Name() {
			return false
		}
		for i, k := range r.keys {
			backward := (x.options[i+1] == pgsql.Descending) != k.desc
			if x.columns[i+1] != k.column.field.Name() || k.column.orderCollation != "" || backward != ((x.options[1] == pgsql.Descending) != r.keys[0].desc) {
				return false
			}
		}
		return true
	})
}

// relatedParts returns the parts of a conjunction that a related record must match.
func relatedParts(f core.Filter) core.Filter {
	if f.Kind() == core.FilterRelated {
		return f
	}
	if f.Kind() != core.FilterAnd {
		return core.All()
	}
	parts := make([]core.Filter, len(f.Filters()))
	for i, part := range f.Filters() {
		parts[i] = relatedParts(part)
	}
	return core.And(parts...)
}
