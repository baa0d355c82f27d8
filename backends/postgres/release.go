package postgres

import "github.com/larder-go/larder/core"

// releases returns what precedes an Update in which rows take unique values that
// others of its rows let go of. An index that is not deferrable looks at one row
// after the other, so those others let go first. Where a column must not be null,
// they cannot, and neither where policies ask about it: they would judge the null.
func (u *update) clearSwapped() []call {
	var calls []call
	for _, c := range u.changes {
		if keys, values := u.swappedValues(c.column); len(values) > 0 {
			calls = append(calls, u.clearCall(c.column, keys, values))
		}
	}
	return calls
}

// taking returns the rows that are given a value which another row of the Update
// that changes the column too may have, and all values of the column.
func (u *update) swappedValues(c *column) (keys, values []core.Value) {
	if !c.uniqueImmediate || c.notNull || !u.many() || mentions(u.op.Using, c.field) {
		return nil, nil
	}
	set := false
	for i, rec := range u.recs {
		if v := rec.At(c.index); !v.IsAbsent() {
			keys, values = append(keys, u.op.Keys[i]), append(values, v)
			set = set || v.IsSet()
		}
	}
	if !set || len(keys) == 1 {
		return nil, nil
	}
	return keys, values
}

// release empties the column of the rows whose value another row takes.
func (u *update) clearCall(c *column, keys, values []core.Value) call {
	b := newBuilder()
	rows, taken := b.keys(u.table, keys, true), b.param(c.elementType()+"[]", c.array(values))
	b.write("UPDATE ", u.table.from, " AS t SET ", c.name, " = NULL FROM unnest(", rows, ", ", taken, ") AS v (key, taken) WHERE ",
		b.column(c), " = ", c.fromParameter("v.taken"), " AND ", b.value(u.table.key), u.table.key.equalityCollation, " <> v.key AND ")
	b.equals(u.table.key, u.table.key.classify(keys...), rows, true)
	b.and(u.table, u.op.Using)
	return b.call(nil)
}
