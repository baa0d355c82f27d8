package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// migrationLock takes the advisory lock of the migrations of a schema (manual, section 13.3.5). It prevents two processes that
// start at the same time from creating the same table. The key is a hash of the name, so that a long migration of one tenant
// delays no other.
const migrationLock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 7809632567903551489))"

// Migrate creates the objects that a model needs and the schema lacks: the schema itself, tables, columns, constraints
// and indexes. New tables and columns get the descriptions of the model as comments. It renames the columns of fields with [core.FieldSpec.Was]. It neither drops nor changes anything else, except the constraints of rules.
// Everything happens in one transaction. If the schema needs other changes, Migrate does nothing and returns an error
// that lists every difference, with a statement to review where one statement suffices.
//
// The tables have the names of the resources; [Options.Migrate] follows [Options.Resources]. In existing rows, a new
// column has the field's default if it is a constant and the field is not Unique, otherwise null. If columns are added to
// a table that has data in columns outside the model, Migrate logs a warning to [slog.Default], because a field may have
// been renamed. A NOT NULL column without a default that is not in the model is an error.
//
// Migrate replaces and drops the CHECK constraints of the rules for values, which are named larder_RESOURCE_FIELD_RULE. If
// existing rows violate a rule, Migrate logs their number and adds no constraint for it; the store checks the rule in any
// case. A column that is NOT NULL stays so when its field is no longer Required.
//
// Creating an index or a constraint blocks writes to the table. For large tables in use, and for all other changes, use
// a migration tool such as goose.
//
// Errors: an error that lists the changes that Migrate does not make; [core.Unavailable]; errors of the server, for
// example if existing values violate a new unique constraint.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string, m *core.Model) error {
	return New(pool, schema, Options{}).migrate(ctx, m)
}

func (b *Backend) migrate(ctx context.Context, m *core.Model) error {
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// READ COMMITTED, so that the statements see the commits that happened during the wait for the lock.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // rewriting a table may take long
			return err
		}
		if _, err := tx.Exec(ctx, migrationLock, pgx.QueryExecModeExec, b.schema); err != nil {
			return err
		}
		return migrate(ctx, tx, b.schema, m, b.opts)
	})
	if err != nil {
		return b.errorOn(ctx, conn, err)
	}
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx, schema string, m *core.Model, opts Options) error {
	found, err := readCatalog(ctx, tx.Conn(), opts.schemas(schema, m))
	if err != nil {
		return err
	}
	differences := compare(found, schema, m, opts, true)
	if err := unsafeError(schema, differences); err != nil {
		return err
	}
	if err := warnAboutRenames(ctx, tx, found, schema, m, differences, opts); err != nil {
		return err
	}
	for _, d := range differences {
		if d.violating != "" {
			if err := addRule(ctx, tx, d, opts); err != nil {
				return fmt.Errorf("postgres: %s: %s: %w", d.problem, d.fix, err)
			}
			continue
		}
		if _, err := tx.Exec(ctx, d.fix); err != nil {
			return fmt.Errorf("postgres: %s: %s: %w", d.problem, d.fix, err)
		}
	}
	return nil
}

