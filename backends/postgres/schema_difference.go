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

// difference is one respect in which a schema does not fit a model.
type difference struct {
	phase    phase
	problem  string // for messages, with the names of the model
	fix      string // statement that removes the difference; "" if no single statement does
	additive bool   // the statement only adds an object
	optional bool   // a store works without the fix
	added    *cell  // the column that the statement adds
	// then, violating and from belong to a statement that adds a rule: the statement that follows, the condition of the
	// rows that violate the rule, and their table.
	then, violating, from string
}

// phase orders statements: each needs the objects of earlier phases.
type phase int

const (
	createSchema phase = iota
	createTable
	renameColumn
	dropRule
	addColumn
	dropDefault
	addConstraint
	addIndex
	addForeignKey
	addComment
)

// comparison collects the differences between a catalog and a model.
type comparison struct {
	schema      string
	found       *catalog
	opts        Options
	creating    bool // for DDL and Migrate: ignore views and queries
	differences []difference
}

// add adds a difference, unless the statement of another one removes it, too: relations may share columns.
func (c *comparison) add(d difference) {
	if d.fix != "" && slices.ContainsFunc(c.differences, func(other difference) bool { return other.fix == d.fix }) {
		return
	}
	c.differences = append(c.differences, d)
}

// report adds a difference without a statement.
func (c *comparison) report(f *core.Field, format string, args ...any) {
	c.add(difference{problem: f.String() + ": " + fmt.Sprintf(format, args...)})
}

// compare returns the differences in the order in which their statements can be executed.
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
	for _, r := range m.Stored() {
		c.rename(r)
	}
	for _, r := range m.Stored() {
		c.compareResource(r)
	}
	c.compareDistribution(m)
	slices.SortStableFunc(c.differences, func(a, b difference) int { return cmp.Compare(a.phase, b.phase) })
	return c.differences
}

// checkNames reports names that PostgreSQL would truncate.
func (c *comparison) checkNames(m *core.Model) {
	names := []string{c.schema}
	for _, r := range m.Stored() {
		s := c.opts.source(r)
		names = append(names, s.Table, s.View)
		for _, cell := range cellsOfResource(r) {
			names = append(append(names, cell.name), cell.was...)
		}
		c.checkCells(r)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if len(name) > pgsql.MaxName {
			c.add(difference{problem: fmt.Sprintf("the name %q has more than %d bytes", name, pgsql.MaxName)})
		}
	}
}

// checkCells reports relations to keys of several fields whose columns have the names of other columns.
func (c *comparison) checkCells(r *core.Resource) {
	fields := make(map[string]*core.Field)
	for _, cell := range cellsOfResource(r) {
		other := fields[cell.name]
		if other == nil {
			fields[cell.name] = cell.field
			continue
		}
		f := cell.field
		if f.Type() != core.Tuple {
			f, other = other, f
		}
		c.report(f, "its column %q is also a column of %s; rename one of the fields, or declare the fields of the relation and name them in Via", cell.name, other)
	}
}

// table returns the qualified name of the table for the writes of a resource.
func (c *comparison) table(r *core.Resource) string {
	s := c.opts.source(r)
	return s.relation(c.schema, s.Table).from()
}

func (c *comparison) compareResource(r *core.Resource) {
	s := c.opts.source(r)
	if c.creating && (s.readsElsewhere() || s.inOther(c.schema)) {
		return
	}
	if s.readsElsewhere() {
		c.compareReadSource(r, s)
	}
	if s.Table != "" {
		c.compareTable(r, s)
	}
}

// compareReadSource compares the view or query of a resource.
func (c *comparison) compareReadSource(r *core.Resource, s Source) {
	t := c.found.readFrom(c.schema, r, s)
	if t == nil {
		c.add(difference{problem: r.Name() + ": " + s.kind() + " is missing"})
		return
	}
	for _, cell := range cellsOfResource(r) {
		switch col := t.columns[cell.name]; {
		case col == nil:
			c.report(cell.field, "the %s has no %s", s.kind(), cell.columnOr("such column"))
		case !col.fits(cell):
			c.report(cell.field, "%s of the %s is %s and should be %s", cell.columnOr("column"), s.kind(), col.display, cell.sqlType())
		}
	}
}

