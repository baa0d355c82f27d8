package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// referrer is a foreign key to a table that the server enforces with every statement, not only at the commit: deleting
// a referenced row fails, or cascades past all policies (manual, section 5.4.5). In the model it is an ordinary
// relation, and references only need to be gone at the end of the transaction.
type referrer struct {
	field *core.Field
	from  *table
	// detaches has columns of the foreign key if the tables refer to each other, so that no row can be deleted first. The
	// columns are then set to null before the deletion. Detached rows must be deleted or refer to another row before the
	// transaction ends.
	detaches []*column
}

// detachable returns the columns that make a relation null: its own ones, if they may be null.
func (t *table) detachable(f *core.Field) (columns []*column) {
	fields := []*core.Field{f}
	if f.Parts() != nil {
		fields = f.DetachedParts()
	}
	for _, own := range fields {
		if c := t.columns[own.Column()]; !own.KeyPart() && !c.notNull {
			columns = append(columns, c.cells...)
		}
	}
	return columns
}

// bindReferrers sets the referrers of all tables.
func bindReferrers(found *catalog, tables []*table) {
	for _, from := range tables {
		if from.readOnly {
			continue
		}
		for _, k := range found.tables[from.relation].foreignKeys {
			if from.foreignKeys[k.name] == nil {
				continue
			}
			f := from.foreignKeys[k.name].field
			if tables[f.Target().Index()].readOnly {
				continue
			}
			from.immediateSelfReference = from.immediateSelfReference || k.immediate && f.Target() == f.Resource()
			r := referrer{field: f, from: from}
			if f.Target() != f.Resource() && refersTo(f.Target(), f.Resource()) {
				r.detaches = from.detachable(f)
			}
			if k.hasDeleteAction || k.immediate && r.detaches != nil {
				addReferrer(tables, k.target, r)
			}
		}
	}
}

// addReferrer adds a referrer to a table, for each resource that is written to it.
func addReferrer(tables []*table, to relation, r referrer) {
	for _, t := range tables {
		if t.relation == to && !t.readOnly {
			t.referrers = append(t.referrers, r)
		}
	}
}

// refersTo reports whether a chain of references leads from one resource to another.
func refersTo(from, to *core.Resource) bool {
	seen := map[*core.Resource]bool{from: true}
	for next := []*core.Resource{from}; len(next) > 0; next = next[1:] {
		for _, f := range next[0].References() {
			if f.Target() == to {
				return true
			}
			if !seen[f.Target()] {
				seen[f.Target()] = true
				next = append(next, f.Target())
			}
		}
	}
	return false
}

// beforeDelete returns the call that precedes the deletion of rows: a statement that fails if a row refers to them, or
// one that detaches the referring rows.
func (r referrer) beforeDelete(t *transaction, to *table, op *core.Op) call {
	c := r.statement(to, op).call(nil)
	if r.detaches != nil {
		c.read = func(rows pgx.Rows) error {
			keys, err := scanKeys(rows, r.from)
			for _, key := range keys {
				t.noteDetached(r.field, key)
			}
			return err
		}
	}
	return c
}

// mark returns the mark of the statement's error. [referenced] parses it.
func (r referrer) mark() string {
	return fmt.Sprintf("%s%d %d ", markReferenced, r.from.resource.Index(), r.field.Column())
}

// referenced returns the field of a [referrer.mark] in an error text; nil if there is no mark.
func referenced(m *core.Model, text string) *core.Field {
	_, places, _ := strings.Cut(text, markReferenced)
	var resource, column int
	if _, err := fmt.Sscanf(places, "%d %d ", &resource, &column); err != nil {
		return nil
	}
	return m.Resources()[resource].Columns()[column]
}

func (r referrer) statement(to *table, op *core.Op) *builder {
	b := newBuilder()
	t := b.row(to)
	keys := b.keys(to, op.Keys, true)
	referring := b.row(r.from).as("r")
	if r.detaches != nil {
		b.write("UPDATE ", r.from.from, " AS r SET ")
		for i, c := range r.detaches {
			b.write(comma(i), c.name, " = NULL")
		}
		b.WriteString(" FROM ")
	} else {
		b.write("SELECT ", raise(r.mark(), referring.keyText()), " FROM ", r.from.from, " AS r, ")
	}
	b.write(to.from, " AS t WHERE ")
	for i, c := range r.from.columns[r.field.Column()].cells {
		b.write(referring.column(c), " = ", t.column(to.key.cells[i]), " AND ")
	}
	t.matches(keys)
	t.and(op.Using)
	switch {
	case r.detaches != nil:
		b.WriteString(" RETURNING ")
		for i, c := range r.from.key.cells {
			b.write(comma(i), referring.value(c), " AS ", c.name)
		}
	case r.from.from == to.from: // rows that are deleted too may refer to each other
		b.write(" AND NOT EXISTS (SELECT FROM unnest(", keys.arrays(), ") AS v (", keys.names(), ") WHERE ")
		referring.sameAs(keys.each())
		b.WriteByte(')')
	}
	return b
}

