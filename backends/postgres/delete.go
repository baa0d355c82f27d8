package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Delete is one statement for all keys.
func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	table := t.backend.table(op.Resource)
	strict, many := t.strict(op), len(op.Keys) > 1
	var s shape
	s.byte(shapeDelete)
	s.number(op.Resource.Index())
	s.flag(strict)
	if s.flag(many) {
		s.argument(table.key.array(op.Keys))
	} else {
		s.argument(table.key.argument(op.Keys[0]))
	}
	s.filter(table, op.Using)
	if s.err != nil {
		return s.err
	}
	st := t.backend.statements.get(s.key, func() *statement { return deleteStatement(table, op.Using, strict, many) })
	deleted := 0
	err := t.run(ctx, op, call{st.sql, s.args, func(rows pgx.Rows) error {
		for rows.Next() {
			deleted++
		}
		return nil
	}})
	if err == nil && deleted == 0 {
		return op.Resource.NotFound(op.Keys[0])
	}
	return err
}

func deleteStatement(t *table, using core.Filter, strict, many bool) *statement {
	b := builder{alias: "t"}
	columns := []*column{t.key}
	if !many {
		if strict {
			b.WriteString("WITH u AS (")
		}
		b.write("DELETE FROM ", t.name, " AS t WHERE ", b.column(t.key), t.key.equality, " = ", b.param(t.key.cast))
		b.and(t, using)
		b.WriteString(" RETURNING ")
		b.list(columns)
		if strict {
			b.orNothing(t, columns, core.All())
		}
		return &statement{b.String(), columns}
	}
	keys := b.param(t.key.parameter() + "[]")
	b.write("WITH u AS (DELETE FROM ", t.name, " AS t WHERE ", b.column(t.key), t.key.equality, " = ANY (", keys, ")")
	b.and(t, using)
	b.WriteString(" RETURNING ")
	b.list(columns)
	b.WriteString(") SELECT ")
	b.alias = "u"
	b.list(columns)
	b.orMissing(t, keys, core.All())
	return &statement{b.String(), columns}
}
