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
