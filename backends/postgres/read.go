package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// Read executes a Load or a Select as one statement.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.checkDetached(op); err != nil {
		return core.Result{}, err
	}
	r := reader{op: op, table: t.backend.readTable(op.Resource)}
	r.columns = projected(r.table, op.Fields)
	statement := r.selectStatement
	if op.Kind == core.Load {
		statement = r.loadStatement
	}
	c, err := statement()
	if err != nil {
		return core.Result{}, err
	}
	var res core.Result
	c.read = func(rows pgx.Rows) (err error) {
		res, err = r.result(rows)
		return err
	}
	err = t.run(ctx, op, c)
	if n := op.Limit; n > 0 && len(res.Records) > n {
		res.Records, res.More = res.Records[:n:n], true
		res.Positions, res.Conditions = res.Positions[:min(n, len(res.Positions))], res.Conditions[:min(n, len(res.Conditions))]
	}
	return res, err
}

// Count executes a Count as one statement.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.checkDetached(op); err != nil {
		return 0, err
	}
	table := t.backend.readTable(op.Resource)
	b := newBuilder()
	b.write("SELECT count(*) FROM ", table.from, " AS t WHERE ")
	b.row(table).behind(op.Using).filter(op.Where, false)
	if b.err != nil {
		return 0, b.err
	}
	var count int
	err := t.run(ctx, op, b.call(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&count); err != nil {
				return err
			}
		}
		return nil
	}))
	return count, err
}

// projected returns the cells of a projection; all cells without one.
func projected(t *table, fields []*core.Field) []*column {
	if fields == nil {
		return t.cells
	}
	columns := make([]*column, 0, len(fields))
	for _, f := range fields {
		columns = appendCells(columns, t.columns[f.Column()])
	}
	return columns
}

// appendCells adds the cells of a column that the list lacks.
func appendCells(list []*column, c *column) []*column {
	for _, cell := range c.cells {
		if !slices.Contains(list, cell) {
			list = append(list, cell)
		}
	}
	return list
}

// reader writes the statement of a Load or Select and reads its rows.
type reader struct {
	op      *core.Op
	table   *table
	columns []*column // to read
	keys    []sortKey // of a Select
}

// loadStatement reads the records with given keys.
func (r *reader) loadStatement() (call, error) {
	b := newBuilder()
	t := b.row(r.table)
	r.list(t)
	b.write(" FROM ", r.table.from, " AS t WHERE ")
	t = t.behind(r.op.Using)
	many := len(r.op.Keys) > 1
	key := r.table.key
	t.fenced(key.mayFail, func() { t.matches(b.keys(r.table, r.op.Keys, many)) })
	if many {
		b.WriteString(" ORDER BY ")
		for i, c := range key.cells {
			b.write(comma(i), t.value(c), c.orderCollation)
		}
	}
	return b.call(nil), b.err
}

// list writes SELECT and the values that [reader.result] reads: the columns, the sort values of related records, and the
// answers to the conditions.
func (r *reader) list(t row) {
	t.WriteString("SELECT ")
	t.values(r.columns)
	for _, k := range r.keys {
		if k.related() {
			t.WriteString(", ")
			k.row.values(k.column.cells)
		}
	}
	for _, f := range r.op.Conditions {
		t.WriteString(", (")
		t.filter(f, false)
		t.WriteString(") IS TRUE")
	}
}

// selectStatement reads a page. If the rows of the page lie in several places, the statement reads from each place and
// combines the rows. The places are two parts of an index, see [parts], and those of [reader.few].
func (r *reader) selectStatement() (call, error) {
	b := newBuilder()
	from := b.piece(func() {
		b.write(" FROM ", r.table.from, " AS t")
		r.keys = b.row(r.table).sortKeys(r.op.Order)
		b.WriteString(" WHERE ")
	})
	list := b.piece(func() { r.list(b.row(r.table)) })
	tail := b.piece(func() { r.orderAndLimit(b) })
	steps := r.steps(b)
	each := b.row(r.table)
	each.rowByRow = r.op.Limit > 0
	each, where := r.where(each)
	pages := r.pages(each, steps)
	if len(pages) == 1 && !r.maybeFew() {
		return call{sql: list + from + where + pages[0] + tail, args: b.args}, b.err
	}
	rows := "SELECT " + b.piece(func() { each.columns(r.needed()) }) + from
	with, branches := "", make([]string, 0, 3)
	if r.maybeFew() {
		keys, merged := r.merged(b, rows, tail, steps)
		if len(merged) > 0 {
			rows += "(SELECT keys.k IS NULL FROM keys) AND "
		}
		with, branches = r.few(b, from, rows, steps)
		with, branches = "WITH "+keys+with, append(merged, branches...)
		rows += "NOT (SELECT few.are FROM few) AND "
	}
	for _, page := range pages {
		branches = append(branches, rows+where+page+tail)
	}
	sql := with + list + " FROM ((" + strings.Join(branches, ") UNION ALL (") + ")) AS t" + tail
	return call{sql: sql, args: b.args}, b.err
}

