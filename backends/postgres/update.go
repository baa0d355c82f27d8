package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Update executes one statement for all records, whichever columns each record changes. Statements of
// [update.clearSwapped] precede it where necessary.
func (t *transaction) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	table, err := t.backend.writeTable(op.Resource)
	if err != nil {
		return nil, err
	}
	if err := t.checkDetached(op); err != nil {
		return nil, err
	}
	recs := table.withoutKeptColumns(op)
	changes, err := changed(table, op, recs)
	if err != nil {
		return nil, err
	}
	returned, remaining := t.returning(table)
	u := update{table: table, op: op, recs: recs, changes: changes, returned: returned, strict: t.strict(op)}
	b := u.statement()
	if b.err != nil {
		return nil, b.err
	}
	out := make([]core.Record, len(op.Keys))
	calls := append(u.clearSwapped(), b.call(func(rows pgx.Rows) error {
		updated, err := records(rows, table, returned, len(op.Keys))
		if err == nil {
			putByKey(op.Keys, updated, out)
		}
		return err
	}))
	calls = append(calls, readRemaining(table, remaining, op.Keys, out)...)
	if err := t.run(ctx, op, calls...); err != nil {
		return nil, err
	}
	for i, rec := range out {
		if rec.IsZero() {
			return nil, op.Resource.NotFound(op.Keys[i])
		}
	}
	if len(t.detached) > 0 {
		for _, c := range changes {
			for i, key := range op.Keys {
				if recs[i].At(c.index).IsAbsent() {
					continue
				}
				t.forgetChanged(c.field, key)
			}
		}
	}
	return out, nil
}

// strict reports whether a statement for one key must fail if the key does not exist, because a commit of earlier
// writes is sent along with it. Without earlier writes, a commit does no harm. Statements for several keys always fail,
// because they may have changed other rows.
func (t *transaction) strict(op *core.Op) bool { return t.wrote && op.Final }

// putByKey stores the records at the positions of their keys.
func putByKey(keys []core.Value, recs, out []core.Record) {
	positions := make(map[core.Value]int, len(keys))
	for i, key := range keys {
		positions[key] = i
	}
	for _, rec := range recs {
		if i, ok := positions[rec.Key()]; ok {
			out[i] = rec
		}
	}
}

// change is a column that an Update changes.
type change struct {
	*column
	partial   bool // some records do not change it
	toDefault bool // null stands for the default, which is a constant
	ifChanged bool // takes effect only if another column changes
}

// changed returns the columns that at least one record changes.
func changed(t *table, op *core.Op, recs []core.Record) ([]change, error) {
	var changes []change
	for _, c := range t.cells {
		if c == t.key {
			continue
		}
		count := 0
		for _, rec := range recs {
			if !rec.At(c.index).IsAbsent() {
				if c.identityAlways {
					return nil, readOnlyError(c.field)
				}
				if err := c.check(rec); err != nil {
					return nil, err
				}
				count++
			}
		}
		if count > 0 {
			changes = append(changes, change{c, count < len(recs), c.defaultExpr != "" && slices.Contains(op.Reset, c.field), slices.Contains(op.IfChanged, c.field)})
		}
	}
	if !slices.ContainsFunc(changes, func(c change) bool { return !c.ifChanged }) {
		return nil, nil
	}
	return changes, nil
}

// update has the parameters of one Update for the builders of its statements.
type update struct {
	table    *table
	op       *core.Op
	recs     []core.Record
	changes  []change
	returned []*column
	strict   bool
}

func (u *update) many() bool { return len(u.op.Keys) > 1 }

// valuesOf returns a column of the records, and which records give a value.
func valuesOf(c *column, recs []core.Record) ([]core.Value, []bool) {
	values, given := make([]core.Value, len(recs)), make([]bool, len(recs))
	for i, rec := range recs {
		values[i] = c.in(rec)
		given[i] = !values[i].IsAbsent()
	}
	return values, given
}

func (u *update) statement() *builder {
	b := newBuilder()
	t := b.row(u.table)
	switch {
	case u.many():
		u.writeMany(t)
	case u.strict:
		b.WriteString("WITH u AS (")
		u.writeOne(t, func() { t.columns(u.table.stored) }, core.All())
		t.failIfMissing(u.returned, u.op.Check)
	default:
		u.writeOne(t, func() { t.values(u.returned) }, u.op.Check)
	}
	return b
}

