package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Delete is one statement for all keys, behind those that [referrer] is about.
func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	table, err := t.backend.writing(op.Resource)
	if err != nil {
		return err
	}
	if err := t.blurred(op); err != nil {
		return err
	}
	strict, many := t.strict(op), len(op.Keys) > 1
	s := newShape(shapeDelete, op.Resource)
	s.flag(strict)
	s.keys(table, op.Keys, many)
	s.filter(table, op.Using)
	if s.err != nil {
		return s.err
	}
	st := t.backend.statements.get(s.key, func() *statement { return deleteStatement(table, op, strict, many) })
	var calls []call
	for _, r := range table.referrers {
		calls = append(calls, r.before(t, table, op))
		t.more = t.more || r.loosened
	}
	deleted := 0
	err = t.run(ctx, op, append(calls, call{sql: st.sql, args: s.args, read: func(rows pgx.Rows) error {
		for rows.Next() {
			deleted++
		}
		return nil
	}})...)
	t.more = false
	if err == nil && deleted == 0 {
		return op.Resource.NotFound(op.Keys[0])
	}
	if len(t.loose) > 0 {
		for _, f := range op.Resource.References() {
			for _, key := range op.Keys {
				t.settle(f, key)
			}
		}
	}
	return err
}

func deleteStatement(t *table, op *core.Op, strict, many bool) *statement {
	b := builder{alias: "t"}
	columns := []*column{t.key}
	if !many {
		if strict {
			b.WriteString("WITH u AS (")
		}
		b.write("DELETE FROM ", t.name, " AS t WHERE ")
		b.same(t.key, t.key.verdict(op.Keys...), b.param(t.key.cast), false)
		b.and(t, op.Using)
		b.WriteString(" RETURNING ")
		if strict {
			b.list(columns)
			b.orNothing(t, columns, core.All())
		} else {
			b.values(columns)
		}
		return &statement{b.String(), columns}
	}
	keys := b.param(t.key.parameter() + "[]")
	b.write("WITH u AS (DELETE FROM ", t.name, " AS t WHERE ")
	b.same(t.key, t.key.verdict(op.Keys...), keys, true)
	b.and(t, op.Using)
	b.WriteString(" RETURNING ")
	b.list(columns)
	b.WriteString(") SELECT ")
	b.alias = "u"
	b.values(columns)
	b.orMissing(t, keys, columns, core.All())
	return &statement{b.String(), columns}
}