func (c *comparison) compareTable(r *core.Resource, s Source) {
	t := c.found.tables[s.relation(c.schema, s.Table)]
	if t == nil {
		problem := r.Name() + ": table is missing"
		if s.Table != r.Name() {
			problem = fmt.Sprintf("%s: table %q is missing", r.Name(), s.Table)
		}
		c.add(difference{phase: createTable, problem: problem, fix: createTableSQL(c.table(r), r), additive: true})
		c.comment("TABLE "+c.table(r), r.Description())
		for _, cell := range cellsOfResource(r) {
			c.commentColumn(cell)
		}
		key := columnNames(cellsOf(r.Key()))
		t = &catalogTable{indexes: []catalogIndex{{unique: true, immediate: true, columns: key, options: make([]int16, len(key))}}} // only the constraints are compared
	} else if t.kind != "r" && t.kind != "p" {
		c.add(difference{problem: r.Name() + ": is not a table; set View in Options.Resources to read from it"})
		return
	}
	c.compareFields(t, r)
	c.compareIndexes(t, r)
	c.compareRules(t, r)
	modelled := columnNames(cellsOfResource(r))
	for _, col := range t.columns {
		if col.notNull && !col.hasDefault() && !slices.Contains(modelled, col.name) {
			c.add(difference{problem: fmt.Sprintf(
				"%s: column %q is not in the model, but is NOT NULL and has no default; "+
					"add a field for it, set Was: %[2]q on a renamed field, give it a default, or DROP NOT NULL", r.Name(), col.name)})
		}
	}
}

// comment adds the statement that stores a description. Only new objects get one, so that comments that were written in
// the database remain.
func (c *comparison) comment(object, description string) {
	if description != "" {
		c.add(difference{
			phase: addComment, problem: object + " has no comment", additive: true, optional: true,
			fix: "COMMENT ON " + object + " IS " + pgsql.String(description),
		})
	}
}

func (c *comparison) commentColumn(of cell) {
	c.comment("COLUMN "+c.table(of.field.Resource())+"."+pgsql.Name(of.name), of.field.Description())
}

// hasDefault reports whether an insert may omit the column although it is NOT NULL.
func (c *catalogColumn) hasDefault() bool {
	return c.defaultExpr != "" || c.generated || c.identity != ""
}

// compareFields compares the columns and constraints of the fields. The constraints of a derived field are compared if all
// of its columns fit.
func (c *comparison) compareFields(t *catalogTable, r *core.Resource) {
	unusable := make(map[string]bool)
	for _, cell := range cellsOfResource(r) {
		if t.columns != nil && !c.compareColumn(t, cell) {
			unusable[cell.name] = true
		}
	}
	for _, f := range r.Columns() {
		switch {
		case slices.ContainsFunc(cellsOf(f), func(c cell) bool { return unusable[c.name] }):
		case f.Key() && t.columns != nil:
			c.compareKey(t, f)
		case !f.Key():
			c.compareConstraints(t, f)
		}
	}
}

// compareColumn compares a column, and reports whether constraints may follow.
func (c *comparison) compareColumn(t *catalogTable, of cell) bool {
	f, col := of.field, t.columns[of.name]
	inKey := f.Key() || f.KeyPart()
	switch {
	case col == nil && c.opts.source(f.Resource()).readsElsewhere() && !inKey:
		if !f.ReadOnly() {
			c.report(f, "%s is missing in the table %q; a field that only the %s has must be ReadOnly",
				of.columnOr("column"), c.opts.source(f.Resource()).Table, c.opts.source(f.Resource()).kind())
		}
		return false
	case col == nil && inKey:
		c.report(f, "%s is missing", of.columnOr("column"))
		return false
	case col == nil:
		c.addColumn(of)
	case !col.fits(of):
		c.compareType(of, col)
		return false
	}
	return true
}

// columnOr returns the word, or for one of several columns of a field its name.
func (c cell) columnOr(word string) string {
	if c.field.Type() != core.Tuple {
		return word
	}
	return fmt.Sprintf("column %q", c.name)
}