// writeOne writes an UPDATE of the row with the only key. The function list writes the returned columns. If the row
// does not exist, the statement returns no row.
func (u *update) writeOne(t row, list func(), check core.Filter) {
	key := t.keys(u.table, u.op.Keys, false)
	if len(u.changes) == 0 {
		t.WriteString("SELECT ")
		list()
		t.guard(check)
		t.write(" FROM ", u.table.from, " AS t")
		u.where(t, key)
		return
	}
	values := make([]string, len(u.changes))
	for i, c := range u.changes {
		if u.resets(c) {
			values[i] = c.constantDefault()
		} else {
			values[i] = c.fromModel(t.param(c.paramType, c.argument(c.in(u.recs[0]))))
		}
	}
	u.set(t, values)
	u.where(t, key)
	t.WriteString(" RETURNING ")
	list()
	t.guard(check)
	u.guardKey(t, key)
	t.failIfUnreadable(u.returned)
}

// set writes UPDATE and the assignments of the values, which have the types of the changed columns.
func (u *update) set(t row, values []string) {
	t.write("UPDATE ", u.table.from, " AS t SET ")
	for i, c := range u.changes {
		t.write(comma(i), c.name, " = ")
		if c.ifChanged {
			t.write("CASE WHEN ", u.differs(t, values), " THEN ", values[i], " ELSE ", t.column(c.column), " END")
		} else {
			t.WriteString(values[i])
		}
	}
}

// differs returns the condition that a column which is not ifChanged has another value than the given one, as values of the
// model.
func (u *update) differs(t row, values []string) string {
	var differ []string
	for i, c := range u.changes {
		if !c.ifChanged {
			differ = append(differ, t.value(c.column)+c.equalityCollation+" IS DISTINCT FROM "+c.toModel(values[i]))
		}
	}
	return strings.Join(differ, " OR ")
}

// constantDefault returns the default of the column as an expression.
func (c *column) constantDefault() string { return "(" + c.defaultExpr + ")::" + c.sqlType }

// where writes the condition for the rows with the keys that match the policies.
func (u *update) where(t row, keys keyOperand) {
	t.WriteString(" WHERE ")
	t.matches(keys)
	t.andUsing(u.op.Using)
}

// writeMany writes an UPDATE of the rows with several keys. The statement fails for the first key that does not exist.
func (u *update) writeMany(t row) {
	keys := t.keys(u.table, u.op.Keys, true)
	t.WriteString("WITH u AS (")
	if len(u.changes) > 0 {
		u.writeChanges(t, keys)
	} else {
		t.WriteString("SELECT ")
		t.columns(u.table.stored)
		t.write(" FROM ", u.table.from, " AS t")
		u.where(t, keys)
	}
	t.WriteString(") SELECT ")
	updated := t.as("u")
	updated.values(u.returned)
	updated.failIfAnyMissing(keys, u.returned, u.op.Check)
}

func (u *update) writeChanges(t row, keys keyOperand) {
	names, arrays := []string{keys.names()}, []string{keys.arrays()}
	values := make([]string, len(u.changes))
	for i, c := range u.changes {
		given, isGiven := valuesOf(c.column, u.recs)
		set := valueName(i)
		value := c.fromParameter("v." + set)
		switch {
		case u.table.remote && c.base != "" && !c.field.Many():
			value = "v." + set
			names, arrays = append(names, set), append(arrays, t.param(c.elementType()+"[]", c.array(given))+"::"+c.base+"[]")
		case u.table.remote && c.field.Many():
			all, first, last := joinLists(given, c.field.Target().Key().Type())
			value = "(" + t.param(c.paramType, c.argument(all)) + ")[v." + set + ":v.last_" + set + "]"
			names, arrays = append(names, set, "last_"+set), append(arrays, t.param("integer[]", first), t.param("integer[]", last))
		default:
			names, arrays = append(names, set), append(arrays, t.param(c.elementType()+"[]", c.array(given)))
		}
		if u.resets(c) {
			value = "CASE WHEN v." + set + " IS NULL THEN " + c.constantDefault() + " ELSE " + value + " END"
		}
		if c.partial {
			names, arrays = append(names, "is_"+set), append(arrays, t.param("boolean[]", flags(isGiven)))
			value = "CASE WHEN v.is_" + set + " THEN " + value + " ELSE " + t.column(c.column) + " END"
		}
		values[i] = value
	}
	u.set(t, values)
	t.write(" FROM unnest(", strings.Join(arrays, ", "), ") AS v (", strings.Join(names, ", "), ")")
	u.where(t, keys.each())
	t.WriteString(" RETURNING ")
	t.columns(u.table.stored)
	u.guardKey(t, keys.each())
}

