package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// difference is one thing in which a schema does not fit a model.
type difference struct {
	phase    phase
	problem  string      // for people, with the names of the model
	fix      string      // the statement that removes it; "" if there is no one statement
	additive bool        // the remedy adds something, and destroys and changes nothing
	optional bool        // works without, or goes without saying
	added    *core.Field // whose column the remedy adds
}

// phase orders the remedies by what they need.
type phase int

const (
	createSchema phase = iota
	createTable
	renameColumn
	addColumn
	dropDefault
	addConstraint
	addIndex
	addForeignKey
)

// comparison collects differences.
type comparison struct {
	schema      string
	found       *catalog
	opts        Options
	creating    bool // what is read from elsewhere is not compared
	differences []difference
}

func (c *comparison) add(d difference) { c.differences = append(c.differences, d) }

// needs adds what a person has to see to.
func (c *comparison) report(f *core.Field, format string, args ...any) {
	c.add(difference{problem: f.String() + ": " + fmt.Sprintf(format, args...)})
}

// compare returns the differences in the order in which they can be removed.
func compare(found *catalog, schema string, m *core.Model, opts Options, creating bool) []difference {
	c := &comparison{schema: schema, found: found, opts: opts, creating: creating}
	c.checkNames(m)
	if !found.exists {
		c.add(difference{
			phase: createSchema, problem: fmt.Sprintf("schema %q is missing", schema),
			fix: "CREATE SCHEMA " + pgsql.Name(schema), additive: true,
		})
	}
	if found.encoding != "" && found.encoding != "UTF8" {
		c.add(difference{problem: "the encoding of the database is " + found.encoding + ", not UTF8"})
	}
	for _, r := range m.Resources() {
		c.rename(r)
	}
	for _, r := range m.Resources() {
		c.compareResource(r)
	}
	slices.SortStableFunc(c.differences, func(a, b difference) int { return cmp.Compare(a.phase, b.phase) })
	return c.differences
}

// checkNames reports names that PostgreSQL would cut.
func (c *comparison) checkNames(m *core.Model) {
	names := []string{c.schema}
	for _, r := range m.Resources() {
		s := c.opts.source(r)
		names = append(names, s.Table, s.View)
		for _, f := range r.Columns() {
			names = append(names, f.Name(), f.Was())
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if len(name) > pgsql.MaxName {
			c.add(difference{problem: fmt.Sprintf("the name %q has more than %d bytes", name, pgsql.MaxName)})
		}
	}
}

// table is what the resource is written to, as statements name it.
func (c *comparison) table(r *core.Resource) string {
	return Source{Table: c.opts.source(r).Table}.from(c.schema)
}

func (c *comparison) compareResource(r *core.Resource) {
	s := c.opts.source(r)
	if s.readsElsewhere() {
		if c.creating {
			return
		}
		c.compareReadSource(r, s)
	}
	if s.Table != "" {
		c.compareTable(r, s)
	}
}

// compareReading is about what is read and not written to.
func (c *comparison) compareReadSource(r *core.Resource, s Source) {
	t := c.found.readFrom(r, s)
	if t == nil {
		c.add(difference{problem: r.Name() + ": " + s.kind() + " is missing"})
		return
	}
	for _, f := range r.Columns() {
		switch col := t.columns[f.Name()]; {
		case col == nil:
			c.report(f, "the %s has no such column", s.kind())
		case !col.fits(f):
			c.report(f, "column of the %s is %s and should be %s", s.kind(), col.display, sqlType(f))
		}
	}
}

func (c *comparison) compareTable(r *core.Resource, s Source) {
	t := c.found.tables[s.Table]
	if t == nil {
		what := r.Name() + ": table is missing"
		if s.Table != r.Name() {
			what = fmt.Sprintf("%s: table %q is missing", r.Name(), s.Table)
		}
		c.add(difference{phase: createTable, problem: what, fix: createTableSQL(c.table(r), r), additive: true})
		t = &catalogTable{} // of which only the constraints are compared
	} else if t.kind != "r" && t.kind != "p" {
		c.add(difference{problem: r.Name() + ": is not a table; Options.Resources can read it as a view"})
		return
	}
	for _, f := range r.Columns() {
		c.compareColumn(t, f)
	}
	for _, col := range t.columns {
		if f := r.Field(col.name); col.notNull && !col.hasDefault() && (f == nil || !f.Stored()) {
			c.add(difference{problem: fmt.Sprintf(
				"%s: column %q, which the model does not name, must not be null and has no default; "+
					"name it, let a renamed field say Was: %[2]q, give it a default, or DROP NOT NULL", r.Name(), col.name)})
		}
	}
}

// given reports whether a column that no insert names gets a value of its own.
func (c *catalogColumn) hasDefault() bool {
	return c.defaultExpr != "" || c.generated || c.identity != ""
}

func (c *comparison) compareColumn(t *catalogTable, f *core.Field) {
	if t.columns != nil {
		col := t.columns[f.Name()]
		switch {
		case col == nil && c.opts.source(f.Resource()).readsElsewhere() && !f.Key():
			if !f.ReadOnly() {
				c.report(f, "column is missing in the table %q; a field that only the %s has must be ReadOnly",
					c.opts.source(f.Resource()).Table, c.opts.source(f.Resource()).kind())
			}
			return
		case col == nil && f.Key():
			c.report(f, "column is missing")
			return
		case col == nil:
			c.addColumn(f)
		case !col.fits(f):
			c.compareType(f, col)
			return
		case f.Key():
			c.compareKey(t, f, col)
		}
	}
	if !f.Key() {
		c.compareConstraints(t, f)
	}
}

func (c *comparison) compareType(f *core.Field, col *catalogColumn) {
	want := sqlType(f)
	c.add(difference{
		problem: fmt.Sprintf("%s: column is %s and should be %s", f, col.display, want),
		fix: fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %[2]s::%[4]s",
			c.table(f.Resource()), pgsql.Name(f.Name()), columnType(f), want),
	})
}