func (c *comparison) compareType(of cell, col *catalogColumn) {
	want := of.sqlType()
	c.add(difference{
		problem: fmt.Sprintf("%s: %s is %s and should be %s", of.field, of.columnOr("column"), col.display, want),
		fix: fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %[2]s::%[4]s",
			c.table(of.field.Resource()), pgsql.Name(of.name), of.columnType(), want),
	})
}

func (c *comparison) compareKey(t *catalogTable, f *core.Field) {
	names := columnNames(cellsOf(f))
	if t.hasUnique(names, true) && !slices.ContainsFunc(names, func(name string) bool { return t.columns[name].hasNulls }) {
		return
	}
	c.add(difference{
		problem: f.String() + ": is not a primary key, nor NOT NULL and unique by an index that is not deferrable",
		fix:     "ALTER TABLE " + c.table(f.Resource()) + " ADD PRIMARY KEY (" + quoted(names) + ")",
	})
}

// quoted returns names of columns as SQL lists them.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = pgsql.Name(name)
	}
	return strings.Join(list, ", ")
}

func (c *comparison) compareConstraints(t *catalogTable, f *core.Field) {
	table, names := c.table(f.Resource()), columnNames(cellsOf(f))
	if f.Unique() && !t.hasUnique(names, false) {
		c.add(difference{
			phase: addConstraint, problem: f.String() + ": is not unique", additive: true, optional: t.columns == nil,
			fix: "ALTER TABLE " + table + " ADD UNIQUE (" + quoted(names) + ") DEFERRABLE INITIALLY DEFERRED",
		})
	}
	if f.Indexed() && !f.Unique() && !t.hasIndex(names) {
		c.add(difference{
			phase: addIndex, problem: f.String() + ": has no index", additive: true, optional: true,
			// The key orders rows with equal values.
			fix: "CREATE INDEX ON " + table + " (" + quoted(columnNames(append(cellsOf(f), cellsOf(f.Resource().Key())...))) + ")",
		})
	}
	target := f.Target()
	if target == nil || f.Many() || f.Keeps() {
		return
	}
	to := c.opts.source(target)
	if to.Table == "" || t.hasForeignKey(f, to.relation(c.schema, to.Table)) {
		return
	}
	c.add(difference{
		phase: addForeignKey, additive: true, optional: t.columns == nil,
		problem: fmt.Sprintf("%s: has no foreign key to %s", f, target.Key()),
		fix: fmt.Sprintf("ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES %s (%s)%s DEFERRABLE INITIALLY DEFERRED",
			table, quoted(names), c.table(target), quoted(columnNames(cellsOf(target.Key()))), match(f)),
	})
}

// match returns the MATCH clause of the foreign key of a relation. If the columns are its own, either all of them are null or
// none, so that they sort as the relation does and an index serves the order.
func match(f *core.Field) string {
	if f.Parts() == nil && f.Type() == core.Tuple {
		return " MATCH FULL"
	}
	return ""
}

// compareIndexes compares the indexes over several fields or some of the rows.
func (c *comparison) compareIndexes(t *catalogTable, r *core.Resource) {
	for _, x := range r.Indexes() {
		if slices.ContainsFunc(t.indexes, func(found catalogIndex) bool { return found.fits(x, r) }) {
			continue
		}
		if f := nullTested(x.Where); f != nil {
			c.add(difference{problem: fmt.Sprintf("%s: index over %s: the condition compares %s, which has several columns, with null; compare one of its fields", r.Name(), x, f)})
			continue
		}
		d := difference{phase: addIndex, problem: r.Name() + ": has no index over " + x.String(), fix: indexSQL(c.table(r), r, x), additive: true, optional: true}
		if x.Unique {
			d.phase, d.optional, d.problem = addConstraint, t.columns == nil, r.Name()+": is not unique by "+x.String()
		}
		c.add(d)
	}
}