// Citus rejects conversions of the values of each row that depend on settings. The arrays of a remote table are converted as
// a whole.

// joinLists joins lists of keys, and returns the positions of the first and the last element of each; nil for null.
func joinLists(lists []core.Value, t core.Type) (all core.Value, first, last []*int) {
	var elements []core.Value
	first, last = make([]*int, len(lists)), make([]*int, len(lists))
	for i, list := range lists {
		if list.IsSet() {
			first[i] = new(len(elements) + 1)
			more, _ := list.Elements(t) // the store has checked the list
			elements = append(elements, more...)
			last[i] = new(len(elements))
		}
	}
	return core.ListOf(elements...), first, last
}

func valueName(i int) string { return "v" + strconv.Itoa(i) }

// failIfAnyMissing follows a list of the columns of u. It writes expressions that fail, in this order, for the first
// key that is not in u, for a row that violates the check, and for values that cannot be read.
func (r row) failIfAnyMissing(keys keyOperand, columns []*column, check core.Filter) {
	r.write(", CASE WHEN m.place IS NOT NULL THEN ", raise(markMissing, "m.place"))
	if check.Kind() != core.FilterAll {
		r.WriteString(" WHEN ")
		r.filter(check, false)
		r.write(" THEN NULL ELSE ", raise(markForbidden, r.keyText()))
	}
	r.WriteString(" END")
	r.failIfUnreadable(columns)
	r.write(" FROM (SELECT min(v.place) AS place FROM unnest(", keys.arrays(), ") WITH ORDINALITY AS v (", keys.names(), ", place)",
		" WHERE NOT EXISTS (SELECT FROM u WHERE ")
	r.sameAs(keys.each())
	r.WriteString(")) AS m LEFT JOIN u ON true")
}

// failIfMissing follows a statement for one key that began with WITH u AS. It returns the columns of the row, and fails
// if there is no row, if the row violates the check, or if a value cannot be read.
func (r row) failIfMissing(columns []*column, check core.Filter) {
	r.WriteString(") SELECT ")
	r = r.as("u")
	r.values(columns)
	key := r.column(r.table.key.cells[0])
	r.write(", CASE WHEN ", key, " IS NULL THEN ", raise(markMissing, "coalesce("+key+"::text, '1')"))
	if check.Kind() != core.FilterAll {
		r.WriteString(" WHEN ")
		r.filter(check, false)
		r.write(" THEN NULL ELSE ", raise(markForbidden, key+"::text"))
	}
	r.WriteString(" END")
	r.failIfUnreadable(columns)
	r.WriteString(" FROM (SELECT) AS one LEFT JOIN u ON true")
}

// withoutKeptColumns removes nulls that stand for a varying default: a replacement keeps the values of these columns.
func (t *table) withoutKeptColumns(op *core.Op) []core.Record {
	recs := op.Records
	for _, f := range op.Reset {
		i := f.Column()
		if !t.columns[i].keepOnReset {
			continue
		}
		for position, rec := range recs {
			if !rec.At(i).IsNull() {
				continue
			}
			if &recs[0] == &op.Records[0] {
				recs = slices.Clone(recs)
			}
			recs[position] = rec.With(i, core.Value{})
		}
	}
	return recs
}

// resets reports whether at least one record sets the column to its default.
func (u *update) resets(c change) bool {
	return c.toDefault && slices.ContainsFunc(u.recs, func(rec core.Record) bool { return rec.At(c.index).IsNull() })
}