// unsafeError returns the error that lists all differences with a fix that does more than add an object; nil if there
// are none.
func unsafeError(schema string, differences []difference) error {
	var lines []string
	for _, d := range differences {
		switch {
		case d.additive:
		case d.fix == "":
			lines = append(lines, "\t"+d.problem)
		default:
			lines = append(lines, "\t"+d.problem+"; review and execute: "+d.fix)
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(fmt.Sprintf("postgres: schema %q needs changes that Migrate does not make:\n", schema) + strings.Join(lines, "\n"))
}

// rename finds columns with the former name of a field, and renames them in the catalog, so that the rest of the
// comparison sees the new names.
func (c *comparison) rename(r *core.Resource) {
	s := c.opts.source(r)
	t := c.found.tables[s.relation(c.schema, s.Table)]
	if t == nil || s.readsElsewhere() || s.inOther(c.schema) {
		return
	}
	for _, cell := range cellsOfResource(r) {
		for _, was := range cell.was {
			if t.columns[was] == nil || t.columns[cell.name] != nil {
				continue
			}
			c.add(difference{
				phase: renameColumn, problem: fmt.Sprintf("%s: %s is called %q; Migrate renames it", cell.field, cell.columnOr("column"), was), additive: true,
				fix: "ALTER TABLE " + c.table(r) + " RENAME COLUMN " + pgsql.Name(was) + " TO " + pgsql.Name(cell.name),
			})
			c.found.rename(s.relation(c.schema, s.Table), was, cell.name)
		}
	}
}

// rename renames a column everywhere in the catalog.
func (c *catalog) rename(table relation, from, to string) {
	t := c.tables[table]
	col := t.columns[from]
	delete(t.columns, from)
	col.name, t.columns[to] = to, col
	for _, x := range t.indexes {
		x.renameColumn(from, to)
	}
	for _, k := range t.foreignKeys {
		replace(k.columns, from, to)
	}
	for _, other := range c.tables {
		for _, k := range other.foreignKeys {
			if k.target == table {
				replace(k.targetColumns, from, to)
			}
		}
	}
	for _, columns := range t.checks {
		replace(columns, from, to)
	}
}

// replace replaces a name in a list.
func replace(names []string, from, to string) {
	for i, name := range names {
		if name == from {
			names[i] = to
		}
	}
}

// addColumn adds a column. A constant default is a default of the column while it is added, which sets the existing
// rows without rewriting the table (manual, section 5.6.1). Afterwards only the model has the default, as in a new
// table.
func (c *comparison) addColumn(of cell) {
	f := of.field
	table := c.table(f.Resource())
	d := difference{
		phase: addColumn, problem: f.String() + ": " + of.columnOr("column") + " is missing", additive: true, added: &of,
		fix: "ALTER TABLE " + table + " ADD COLUMN " + of.columnSQL(),
	}
	c.commentColumn(of)
	v := of.elementOf(f.ConstantDefault())
	if f.Unique() || !v.IsSet() {
		c.add(d)
		return
	}
	d.fix += " DEFAULT " + of.literal(v)
	c.add(d)
	c.add(difference{
		phase: dropDefault, problem: f.String() + ": the default belongs to the model only", additive: true, optional: true,
		fix: "ALTER TABLE " + table + " ALTER COLUMN " + pgsql.Name(of.name) + " DROP DEFAULT",
	})
}

// elementOf returns the value of the cell in a value of its field.
func (c cell) elementOf(v core.Value) core.Value {
	if v.Type() != core.Tuple {
		return v
	}
	at := slices.IndexFunc(cellsOf(c.field), func(other cell) bool { return other.name == c.name })
	return v.Tuple()[at]
}

// literal returns a value as an SQL expression of the cell's type.
func (c cell) literal(v core.Value) string {
	text := v.String()
	if v.Type() == core.Bytes {
		text = `\x` + hex.EncodeToString([]byte(v.Text()))
	}
	return strings.TrimSpace(pgsql.String(text)) + "::" + c.sqlType()
}

// warnAboutRenames logs where a field may have been renamed without Was, and where a renamed field has columns under
// both names. It examines the catalog before the changes, and some rows.
func warnAboutRenames(ctx context.Context, tx pgx.Tx, found *catalog, schema string, m *core.Model, differences []difference, opts Options) error {
	for _, r := range m.Stored() {
		source := opts.source(r)
		t := found.tables[source.relation(schema, source.Table)]
		fields := added(r, differences)
		if t == nil || source.readsElsewhere() || len(fields) == 0 && !t.hasFormerColumn(r) {
			continue
		}
		held, err := columnsWithData(ctx, tx, source.from(schema), t.unmodelled(r))
		if err != nil {
			return err
		}
		for _, text := range renameWarnings(r, fields, held) {
			opts.logger().Warn("postgres: " + text)
		}
	}
	return nil
}

// added returns the names of the fields of a resource for which columns are added.
func added(r *core.Resource, differences []difference) (names []string) {
	for _, d := range differences {
		if d.added != nil && d.added.field.Resource() == r {
			names = append(names, d.added.name)
		}
	}
	return names
}

// hasFormerColumn reports whether the table has a column with the former name of a field.
func (t *catalogTable) hasFormerColumn(r *core.Resource) bool {
	return slices.ContainsFunc(cellsOfResource(r), func(c cell) bool {
		return slices.ContainsFunc(c.was, func(name string) bool { return t.columns[name] != nil })
	})
}

// renameWarnings returns warnings about columns that have data but are not in the model.
func renameWarnings(r *core.Resource, added, held []string) (texts []string) {
	for _, c := range cellsOfResource(r) {
		for _, was := range c.was {
			if slices.Contains(held, was) {
				texts = append(texts, fmt.Sprintf("%s: the table has the columns %q and %q, the present and the former name of the field; "+
					"copy the values and drop the older column", c.field, c.name, was))
			}
		}
	}
	if len(texts) == 0 && len(added) > 0 && len(held) > 0 {
		texts = append(texts, fmt.Sprintf("%s: columns were added (%s), and columns outside the model have data (%s); "+
			"if a field was renamed, set its former name, such as Was: %q", r, strings.Join(added, ", "), strings.Join(held, ", "), held[0]))
	}
	return texts
}

// unmodelled returns the columns without a field, except generated columns, in the order of the table.
func (t *catalogTable) unmodelled(r *core.Resource) (names []string) {
	modelled := columnNames(cellsOfResource(r))
	for _, num := range slices.Sorted(maps.Keys(t.byNum)) {
		col := t.byNum[num]
		if !col.generated && !slices.Contains(modelled, col.name) {
			names = append(names, col.name)
		}
	}
	return names
}

// columnsWithData returns the columns that are not null in at least one of the first 1,000 rows.
func columnsWithData(ctx context.Context, tx pgx.Tx, table string, columns []string) (held []string, err error) {
	const rows = 1000
	for _, name := range columns {
		var holds bool
		sql := fmt.Sprintf("SELECT EXISTS (SELECT FROM (SELECT t.%s AS c FROM %s AS t LIMIT %d) AS s WHERE s.c IS NOT NULL)", pgsql.Name(name), table, rows)
		if err := tx.QueryRow(ctx, sql, pgx.QueryExecModeExec).Scan(&holds); err != nil {
			return nil, err
		}
		if holds {
			held = append(held, name)
		}
	}
	return held, nil
}
