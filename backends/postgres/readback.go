package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// readRest returns the calls that read, of records that were written, the fields that the
// write did not return: those that the table does not have, and those that are read later.
func readRemaining(table *table, later []*column, keys []core.Value, out []core.Record) (calls []call) {
	if len(table.viewOnly) > 0 {
		calls = append(calls, readBack(table.readFrom, table.viewOnly, keys, out))
	}
	if len(later) > 0 {
		calls = append(calls, readBack(table, later, keys, out))
	}
	return calls
}

// readBack is the call that reads columns of records that were written. They are null where
// the table or view does not show the record.
func readBack(table *table, rest []*column, keys []core.Value, out []core.Record) call {
	b := newBuilder()
	key := table.key
	columns := append([]*column{key}, rest...)
	b.WriteString("SELECT ")
	b.values(columns)
	b.failIfUnreadable(table, rest)
	b.write(" FROM ", table.from, " AS t WHERE ")
	b.equals(key, key.classify(keys...), b.keys(table, keys, true), true)
	return call{sql: b.String(), args: b.args, readOnly: true, read: func(rows pgx.Rows) error {
		read, err := records(rows, table, columns, len(keys))
		shown := make(map[core.Value]core.Record, len(read))
		for _, rec := range read {
			shown[rec.Key()] = rec
		}
		for i, rec := range out {
			if !rec.IsZero() {
				out[i] = withColumns(rec, shown[rec.Key()], rest)
			}
		}
		return err
	}}
}

// completed returns the record with the columns that it was read without.
func withColumns(rec, read core.Record, columns []*column) core.Record {
	for _, c := range columns {
		v := core.Null
		if !read.IsZero() {
			v = read.At(c.index)
		}
		rec = rec.With(c.index, v)
	}
	return rec
}

func keysOf(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}