// where returns the conditions of the operation on the row, and the row behind the policies' condition.
func (r *reader) where(t row) (row, string) { return r.whereUnder(t, r.op.Using) }

// whereUnder is [reader.where] with another condition of the policies.
func (r *reader) whereUnder(t row, using core.Filter) (row, string) {
	where := t.piece(func() {
		t = t.behind(using)
		t.filter(r.op.Where, false)
	})
	return t, where
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

// needed returns the columns that the list computes its values from.
func (r *reader) needed() []*column {
	needed := slices.Clone(r.columns)
	for _, f := range r.op.Conditions {
		for _, field := range append(f.Fields(), r.op.Resource.Key()) {
			needed = appendCells(needed, r.table.columns[field.Column()])
		}
	}
	return needed
}

// and appends a condition to others.
func (r row) and(f core.Filter) {
	if f.Kind() != core.FilterAll {
		r.WriteString(" AND ")
		r.filter(f, false)
	}
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

// expected returns a number of records to allocate space for: the number of keys, or the size of the page up to
// maxPreallocated.
func (r *reader) expected() int { return max(len(r.op.Keys), min(r.op.Limit, maxPreallocated)) }

const maxPreallocated = 128

// result reads the rows of the statement.
func (r *reader) result(rows pgx.Rows) (res core.Result, err error) {
	if !r.op.OrderCrosses() && len(r.op.Conditions) == 0 && r.op.Bytes <= 0 {
		res.Records, err = records(rows, r.table, r.columns, r.expected())
		return res, err
	}
	res.Records = make([]core.Record, 0, r.expected())
	recs, bytes := rowReader{rows: rows, table: r.table, columns: r.columns}, 0
	for rows.Next() {
		if bytes > r.op.Bytes && r.op.Bytes > 0 {
			res.More = true
			break
		}
		for _, raw := range rows.RawValues() {
			bytes += len(raw)
		}
		rec, err := recs.record(core.Record{})
		if err != nil {
			return core.Result{}, err
		}
		res.Records = append(res.Records, rec)
		further := rows.RawValues()[len(r.columns):]
		if r.op.OrderCrosses() {
			position, err := r.sortValues(rows, rec)
			if err != nil {
				return core.Result{}, err
			}
			res.Positions = append(res.Positions, position)
			further = further[len(further)-len(r.op.Conditions):]
		}
		if len(r.op.Conditions) > 0 {
			res.Conditions = append(res.Conditions, answers(further))
		}
	}
	return res, nil
}

// sortValues returns the sort values of the current row.
func (r *reader) sortValues(rows pgx.Rows, rec core.Record) ([]core.Value, error) {
	position := make([]core.Value, len(r.keys))
	at := len(r.columns)
	for i, k := range r.keys {
		if !k.related() {
			position[i] = rec.At(k.column.index)
			continue
		}
		elements := make([]core.Value, len(k.column.cells))
		for j, c := range k.column.cells {
			elements[j] = core.Null
			if raw := rows.RawValues()[at]; raw != nil {
				v, err := c.decoder(rows.Conn().TypeMap(), rows.FieldDescriptions()[at])(raw)
				if err != nil {
					return nil, &unreadableError{field: c.field, err: err}
				}
				elements[j] = v
			}
			at++
		}
		if position[i] = elements[0]; len(elements) > 1 {
			position[i] = core.TupleOf(elements...)
		}
	}
	return position, nil
}

// answers decodes booleans in either format of the protocol.
func answers(raw [][]byte) []bool {
	values := make([]bool, len(raw))
	for i, v := range raw {
		values[i] = string(v) == "t" || string(v) == "\x01"
	}
	return values
}

// records reads rows as records. The rows may have further columns after the given ones. The expected number is only a
// hint for the allocation.
func records(rows pgx.Rows, t *table, columns []*column, expected int) ([]core.Record, error) {
	var out []core.Record
	if expected > 1 {
		out = make([]core.Record, 0, expected)
	}
	r := rowReader{rows: rows, table: t, columns: columns}
	for rows.Next() {
		rec, err := r.record(core.Record{})
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

// The position of a page is the values of the sort keys at the last record before it. The condition on the first sort key is
// a range, so that an index serves it. The other keys only decide between rows with equal values of the keys before them.

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

// Aggregate executes an Aggregate as one statement.
func (t *transaction) Aggregate(ctx context.Context, op *core.Op) (res core.Result, err error) {
	if err := t.checkDetached(op); err != nil {
		return core.Result{}, err
	}
	r := reader{op: op, table: t.backend.readTable(op.Resource)}
	c, err := r.aggregateStatement()
	if err != nil {
		return core.Result{}, err
	}
	c.read = func(rows pgx.Rows) error {
		bytes := 0
		for rows.Next() {
			for _, raw := range rows.RawValues() {
				bytes += len(raw)
			}
			if bytes > core.MaxGroupBytes {
				return core.GroupsTooLarge()
			}
			g, err := r.group(rows)
			if err != nil {
				return err
			}
			res.Groups = append(res.Groups, g)
		}
		return nil
	}
	if err := t.run(ctx, op, c); err != nil {
		return core.Result{}, err
	}
	if n := op.Limit; n > 0 && len(res.Groups) > n {
		res.Groups, res.More = res.Groups[:n], true
	}
	return res, nil
}

// aggregateStatement reads the groups: their keys, the number of their rows, and the measures.
func (r *reader) aggregateStatement() (call, error) {
	b := newBuilder()
	t := b.row(r.table)
	from := b.piece(func() {
		b.write(" FROM ", r.table.from, " AS t")
		r.keys = t.sortKeys(r.op.Order)
	})
	list, keys := "SELECT ", ""
	for i, k := range r.keys {
		list += exactly(k.row, k.column) + ", "
		keys += comma(i) + strconv.Itoa(i+1)
	}
	list += "count(*)::text" + b.piece(func() {
		for _, m := range r.op.Measures {
			t.measure(m)
		}
	})
	_, where := r.where(t)
	tail := ""
	if keys != "" {
		tail = " GROUP BY " + keys + " ORDER BY " + keys
	}
	if r.op.Limit > 0 {
		tail += " LIMIT " + b.param("bigint", min(int64(r.op.Limit), math.MaxInt64-1)+1)
	}
	return call{sql: list + from + " WHERE " + where + tail, args: b.args}, b.err
}

// exactly returns the column of the row as a value of the model whose equality and order are those of the model.
func exactly(r row, c *column) string {
	if c.field.Type() == core.Text {
		return "(" + r.value(c) + `)::text COLLATE "C"`
	}
	return r.value(c)
}

// measure writes a measure as a further item of a list.
func (r row) measure(m core.Measure) {
	c := r.table.columns[m.Field.Column()]
	switch m.Func {
	case core.FuncSum:
		r.write(", sum((", r.value(c), ")::numeric)::text")
	case core.FuncValues:
		r.write(", count(", r.nullable(c), ")::text")
	case core.FuncMin:
		r.write(", min(", exactly(r, c), ")")
	case core.FuncMax:
		r.write(", max(", exactly(r, c), ")")
	default:
		r.err = cmp.Or(r.err, fmt.Errorf("postgres: unknown function of a measure: %d", m.Func))
	}
}

// group returns the group of the current row.
func (r *reader) group(rows pgx.Rows) (g core.Group, err error) {
	raw, sent := rows.RawValues(), rows.FieldDescriptions()
	value := func(c *column, at int) (core.Value, error) {
		if raw[at] == nil {
			return core.Null, nil
		}
		v, err := c.decoder(rows.Conn().TypeMap(), sent[at])(raw[at])
		if err != nil {
			err = &unreadableError{field: c.field, err: err}
		}
		return v, err
	}
	for i, k := range r.keys {
		v, err := value(k.column, i)
		if err != nil {
			return core.Group{}, err
		}
		g.Key = append(g.Key, v)
	}
	if g.Count, err = strconv.Atoi(string(raw[len(r.keys)])); err != nil {
		return core.Group{}, err
	}
	for i, m := range r.op.Measures {
		at := len(r.keys) + 1 + i
		var v core.Value
		switch {
		case m.Func == core.FuncMin || m.Func == core.FuncMax || raw[at] == nil:
			v, err = value(r.table.columns[m.Field.Column()], at)
		case m.Func == core.FuncSum:
			v, err = m.Sum(string(raw[at]))
		default:
			v, err = core.Int.Convert(string(raw[at]))
		}
		if err != nil {
			return core.Group{}, err
		}
		g.Values = append(g.Values, v)
	}
	return g, nil
}
