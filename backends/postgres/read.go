package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Read executes a Load or a Select as one statement.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.checkDetached(op); err != nil {
		return core.Result{}, err
	}
	table := t.backend.readTable(op.Resource)
	columns := projected(table, op.Fields)
	statement := selectStatement
	if op.Kind == core.Load {
		statement = loadStatement
	}
	c, err := statement(table, op, columns)
	if err != nil {
		return core.Result{}, err
	}
	var res core.Result
	c.read = func(rows pgx.Rows) (err error) {
		res.Records, err = records(rows, table, columns, expectedRecords(op))
		return err
	}
	err = t.run(ctx, op, c)
	if op.Limit > 0 && len(res.Records) > op.Limit {
		res.Records, res.More = res.Records[:op.Limit:op.Limit], true
	}
	return res, err
}

// expectedRecords returns a number of records to allocate space for: the number of keys, or the size of the page up to
// maxPreallocated.
func expectedRecords(op *core.Op) int { return max(len(op.Keys), min(op.Limit, maxPreallocated)) }

const maxPreallocated = 128

// Count executes a Count as one statement.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.checkDetached(op); err != nil {
		return 0, err
	}
	table := t.backend.readTable(op.Resource)
	b := newBuilder()
	b.write("SELECT count(*) FROM ", table.from, " AS t WHERE ")
	b.openFence(table, op.Using)
	b.filter(table, op.Where, false)
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

// projected returns the columns of a projection; all columns without one.
func projected(t *table, fields []*core.Field) []*column {
	if fields == nil {
		return t.columns
	}
	columns := make([]*column, len(fields))
	for i, f := range fields {
		columns[i] = t.columns[f.Column()]
	}
	return columns
}

// loadStatement reads the records with given keys.
func loadStatement(t *table, op *core.Op, columns []*column) (call, error) {
	b := newBuilder()
	b.WriteString("SELECT ")
	b.values(columns)
	b.write(" FROM ", t.from, " AS t WHERE ")
	b.openFence(t, op.Using)
	many := len(op.Keys) > 1
	b.fenced(t.key.mayFail, func() { b.equals(t.key, t.key.classify(op.Keys...), b.keys(t, op.Keys, many), many) })
	if many {
		b.write(" ORDER BY ", b.value(t.key), t.key.orderCollation)
	}
	return b.call(nil), b.err
}

// and appends a condition to others.
func (b *builder) and(t *table, f core.Filter) {
	if f.Kind() != core.FilterAll {
		b.WriteString(" AND ")
		b.filter(t, f, false)
	}
}

// selectStatement reads a page. If the rows after its position lie in two parts of an index, the statement reads a page
// from each part and combines them.
func selectStatement(t *table, op *core.Op, columns []*column) (call, error) {
	b := newBuilder()
	b.WriteString("SELECT ")
	b.values(columns)
	end := b.Len()
	b.write(" FROM ", t.from, " AS t WHERE ")
	b.openFence(t, op.Using)
	b.filter(t, op.Where, false)
	if len(op.After) == 0 {
		b.orderAndLimit(t, op)
		return b.call(nil), b.err
	}
	list, from := b.String()[:end], b.String()[end:]
	pages := parts(b.steps(t, op))
	tail := builder{alias: "t", args: b.args}
	tail.orderAndLimit(t, op)
	rows := list + from
	if len(pages) == 2 { // the values are computed from the union
		stored := builder{alias: "t"}
		stored.columns(columns)
		rows = "SELECT " + stored.String() + from
	}
	fails := slices.ContainsFunc(op.Order[:len(op.After)], func(o core.Order) bool { return t.columns[o.Field.Column()].mayFail })
	for i, after := range pages {
		position := builder{fence: b.fence}
		position.fenced(fails, func() { position.WriteString(after) })
		pages[i] = rows + " AND " + position.String() + tail.String()
	}
	sql := pages[0]
	if len(pages) == 2 {
		sql = list + " FROM ((" + pages[0] + ") UNION ALL (" + pages[1] + ")) AS t" + tail.String()
	}
	return call{sql: sql, args: tail.args}, b.err
}

// orderAndLimit writes the end of a statement that reads a page. It reads one row more than the page has, to find out
// whether there are more.
func (b *builder) orderAndLimit(t *table, op *core.Op) {
	b.orderBy(t, op.Order)
	if op.Limit > 0 {
		b.write(" LIMIT ", b.param("bigint", min(int64(op.Limit), math.MaxInt64-1)+1))
	}
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

// orderBy writes the order. PostgreSQL sorts nulls as the model does, as if larger than all values (manual, section
// 7.5).
func (b *builder) orderBy(t *table, order []core.Order) {
	for i, o := range order {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		c := t.columns[o.Field.Column()]
		b.write(b.value(c), c.orderCollation)
		if o.Desc {
			b.WriteString(" DESC")
		}
	}
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
func (b *builder) steps(t *table, op *core.Op) []step {
	steps := make([]step, len(op.After))
	for i, v := range op.After {
		c := t.columns[op.Order[i].Field.Column()]
		steps[i] = step{operand: b.value(c) + c.orderCollation, desc: op.Order[i].Desc, mayBeNull: !c.field.Key(), hasNulls: c.hasNulls}
		if v.IsSet() {
			steps[i].value = b.param(c.paramType, c.argument(v))
		}
	}
	return steps
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
