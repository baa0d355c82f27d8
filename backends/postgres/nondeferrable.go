package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// referrer is a foreign key to a table by which the server acts when a row is
// deleted, and not only when the transaction ends: it refuses, or deletes or changes
// what points there by itself, whoever may see that (manual, section 5.4.5). To the
// model it is a reference like any other, which nothing may have at the end.
type referrer struct {
	field *core.Field
	from  *table
	// loosened: the tables refer to each other, so that none of the rows can be the
	// first to go; those that point at one that goes let go of it before, and have to
	// go as well, or to be given something else, before the transaction ends.
	detaches bool
}

// bindReferrers finds the referrers of all tables.
func bindReferrers(found *catalog, tables []*table) {
	for _, from := range tables {
		if from.readOnly {
			continue
		}
		for _, k := range found.tables[from.tableName].foreignKeys {
			f := from.foreignKeys[k.name]
			if f == nil || tables[f.Target().Index()].readOnly {
				continue
			}
			from.immediateSelfReference = from.immediateSelfReference || k.immediate && f.Target() == f.Resource()
			loosened := !from.columns[f.Column()].notNull && f.Target() != f.Resource() && refersTo(f.Target(), f.Resource())
			if k.hasDeleteAction || k.immediate && loosened {
				addReferrer(tables, k.target, referrer{f, from, loosened})
			}
		}
	}
}

// refer adds a referrer to the table, as every resource that is written there has it.
func addReferrer(tables []*table, to string, r referrer) {
	for _, t := range tables {
		if t.tableName == to && !t.readOnly {
			t.referrers = append(t.referrers, r)
		}
	}
}

// leads reports whether references lead from one resource to the other.
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

// before returns what precedes the deletion of rows because of one foreign key: a
// statement that fails if anything points at them, or one that has it let go of them.
func (r referrer) beforeDelete(t *transaction, to *table, op *core.Op) call {
	c := r.statement(to, op).call(nil)
	if r.detaches {
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

// mark is what an error of the statement begins with: [referenced] reads it.
func (r referrer) mark() string {
	return fmt.Sprintf("%s%d %d ", markReferenced, r.from.resource.Index(), r.field.Column())
}

// referenced returns the field that the text of an error has the mark of; nil if it
// has none.
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
	keys := b.keys(to, op.Keys, true)
	reference, key := "r."+r.from.columns[r.field.Column()].name, "r."+r.from.key.name
	if r.detaches {
		b.write("UPDATE ", r.from.from, " AS r SET ", r.from.columns[r.field.Column()].name, " = NULL FROM ")
	} else {
		b.write("SELECT ", raise(r.mark(), key+"::text"), " FROM ", r.from.from, " AS r, ")
	}
	b.write(to.from, " AS t WHERE ", reference, " = ", b.column(to.key), " AND ")
	b.equals(to.key, to.key.classify(op.Keys...), keys, true)
	b.and(to, op.Using)
	switch {
	case r.detaches:
		b.write(" RETURNING ", r.from.key.toModel(key), " AS ", r.from.key.name)
	case r.from.from == to.from: // those that are deleted as well do not count
		b.write(" AND NOT EXISTS (SELECT FROM unnest(", keys, ") AS v (key) WHERE ", r.from.key.toModel(key), r.from.key.equalityCollation, " = v.key)")
	}
	return b
}

// reference is a field of one row.
type reference struct {
	field *core.Field
	key   core.Value
}

// loosen notes that a row was made to let go of what it points at.
func (t *transaction) noteDetached(f *core.Field, key core.Value) {
	if t.detached == nil {
		t.detached = make(map[reference]bool)
	}
	t.detached[reference{f, key}] = true
}

// blurred returns the error of an operation whose policies look at what a row was
// made to let go of: they would judge a null that is not what the record has. nil if
// they do not.
func (t *transaction) checkDetached(op *core.Op) error {
	for r := range t.detached {
		f := op.Resource.Field(r.field.Name()) // the table may have several resources
		if f == nil || t.backend.table(r.field.Resource()).tableName != t.backend.table(op.Resource).tableName || !mentions(op.Using, f) {
			continue
		}
		if op.Keys == nil || slices.Contains(op.Keys, r.key) {
			return r.field.StillReferenced()
		}
	}
	return nil
}

// settle forgets a row that was loosened and is deleted or points at something else
// now.
func (t *transaction) forgetDetached(f *core.Field, key core.Value) {
	delete(t.detached, reference{f, key})
}

// dangling returns the error of rows that would still point at what was deleted, had
// they not been loosened; nil if there are none.
func (t *transaction) unresolvedReference() error {
	for r := range t.detached {
		return r.field.StillReferenced()
	}
	return nil
}

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