func (c *comparison) compareKey(t *catalogTable, f *core.Field, col *catalogColumn) {
	table := c.table(f.Resource())
	if !t.hasUnique(f.Name(), true) || col.hasNulls {
		c.add(difference{
			problem: f.String() + ": is not a primary key, nor unique and not null by a constraint that is not deferrable",
			fix:     "ALTER TABLE " + table + " ADD PRIMARY KEY (" + pgsql.Name(f.Name()) + ")",
		})
	}
}

func (c *comparison) compareConstraints(t *catalogTable, f *core.Field) {
	table, column := c.table(f.Resource()), pgsql.Name(f.Name())
	if f.Unique() && !t.hasUnique(f.Name(), false) {
		c.add(difference{
			phase: addConstraint, problem: f.String() + ": is not unique", additive: true, optional: t.columns == nil,
			fix: "ALTER TABLE " + table + " ADD UNIQUE (" + column + ") DEFERRABLE INITIALLY DEFERRED",
		})
	}
	if f.Indexed() && !f.Unique() && !t.hasIndex(f.Name()) {
		c.add(difference{
			phase: addIndex, problem: f.String() + ": has no index", additive: true, optional: true,
			// The key makes ties and pages come in order.
			fix: "CREATE INDEX ON " + table + " (" + column + ", " + pgsql.Name(f.Resource().Key().Name()) + ")",
		})
	}
	target := f.Target()
	if target == nil || f.Many() {
		return
	}
	to := c.opts.source(target).Table
	if to == "" || t.hasForeignKey(f.Name(), c.schema, to, target.Key().Name()) {
		return
	}
	c.add(difference{
		phase: addForeignKey, additive: true, optional: t.columns == nil,
		problem: fmt.Sprintf("%s: has no foreign key to %s", f, target.Key()),
		fix: fmt.Sprintf("ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES %s (%s) DEFERRABLE INITIALLY DEFERRED",
			table, column, c.table(target), pgsql.Name(target.Key().Name())),
	})
}

// mismatch returns the error that a store cannot be made with these differences;
// nil if it can.
func mismatchOf(schema string, found []difference) error {
	var lines []string
	for _, d := range found {
		if !d.optional {
			lines = append(lines, d.problem)
		}
	}
	if lines == nil {
		return nil
	}
	slices.Sort(lines)
	text := fmt.Sprintf("postgres: schema %q does not fit the model:\n\t", schema) + strings.Join(lines, "\n\t")
	return &mismatchError{errors.New(text)}
}
