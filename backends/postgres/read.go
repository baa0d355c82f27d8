package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Read is a Load or a Select in one statement.
func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if err := t.blurred(op); err != nil {
		return core.Result{}, err
	}
	table := t.backend.reading(op.Resource)
	var s shape
	if op.Kind == core.Load {
		s = newShape(shapeLoad, op.Resource)
		s.load(table, op)
	} else {
		s = newShape(shapeSelect, op.Resource)
		s.query(table, op)
	}
	if s.err != nil {
		return core.Result{}, s.err
	}
	st := t.backend.statements.get(s.key, func() *statement {
		if op.Kind == core.Load {
			return loadStatement(table, op)
		}
		return selectStatement(table, op)
	})
	var res core.Result
	err := t.run(ctx, op, call{sql: st.sql, args: s.args, read: func(rows pgx.Rows) (err error) {
		res.Records, err = records(rows, table, st.columns, expected(op))
		return err
	}})
	if op.Limit > 0 && len(res.Records) > op.Limit {
		res.Records, res.More = res.Records[:op.Limit:op.Limit], true
	}
	return res, err
}

// expected is how many records a Read may well have: as many as its keys, or a page,
// of which the greatest are rarely full.
func expected(op *core.Op) int { return max(len(op.Keys), min(op.Limit, fullPage)) }

const fullPage = 128

// Count is one statement.
func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	if err := t.blurred(op); err != nil {
		return 0, err
	}
	table := t.backend.reading(op.Resource)
	s := newShape(shapeCount, op.Resource)
	s.filter(table, op.Using)
	s.filter(table, op.Where)
	if s.err != nil {
		return 0, s.err
	}
	st := t.backend.statements.get(s.key, func() *statement {
		b := builder{alias: "t"}
		b.write("SELECT count(*) FROM ", table.name, " AS t WHERE ")
		b.openFence(table, op.Using)
		b.filter(table, op.Where, false)
		return &statement{sql: b.String()}
	})
	var count int
	err := t.run(ctx, op, call{sql: st.sql, args: s.args, read: func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&count); err != nil {
				return err
			}
		}
		return nil
	}})
	return count, err
}

// fields notes a projection.
func (s *shape) fields(fields []*core.Field) {
	s.number(len(fields))
	for _, f := range fields {
		s.number(f.Column())
	}
}

// projected returns the columns of a projection.
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

func (s *shape) load(t *table, op *core.Op) {
	s.fields(op.Fields)
	s.filter(t, op.Using)
	s.keys(t, op.Keys, len(op.Keys) > 1)
}

func loadStatement(t *table, op *core.Op) *statement {
	b := builder{alias: "t"}
	columns := projected(t, op.Fields)
	b.WriteString("SELECT ")
	b.values(columns)
	b.write(" FROM ", t.name, " AS t WHERE ")
	b.openFence(t, op.Using)
	param := t.key.cast
	if len(op.Keys) > 1 {
		param += "[]"
	}
	b.behindFence(t.key.fails, func() { b.same(t.key, t.key.verdict(op.Keys...), b.param(param), len(op.Keys) > 1) })
	if len(op.Keys) > 1 {
		b.write(" ORDER BY ", b.value(t.key), t.key.codePoints)
	}
	return &statement{b.String(), columns}
}

// and adds a condition to others.
func (b *builder) and(t *table, f core.Filter) {
	if f.Kind() != core.FilterAll {
		b.WriteString(" AND ")
		b.filter(t, f, false)
	}
}

func (s *shape) query(t *table, op *core.Op) {
	s.fields(op.Fields)
	s.filter(t, op.Using)
	s.filter(t, op.Where)
	s.position(t, op)
	if s.flag(op.Limit > 0) {
		s.argument(min(int64(op.Limit), math.MaxInt64-1) + 1) // one more tells whether there is more
	}
}

// selectStatement reads a page. If what comes after its position has two parts, it
// takes a page of each and puts them together.
func selectStatement(t *table, op *core.Op) *statement {
	columns := projected(t, op.Fields)
	list := builder{alias: "t"}
	list.values(columns)
	b := builder{alias: "t"}
	b.write(" FROM ", t.name, " AS t WHERE ")
	b.openFence(t, op.Using)
	b.filter(t, op.Where, false)
	rows := "SELECT " + list.String() + b.String()
	tail := builder{alias: "t", params: b.params}
	steps := tail.steps(t, op)
	tail.orderBy(t, op.Order)
	if op.Limit > 0 {
		tail.write(" LIMIT ", tail.param("bigint"))
	}
	sql := rows + tail.String()
	if len(steps) > 0 {
		pages := parts(steps)
		if len(pages) == 2 { // the values are read from both together
			raw := builder{alias: "t"}
			raw.list(columns)
			rows = "SELECT " + raw.String() + b.String()
		}
		fails := slices.ContainsFunc(op.Order[:len(steps)], func(o core.Order) bool { return t.columns[o.Field.Column()].fails })
		for i, after := range pages {
			position := builder{fence: b.fence}
			position.behindFence(fails, func() { position.WriteString(after) })
			pages[i] = rows + " AND " + position.String() + tail.String()
		}
		if sql = pages[0]; len(pages) == 2 {
			sql = "SELECT " + list.String() + " FROM ((" + pages[0] + ") UNION ALL (" + pages[1] + ")) AS t" + tail.String()
		}
	}
	return &statement{sql, columns}
}

// records reads rows of these columns; further ones are left aside. It is good to
// know how many rows to expect; nobody has to.
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
