package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// readBack is the call that reads, of records that were written, the fields that the
// table does not have. They are null where what is read does not show the record.
func (t *transaction) readBack(table *table, keys []core.Value, out []core.Record) call {
	s := newShape(shapeReadBack, table.resource)
	s.keys(table.reads, keys, true)
	st := t.backend.statements.get(s.key, func() *statement {
		b := builder{alias: "t"}
		key := table.reads.key
		columns := append([]*column{key}, table.virtual...)
		b.WriteString("SELECT ")
		b.values(columns)
		b.readable(table.reads, table.virtual)
		b.write(" FROM ", table.reads.name, " AS t WHERE ")
		b.same(key, key.verdict(keys...), b.param(key.cast+"[]"), true)
		return &statement{b.String(), columns}
	})
	return call{sql: st.sql, args: s.args, asks: true, read: func(rows pgx.Rows) error {
		read, err := records(rows, table, st.columns, len(keys))
		shown := make(map[core.Value]core.Record, len(read))
		for _, rec := range read {
			shown[rec.Key()] = rec
		}
		for i, rec := range out {
			if !rec.IsZero() {
				out[i] = table.completed(rec, shown[rec.Key()])
			}
		}
		return err
	}}
}

// completed returns the record with the fields that it was read without.
func (t *table) completed(rec, read core.Record) core.Record {
	for _, c := range t.virtual {
		v := core.Null
		if !read.IsZero() {
			v = read.At(c.index)
		}
		rec = rec.With(c.index, v)
	}
	return rec
}

func keysIn(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}