// indexSQL returns the statement that creates an index. A unique index with a condition is an exclusion constraint, because
// a partial unique index cannot be deferred (manual, section 5.5.6).
func indexSQL(table string, r *core.Resource, x *core.Index) string {
	var columns []string
	order := indexedColumns(x)
	for _, o := range order {
		column := pgsql.Name(o.name)
		switch {
		case o.desc:
			column += " DESC"
		case x.Unique && x.Where.Kind() != core.FilterAll:
			column += " WITH ="
		}
		columns = append(columns, column)
	}
	for _, key := range columnNames(cellsOf(r.Key())) { // the key orders rows with equal values
		if !x.Unique && !slices.ContainsFunc(order, func(o indexed) bool { return o.name == key }) {
			columns = append(columns, pgsql.Name(key))
		}
	}
	list, condition := "("+strings.Join(columns, ", ")+")", conditionSQL(x.Where)
	switch {
	case !x.Unique && condition == "":
		return "CREATE INDEX ON " + table + " " + list
	case !x.Unique:
		return "CREATE INDEX ON " + table + " " + list + " WHERE " + condition
	case condition == "":
		return "ALTER TABLE " + table + " ADD UNIQUE " + list + " DEFERRABLE INITIALLY DEFERRED"
	}
	// Citus omits the condition of a constraint without a name.
	name := shortName(r.Name() + "_excl_" + hashOf(list+condition))
	return "ALTER TABLE " + table + " ADD CONSTRAINT " + pgsql.Name(name) + " EXCLUDE USING btree " + list + " WHERE (" + condition + ") DEFERRABLE INITIALLY DEFERRED"
}

// conditionSQL returns the condition of an index; "" for all rows. The constants take the types of their columns.
func conditionSQL(where core.Filter) string {
	var parts []string
	for _, f := range comparisonsOf(where) {
		cells := cellsOf(f.Field())
		column := pgsql.Name(cells[0].name)
		var values []string
		for _, v := range f.Values() {
			values = append(values, strings.TrimSpace(pgsql.String(v.String())))
		}
		switch {
		case f.Kind() == core.FilterNe:
			for _, c := range cells {
				parts = append(parts, pgsql.Name(c.name)+" IS NOT NULL")
			}
		case f.Values()[0].IsNull():
			for _, c := range cells {
				parts = append(parts, pgsql.Name(c.name)+" IS NULL")
			}
		case f.Kind() == core.FilterEq:
			parts = append(parts, column+" = "+values[0])
		default:
			parts = append(parts, column+" IN ("+strings.Join(values, ", ")+")")
		}
	}
	return strings.Join(parts, " AND ")
}

// nullTested returns a derived field with several columns that the condition of an index compares with null by Eq; nil if
// there is none. Its condition would be a disjunction. The columns of a stored relation are null together, see [match].
func nullTested(where core.Filter) *core.Field {
	for _, f := range comparisonsOf(where) {
		if f.Kind() == core.FilterEq && f.Values()[0].IsNull() && f.Field().Parts() != nil && len(cellsOf(f.Field())) > 1 {
			return f.Field()
		}
	}
	return nil
}

// comparisonsOf returns the comparisons of the condition of an index.
func comparisonsOf(where core.Filter) []core.Filter {
	switch where.Kind() {
	case core.FilterAll:
		return nil
	case core.FilterAnd:
		return where.Filters()
	}
	return []core.Filter{where}
}

// mismatchOf returns the error that lists the differences that make a store impossible; nil if there are none.
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

var scalarTypes = [...]string{
	core.Int: "bigint", core.Float: "double precision", core.Text: "text", core.Bool: "boolean",
	core.Time: "timestamp with time zone", core.UUID: "uuid", core.Bytes: "bytea",
	core.JSON: "jsonb", core.List: "jsonb", core.Date: "date", core.LocalTime: "timestamp without time zone", core.Decimal: "numeric",
}

// sqlType returns the column type that DDL uses for a cell.
func (c cell) sqlType() string {
	if c.field.Many() {
		return scalarTypes[c.field.Target().Key().Type()] + "[]"
	}
	return scalarTypes[c.typ]
}

// exactTypes lists, by type of the model, the names in pg_type of the column types that hold its values unchanged.
var exactTypes = [...][]string{
	core.Int: {"int8", "int4", "int2"}, core.Float: {"float8", "float4"}, core.Text: {"text", "varchar"},
	core.Bool: {"bool"}, core.Time: {"timestamptz"}, core.UUID: {"uuid"}, core.Bytes: {"bytea"},
	core.JSON: {"jsonb"}, core.List: {"jsonb"}, core.Date: {"date"}, core.LocalTime: {"timestamp"}, core.Decimal: {"numeric"},
}