// reference is a field of one row.
type reference struct {
	field *core.Field
	key   core.Value
}

// noteDetached records that the reference of a row was set to null.
func (t *transaction) noteDetached(f *core.Field, key core.Value) {
	if t.detached == nil {
		t.detached = make(map[reference]bool)
	}
	t.detached[reference{f, key}] = true
}

// checkDetached returns an error if the policies of an operation concern a detached reference: they would see null
// instead of the value of the record.
func (t *transaction) checkDetached(op *core.Op) error {
	for r := range t.detached {
		table := t.backend.table(r.field.Resource())
		is := table.concerns(op.Using, r.field) && (op.Keys == nil || slices.Contains(op.Keys, r.key))
		for _, f := range conditionsOf(op) {
			is = is || table.reaches(f, r.field)
		}
		if is {
			return r.field.StillReferenced()
		}
	}
	return nil
}

// conditionsOf returns all conditions of an operation, also those on the related records that its order concerns.
func conditionsOf(op *core.Op) []core.Filter {
	all := append([]core.Filter{op.Using, op.Where}, op.Conditions...)
	for _, o := range op.Order {
		for _, hop := range o.Path {
			all = append(all, hop.Relation.Match(hop.Guard))
		}
	}
	return all
}

// forgetDetached records that a detached row was deleted or refers to another row.
func (t *transaction) forgetDetached(f *core.Field, key core.Value) {
	delete(t.detached, reference{f, key})
}

// forgetChanged records that an Update has set a field of a row: a detached relation, or a part of one.
func (t *transaction) forgetChanged(changed *core.Field, key core.Value) {
	for _, f := range changed.Resource().References() {
		if f == changed || slices.Contains(f.OwnParts(), changed) {
			t.forgetDetached(f, key)
		}
	}
}

// unresolvedReference returns the error of a detached row that is still there at the commit; nil if there is none.
func (t *transaction) unresolvedReference() error {
	for r := range t.detached {
		return r.field.StillReferenced()
	}
	return nil
}

// clearSwapped returns the calls that precede an Update in which rows take unique values from each other. An index that
// is not deferrable is checked with every row, so the values are first set to null. This is impossible if the column is
// NOT NULL, or if policies concern it: they would see null.
func (u *update) clearSwapped() []call {
	if !u.many() {
		return nil
	}
	var calls []call
	for i, c := range u.table.columns {
		if c.index != i {
			continue // of a relation that has the column of its only part
		}
		if keys, values := u.swappedValues(c); len(values) > 0 {
			calls = append(calls, u.clearCall(c, keys, values))
		}
	}
	return calls
}

// swappedValues returns the keys and new values of the rows that change the column; nothing if no swap is possible.
func (u *update) swappedValues(c *column) (keys, values []core.Value) {
	if !c.uniqueImmediate || c.notNull || u.table.concerns(u.op.Using, c.field) || u.table.reaches(u.op.Using, c.field) {
		return nil, nil
	}
	set := false
	for i, rec := range u.recs {
		if v := c.newValue(rec); !v.IsAbsent() {
			keys, values = append(keys, u.op.Keys[i]), append(values, v)
			set = set || v.IsSet()
		}
	}
	if !set || len(keys) == 1 {
		return nil, nil
	}
	return keys, values
}

// newValue returns the value that a change gives the column; absent if it does not set all cells.
func (c *column) newValue(rec core.Record) core.Value {
	cells := make(map[*column]core.Value, len(c.cells))
	for _, cell := range c.cells {
		if cells[cell] = cell.in(rec); cells[cell].IsAbsent() {
			return core.Value{}
		}
	}
	return c.valueIn(cells)
}

// clearCall sets the column to null in rows that lose their value to another row.
func (u *update) clearCall(c *column, keys, values []core.Value) call {
	b := newBuilder()
	t := b.row(u.table)
	rows := b.keys(u.table, keys, true)
	names, arrays := []string{rows.names()}, []string{rows.arrays()}
	b.write("UPDATE ", u.table.from, " AS t SET ")
	separator := ""
	elements := c.elements(values)
	for i, cell := range c.cells {
		if !cell.notNull {
			b.write(separator, cell.name, " = NULL")
			separator = ", "
		}
		names, arrays = append(names, valueName(i)), append(arrays, b.param(cell.elementType()+"[]", cell.array(elements[i])))
	}
	b.write(" FROM unnest(", strings.Join(arrays, ", "), ") AS v (", strings.Join(names, ", "), ") WHERE ")
	for i, cell := range c.cells {
		b.write(t.column(cell), " = ", cell.fromParameter("v."+valueName(i)), " AND ")
	}
	b.WriteString("NOT (")
	t.sameAs(rows.each())
	b.WriteString(") AND ")
	t.matches(rows)
	t.and(u.op.Using)
	return b.call(nil)
}
