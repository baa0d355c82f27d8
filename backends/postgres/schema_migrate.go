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

// migrationLock is the advisory lock that migrations hold (manual, section
// 13.3.5), so that two processes that start at once do not both create a table.
const migrationLock = 0x6c61726465720001

// Migrate creates what the schema lacks of what the model needs: the schema itself,
// tables, columns, constraints and indexes, in one transaction, all or nothing.
// It never drops or changes anything, but for the names of columns whose fields say what
// they were called before ([core.FieldSpec.Was]). If more would be needed it does nothing
// at all, and the error names every difference and the statement that a person should
// review, where one statement would do.
//
// A column that is added has the field's default in all rows that are there, if it is a
// constant and the field not Unique, and null otherwise. Where the table has data in
// columns that the model does not name, the log says so ([Options.Logger]), because
// the field may have been renamed; one that must not be null and has no default is an
// error.
//
// Creating an index or a constraint locks out those who write to the table. For
// tables that are large and in use, and for every other change, use a migration
// tool, such as goose.
//
// Errors: one that names what it refuses; [core.Unavailable]; the server's, such as
// one that a unique constraint cannot be added because values are not unique.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string, m *core.Model) error {
	return New(pool, schema, Options{}).migrate(ctx, m)
}

func (b *Backend) migrate(ctx context.Context, m *core.Model) error {
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// Not serializable: what was committed while waiting for the lock must show.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", int64(migrationLock))); err != nil {
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
	found, err := readCatalog(ctx, tx.Conn(), schema)
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
		if _, err := tx.Exec(ctx, d.fix); err != nil {
			return fmt.Errorf("postgres: %s: %s: %w", d.problem, d.fix, err)
		}
	}
	return nil
}

// refuse returns an error if any of the differences takes more than adding
// something.
func unsafeError(schema string, differences []difference) error {
	var lines []string
	for _, d := range differences {
		switch {
		case d.additive:
		case d.fix == "":
			lines = append(lines, "\t"+d.problem)
		default:
			lines = append(lines, "\t"+d.problem+"; to review: "+d.fix)
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(fmt.Sprintf("postgres: schema %q needs changes that are not made automatically:\n", schema) + strings.Join(lines, "\n"))
}

// rename finds the columns that have the name that a field had before. What follows
// compares the tables as they are when the columns are renamed.
func (c *comparison) rename(r *core.Resource) {
	s := c.opts.source(r)
	t := c.found.tables[s.Table]
	if t == nil || s.readsElsewhere() {
		return
	}
	for _, f := range r.Columns() {
		if t.columns[f.Was()] == nil || t.columns[f.Name()] != nil {
			continue
		}
		c.add(difference{
			phase: renameColumn, problem: fmt.Sprintf("%s: column is called %q; Migrate renames it", f, f.Was()), additive: true,
			fix: "ALTER TABLE " + c.table(r) + " RENAME COLUMN " + pgsql.Name(f.Was()) + " TO " + pgsql.Name(f.Name()),
		})
		c.found.rename(c.schema, s.Table, f.Was(), f.Name())
	}
}

// rename gives a column another name wherever the catalog has it.
func (c *catalog) rename(schema, table, from, to string) {
	t := c.tables[table]
	col := t.columns[from]
	delete(t.columns, from)
	col.name, t.columns[to] = to, col
	for _, x := range t.indexes {
		for i, name := range x.columns {
			if name == from {
				x.columns[i] = to
			}
		}
	}
	for i := range t.foreignKeys {
		if t.foreignKeys[i].column == from {
			t.foreignKeys[i].column = to
		}
	}
	for _, other := range c.tables {
		for i, k := range other.foreignKeys {
			if k.targetSchema == schema && k.target == table && k.targetColumn == from {
				other.foreignKeys[i].targetColumn = to
			}
		}
	}
	for _, columns := range t.checks {
		for i, column := range columns {
			if column == from {
				columns[i] = to
			}
		}
	}
}

// addColumn adds a column, and puts a constant default into the rows that are there,
// which takes no rewriting of the table (manual, section 5.6.1). As in a new table, the
// default then is the model's alone.
func (c *comparison) addColumn(f *core.Field) {
	table := c.table(f.Resource())
	d := difference{
		phase: addColumn, problem: f.String() + ": column is missing", additive: true, added: f,
		fix: "ALTER TABLE " + table + " ADD COLUMN " + columnSQL(f),
	}
	v := f.ConstantDefault()
	if f.Unique() || !v.IsSet() {
		c.add(d)
		return
	}
	d.fix += " DEFAULT " + literal(f, v)
	c.add(d)
	c.add(difference{
		phase: dropDefault, problem: f.String() + ": the default is the model's", additive: true, optional: true,
		fix: "ALTER TABLE " + table + " ALTER COLUMN " + pgsql.Name(f.Name()) + " DROP DEFAULT",
	})
}

// literal spells a value as SQL does.
func literal(f *core.Field, v core.Value) string {
	text := v.String()
	if v.Type() == core.Bytes {
		text = `\x` + hex.EncodeToString([]byte(v.Text()))
	}
	return strings.TrimSpace(pgsql.String(text)) + "::" + sqlType(f)
}

// warnOfRenames logs where a field may have been renamed without saying so, and where
// one that says so is there under both names. It looks at the tables as they are before
// anything is added, and at some of their rows.
func warnAboutRenames(ctx context.Context, tx pgx.Tx, found *catalog, schema string, m *core.Model, differences []difference, opts Options) error {
	for _, r := range m.Resources() {
		source := opts.source(r)
		t := found.tables[source.Table]
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

// added returns the fields of the resource whose columns are added to its table.
func added(r *core.Resource, differences []difference) (names []string) {
	for _, d := range differences {
		if d.added != nil && d.added.Resource() == r {
			names = append(names, d.added.Name())
		}
	}
	return names
}

// hasFormer reports whether a column still has the name that a field had before.
func (t *catalogTable) hasFormerColumn(r *core.Resource) bool {
	return slices.ContainsFunc(r.Columns(), func(f *core.Field) bool { return t.columns[f.Was()] != nil })
}

// leftBehind says what a person should look at in a table that has data in columns
// that the model does not name.
func renameWarnings(r *core.Resource, added, held []string) (texts []string) {
	for _, f := range r.Columns() {
		if slices.Contains(held, f.Was()) {
			texts = append(texts, fmt.Sprintf("%s: the table has the columns %q and %q, and the field is called %[2]s now and %[3]s before; "+
				"copy the values and drop the older column", f, f.Name(), f.Was()))
		}
	}
	if len(texts) == 0 && len(added) > 0 && len(held) > 0 {
		texts = append(texts, fmt.Sprintf("%s: columns were added (%s), and the table has data in columns that the model does not name (%s); "+
			"let a renamed field say what it was, such as Was: %q", r, strings.Join(added, ", "), strings.Join(held, ", "), held[0]))
	}
	return texts
}

// unnamed returns the columns that are no fields of the resource and that hold what
// somebody has written, in their order.
func (t *catalogTable) unmodelled(r *core.Resource) (names []string) {
	for _, num := range slices.Sorted(maps.Keys(t.byNum)) {
		col := t.byNum[num]
		if f := r.Field(col.name); !col.generated && (f == nil || !f.Stored()) {
			names = append(names, col.name)
		}
	}
	return names
}

// holdingData returns those of the columns that are not null in one of the first rows.
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