// alsoText lists the names in pg_type of the types in exactTypes that a Text field can hold, too, in the server's spelling.
var alsoText = []string{"date", "timestamp", "numeric"}

// isExact reports whether the column holds the values of the cell unchanged.
func (c *catalogColumn) isExact(of cell) bool {
	f := of.field
	if !f.Many() {
		return slices.Contains(exactTypes[of.typ], c.typeName)
	}
	return c.element != "" && c.typeName != "" && slices.Contains(exactTypes[f.Target().Key().Type()], c.typeName[1:])
}

// fits reports whether the column can hold the values of the cell, unchanged or in a [form].
func (c *catalogColumn) fits(of cell) bool {
	if c.isExact(of) {
		return true
	}
	switch f := of.field; {
	case f.Many():
		return c.element != "" && c.element != "c" && f.Target().Key().Type() == core.Text
	case of.typ == core.Text:
		return c.heldAsText()
	case of.typ == core.List:
		return c.typeName == "json" || c.element != ""
	}
	return of.typ == core.JSON && (c.typeName == "json" || c.kind == "c")
}

// heldAsText reports whether a Text field can hold the values of the column in the server's spelling, because no other
// type of the model represents them or models may lack that type.
func (c *catalogColumn) heldAsText() bool {
	if c.element != "" || c.kind == "c" || c.kind == "p" || c.typeName == "json" {
		return false
	}
	if slices.Contains(alsoText, c.typeName) {
		return true
	}
	return !slices.ContainsFunc(exactTypes[:], func(names []string) bool { return slices.Contains(names, c.typeName) })
}

// DDL returns the statements that create a schema and the tables of a model in a database. Integer keys are identities
// and UUID keys have random defaults. To-one relations and indexed fields have indexes, unique fields have unique
// constraints, and relations have foreign keys; the indexes of [core.Resource.Indexes] follow, unique ones with a condition as
// exclusion constraints; these constraints are DEFERRABLE INITIALLY DEFERRED. PostgreSQL chooses the
// names of constraints and indexes.
//
// Required fields are NOT NULL, and the other rules for values have CHECK constraints, named larder_RESOURCE_FIELD_RULE, such
// as larder_cookie_type_max_length. Their comments hold the conditions for Migrate.
//
// The statements are in an order in which they can be executed, and do not end with semicolons.
func DDL(schema string, m *core.Model) []string { return Options{}.DDL(schema, m) }

// DDL is the function [DDL] with the table names of [Options.Resources]. It leaves out resources that are read from a
// view or a query: create their tables and views yourself.
func (o Options) DDL(schema string, m *core.Model) []string {
	var statements []string
	for _, d := range compare(&catalog{}, schema, m, o, true) {
		if d.fix != "" {
			statements = append(statements, d.fix)
		}
	}
	return statements
}

func createTableSQL(table string, r *core.Resource) string {
	var lines []string
	for _, c := range cellsOfResource(r) {
		line := "\n\t" + c.columnSQL()
		if c.field.Required() {
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	for _, line := range ruleLines(r) {
		lines = append(lines, "\n\t"+line)
	}
	if r.Key().Type() == core.Tuple {
		lines = append(lines, "\n\tPRIMARY KEY ("+quoted(columnNames(cellsOf(r.Key())))+")")
	}
	return "CREATE TABLE " + table + " (" + strings.Join(lines, ",") + "\n)"
}

// columnType returns the type of a new column. Text has a collation that sorts by code point, so that an index on the
// column serves the order of the model.
func (c cell) columnType() string {
	if c.typ == core.Text {
		return c.sqlType() + ` COLLATE "C"`
	}
	return c.sqlType()
}

// columnSQL returns the definition of a new column.
func (c cell) columnSQL() string {
	sql := pgsql.Name(c.name) + " " + c.columnType()
	if !c.field.Key() {
		return sql
	}
	switch {
	case c.field.Assigned():
	case c.typ == core.Int:
		sql += " GENERATED BY DEFAULT AS IDENTITY"
	case c.typ == core.UUID:
		sql += " DEFAULT gen_random_uuid()"
	}
	return sql + " PRIMARY KEY"
}
