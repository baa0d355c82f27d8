package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Delete executes one statement for all keys. Statements for each [referrer] precede it.
func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	table, err := t.backend.writeTable(op.Resource)
	if err != nil {
		return err
	}
	if err := t.checkDetached(op); err != nil {
		return err
	}
	b := deleteStatement(table, op, t.strict(op))
	if b.err != nil {
		return b.err
	}
	var calls []call
	for _, r := range table.referrers {
		calls = append(calls, r.beforeDelete(t, table, op))
		t.moreFollows = t.moreFollows || r.detaches != nil
	}
	deleted := 0
	err = t.run(ctx, op, append(calls, b.call(func(rows pgx.Rows) error {
		for rows.Next() {
			deleted++
		}
		return nil
	}))...)
	t.moreFollows = false
	if err == nil && deleted == 0 {
		return op.Resource.NotFound(op.Keys[0])
	}
	if len(t.detached) > 0 {
		for _, f := range op.Resource.References() {
			for _, key := range op.Keys {
				t.forgetDetached(f, key)
			}
		}
	}
	return err
}

// deleteStatement deletes rows and returns their keys. With strict, it fails if the only key does not exist; with
// several keys it always fails for a missing one.
func deleteStatement(t *table, op *core.Op, strict bool) *builder {
	b := newBuilder()
	r := b.row(t)
	columns := t.key.cells
	many := len(op.Keys) > 1
	keys := b.keys(t, op.Keys, many)
	if !many {
		if strict {
			b.WriteString("WITH u AS (")
		}
		b.write("DELETE FROM ", t.from, " AS t WHERE ")
		r.matches(keys)
		r.andUsing(op.Using)
		b.WriteString(" RETURNING ")
		if strict {
			r.columns(columns)
			r.failIfMissing(columns, core.All())
		} else {
			r.values(columns)
		}
		return b
	}
	b.write("WITH u AS (DELETE FROM ", t.from, " AS t WHERE ")
	r.matches(keys)
	r.andUsing(op.Using)
	b.WriteString(" RETURNING ")
	r.columns(columns)
	b.WriteString(") SELECT ")
	r = r.as("u")
	r.values(columns)
	r.failIfAnyMissing(keys, columns, core.All())
	return b
}
