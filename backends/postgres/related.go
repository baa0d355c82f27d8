package postgres

import (
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// Conditions on related records are subqueries in the statement. They use the tables, views or queries that the related
// resources are read from. Every related row has an alias of its own, r1, r2 and so on.

// related returns a related row of the resource. The fence of the row applies to the related row, too.
func (r row) related(to *core.Resource) row {
	r.aliases++
	return row{builder: r.builder, table: r.table.tables[to.Index()].readFrom, alias: "r" + strconv.Itoa(r.aliases), fence: r.fence}
}

// exists writes the condition that a related row matches, or its negation. The planner turns a plain EXISTS into a join;
// with IS TRUE, it either looks into an index for each row, or makes one table of the keys of all related rows.
func (r row) exists(f core.Filter, negate bool) {
	if r.rowByRow {
		r.WriteByte('(')
		defer r.WriteString(") IS TRUE")
	}
	if negate {
		r.WriteString("NOT ")
	}
	to := r.related(f.Relation().Target())
	r.write("EXISTS (SELECT FROM ", to.table.from, " AS ", to.alias, " WHERE ")
	to = to.behind(f.Guard())
	r.relates(f.Relation(), to)
	to.and(f.Where())
	r.WriteByte(')')
}

// join writes an outer join with the row that a step of a path leads to, and returns that row. A subquery with a limit
// finds at most one row even while a transaction has two rows with one unique value, and computes columns that may fail
// only for a row that matches the guard.
func (r row) join(hop core.Hop) row {
	to := r.related(hop.Relation.Target())
	single := hop.Relation.Reverse || slices.ContainsFunc(to.table.columns, func(c *column) bool { return c.mayFail })
	if single {
		r.write(" LEFT JOIN LATERAL (SELECT * FROM ", to.table.from, " AS ", to.alias, " WHERE ")
	} else {
		r.write(" LEFT JOIN ", to.table.from, " AS ", to.alias, " ON ")
	}
	to = to.behind(hop.Guard)
	r.relates(hop.Relation, to)
	if single {
		r.write(" LIMIT 1) AS ", to.alias, " ON TRUE")
	}
	return to
}

// relates writes the condition that the relation leads from the row to the other one.
func (r row) relates(relation core.Relation, to row) {
	from, target := r, to
	if relation.Reverse {
		from, target = to, r
	}
	stored, key := from.conditional(relation.Stored), target.table.key
	switch {
	case stored == nil:
		return
	case relation.Stored.Many():
		to.fenced(stored.mayFail || key.mayFail, func() { target.isElement(key, from, stored) })
	case relation.Reverse:
		to.fenced(stored.mayFail || key.mayFail, func() { r.equalsColumns(key, to, stored) })
	default:
		to.fenced(stored.mayFail || key.mayFail, func() { r.equalsColumns(stored, to, key) })
	}
}

// equalsColumns writes the condition that the cells of a column equal those of a column of a related row.
func (r row) equalsColumns(c *column, to row, other *column) {
	for i, cell := range c.cells {
		r.WriteString(and(i))
		r.equalsColumn(cell, to, other.cells[i])
	}
}

// equalsColumn writes the condition that a column equals a column of a related row, as values of the model. An index on
// the column of the related row serves it wherever [row.equals] can use one.
func (r row) equalsColumn(c *column, to row, other *column) {
	switch {
	case c.text && other.text && c.base == other.base && c.classifier != nil:
		r.write(to.column(other), " = ", r.column(c), " AND ")
		fallthrough
	case c.equalityCollation != "" || other.equalityCollation != "":
		r.write(to.value(other), ` COLLATE "C" = `, r.value(c))
	default:
		r.write(to.value(other), " = ", r.value(c), collate(c, other))
	}
}

// isElement writes the condition that a list of keys of another row has the key of the row.
func (r row) isElement(key *column, of row, list *column) {
	r.write(r.value(key), key.equalityCollation, " = ANY (", of.value(list))
	if key.equalityCollation == "" {
		r.WriteString(collate(list, key))
	}
	r.WriteByte(')')
}

// collate returns a COLLATE clause that gives a column the collation of another one, so that the two can be compared and an
// index on the other one helps; "" if no clause is necessary.
func collate(c, other *column) string {
	if c.collation == other.collation || other.collation == "" {
		return ""
	}
	return " COLLATE " + other.collation
}

// concerns reports whether a condition on records of the table reads a column of theirs.
func (t *table) concerns(f core.Filter, column *core.Field) bool {
	return slices.ContainsFunc(f.Fields(), func(field *core.Field) bool { return t.shares(field, column) })
}

// reaches reports whether a part of the condition that concerns related records reads a column of the table.
func (t *table) reaches(f core.Filter, column *core.Field) bool {
	if f.Kind() != core.FilterRelated {
		return slices.ContainsFunc(f.Filters(), func(part core.Filter) bool { return t.reaches(part, column) })
	}
	within := func(part core.Filter) bool { return t.concerns(part, column) || t.reaches(part, column) }
	return f.Relation().Reverse && t.shares(f.Relation().Stored, column) || within(f.Where()) || within(f.Guard())
}

// shares reports whether a field is stored in a column of another one of the table. Several resources may share the table.
func (t *table) shares(field, other *core.Field) bool {
	if !field.Stored() || t.tables[field.Resource().Index()].relation != t.relation {
		return false
	}
	names := columnNames(cellsOf(other))
	return slices.ContainsFunc(cellsOf(field), func(c cell) bool { return slices.Contains(names, c.name) })
}
