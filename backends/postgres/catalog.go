package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// catalog has the objects of a schema that concern a model.
type catalog struct {
	exists        bool
	encoding      string // of the database
	isolation     string // default_transaction_isolation of the connection
	standby       bool   // read from a standby, which may lag
	hasDeferrable bool   // some schema of the database has constraints that are DEFERRABLE INITIALLY IMMEDIATE
	citus         bool   // the database has the extension Citus
	coordinator   bool   // with Citus: the connection leads to the coordinator
	tables        map[relation]*catalogTable
	queries       map[string]*catalogTable // Source.Query, by resource
	partitions    partitions
	shards        shards
}

// relation names a table or view.
type relation struct{ schema, name string }

// from returns the name as SQL spells it.
func (r relation) from() string { return pgsql.Name(r.schema) + "." + pgsql.Name(r.name) }

// catalogTable is a table, view, foreign table or query.
type catalogTable struct {
	kind        string // pg_class.relkind
	columns     map[string]*catalogColumn
	byNum       map[int16]*catalogColumn
	indexes     []catalogIndex
	foreignKeys []catalogForeignKey
	checks      map[string][]string // columns, by constraint
	rules       map[string]string   // comments of the constraints of rules
	rowSecurity bool                // policies of row security apply to the role

	distribution *distribution // by Citus; nil for an ordinary table
}

// catalogColumn is a column of a table, view, foreign table or query.
type catalogColumn struct {
	name            string
	num             int16
	typeName        string // pg_type.typname of the base type; "" if the type is not built in
	kind            string // pg_type.typtype of the base type
	element         string // pg_type.typtype of the elements of an array; "" for other types
	base            string // base type as SQL names it, without modifiers
	declared        string // declared type as SQL names it, with modifiers
	domain          bool
	display         string // declared type in messages
	scale           *int32 // s of numeric(p, s)
	size            int32  // n of varchar(n), char(n), bit(n) and varbit(n), otherwise 0
	notNull         bool   // rejects nulls
	hasNulls        bool   // may contain nulls; NOT NULL NOT VALID keeps the existing ones
	identity        string // pg_attribute.attidentity
	generated       bool
	generatedFrom   []int16 // numbers of the columns in the generation expression
	mayFail         bool    // computed by an expression on reading, which may fail
	defaultExpr     string  // default expression; "" without a default
	varies          bool    // the default may differ from row to row
	sequence        string  // qualified and quoted, of an identity or a default that is only nextval
	sequenceStep    int64
	sequenceLow     int64    // MINVALUE
	sequenceLimit   int64    // MAXVALUE
	sequenceLast    int64    // last value; 0 if it is unknown or the sequence is unused
	sequenceMissing []string // privileges that the role lacks
	byCodePoint     bool     // the collation sorts by code point
	deterministic   bool     // the collation distinguishes all different strings
	collation       string   // qualified and quoted; "" for a type without collations
}

// catalogIndex is an index on plain columns.
type catalogIndex struct {
	name      string
	unique    bool     // unique, or an exclusion constraint that compares all columns by equality
	immediate bool     // checked with every row, not deferrable
	columns   []string // key columns, in order
	options   []int16  // pg_index.indoption, by column
	condition string   // of a partial index, as the server spells it; "" for all rows
	// comparisons are the parts of the condition; nil if the condition has another form.
	comparisons []pgsql.Comparison
}

// directedColumns returns the columns as DDL spells them, without quotes.
func (x catalogIndex) directedColumns() []string {
	columns := slices.Clone(x.columns)
	for i, option := range x.options {
		if option != pgsql.Ascending {
			columns[i] += " DESC"
		}
	}
	return columns
}

// fits reports whether the index enforces a unique index of the model, or serves another one. The columns of a unique index
// may have any order.
func (x catalogIndex) fits(want *core.Index, r *core.Resource) bool {
	order := indexedColumns(want)
	switch {
	case want.Unique && (!x.unique || len(x.columns) != len(order)), len(x.columns) < len(order):
		return false
	}
	for i, o := range order {
		at := i
		if want.Unique {
			at = slices.Index(x.columns, o.name)
		}
		if at < 0 || x.columns[at] != o.name || !want.Unique && x.options[at] != o.option() {
			return false
		}
	}
	return x.hasCondition(want.Where, r)
}

// indexed is a column of an index with its direction.
type indexed struct {
	name string
	desc bool
}

// indexedColumns returns the columns of an index of the model, each once.
func indexedColumns(x *core.Index) (columns []indexed) {
	for _, o := range x.Order() {
		for _, c := range cellsOf(o.Field) {
			if !slices.ContainsFunc(columns, func(other indexed) bool { return other.name == c.name }) {
				columns = append(columns, indexed{c.name, o.Desc})
			}
		}
	}
	return columns
}

// option returns pg_index.indoption of the column.
func (x indexed) option() int16 {
	if x.desc {
		return pgsql.Descending
	}
	return pgsql.Ascending
}

// hasCondition reports whether the condition of the index is the given one.
func (x catalogIndex) hasCondition(where core.Filter, r *core.Resource) bool {
	var found []string
	for _, c := range x.comparisons {
		if len(c.Values) == 0 {
			found = append(found, nullTest(c.Column, c.Kind))
			continue
		}
		f := r.Field(c.Column)
		if f == nil {
			return false
		}
		filter, ok := c.Filter(f.Type())
		if !ok {
			return false
		}
		bound, err := r.Bind(filter)
		if err != nil {
			return false
		}
		found = append(found, bound.String())
	}
	var want []string
	for _, part := range comparisonsOf(where) {
		cells := cellsOf(part.Field())
		if part.Values()[0].IsNull() {
			for _, c := range cells {
				want = append(want, nullTest(c.name, part.Kind()))
			}
			continue
		}
		want = append(want, cells[0].field.Compare(part.Kind(), part.Values()...).String())
	}
	slices.Sort(found)
	slices.Sort(want)
	return (x.condition == "") == (where.Kind() == core.FilterAll) && slices.Equal(found, want)
}

// nullTest describes a comparison of a column with null.
func nullTest(column string, kind core.FilterKind) string {
	return fmt.Sprintf("%q %v null", column, kind)
}

// renameColumn replaces the name of a column.
func (x catalogIndex) renameColumn(from, to string) {
	for i, name := range x.columns {
		if name == from {
			x.columns[i] = to
		}
	}
	for i, c := range x.comparisons {
		if c.Column == from {
			x.comparisons[i].Column = to
		}
	}
}

// catalogForeignKey is an enforced foreign key.
type catalogForeignKey struct {
	name            string
	columns         []string
	target          relation
	targetColumns   []string // by the positions of columns
	immediate       bool     // checked with every statement
	hasDeleteAction bool     // ON DELETE CASCADE, SET NULL or SET DEFAULT
	full            bool     // MATCH FULL: all of the columns are null, or none
}

// columnsAre reports whether the foreign key leads from the columns of a to-one relation to those of the key of its target.
func (k catalogForeignKey) columnsAre(f *core.Field) bool {
	from, to := cellsOf(f), cellsOf(f.Target().Key())
	if len(from) != len(k.columns) {
		return false
	}
	for i, c := range from {
		at := slices.Index(k.columns, c.name)
		if at < 0 || k.targetColumns[at] != to[i].name {
			return false
		}
	}
	return true
}

// readCatalog reads the catalog of schemas in one round trip, with Citus in two. The first schema is that of the backend. It
// needs no privilege on the tables.
func readCatalog(ctx context.Context, c *pgx.Conn, schemas []string) (*catalog, error) {
	found := &catalog{tables: make(map[relation]*catalogTable), partitions: make(partitions)}
	batch := &pgx.Batch{}
	batch.Queue(settingsQuery, schemas[0]).QueryRow(func(row pgx.Row) error {
		return row.Scan(&found.exists, &found.encoding, &found.isolation, &found.standby, &found.hasDeferrable, &found.citus)
	})
	batch.Queue(columnsQuery, schemas).Query(found.readColumns)
	batch.Queue(indexesQuery, schemas).Query(found.readIndexes)
	batch.Queue(foreignKeysQuery, schemas).Query(found.readForeignKeys)
	batch.Queue(checksQuery, schemas).Query(found.readChecks)
	batch.Queue(rowSecurityQuery, schemas).Query(found.readRowSecurity)
	batch.Queue(partitionsQuery, schemas).Query(found.partitions.read)
	err := c.SendBatch(ctx, batch).Close()
	if err == nil && found.citus {
		err = found.readCitus(ctx, c, schemas)
	}
	return found, err
}

func (c *catalog) readColumns(rows pgx.Rows) error {
	var name relation
	var kind, generated string
	for rows.Next() {
		col := &catalogColumn{}
		err := rows.Scan(&name.schema, &name.name, &kind, &col.name, &col.num, &col.typeName, &col.kind, &col.element, &col.base,
			&col.declared, &col.domain, &col.display, &col.size, &col.scale, &col.notNull, &col.hasNulls,
			&col.identity, &generated, &col.generatedFrom, &col.defaultExpr, &col.varies,
			&col.sequence, &col.sequenceStep, &col.sequenceLow, &col.sequenceLimit, &col.sequenceLast, &col.sequenceMissing,
			&col.byCodePoint, &col.deterministic, &col.collation)
		if err != nil {
			return err
		}
		t := c.tables[name]
		if t == nil {
			t = &catalogTable{
				kind: kind, columns: make(map[string]*catalogColumn), byNum: make(map[int16]*catalogColumn),
				checks: make(map[string][]string), rules: make(map[string]string),
			}
			c.tables[name] = t
		}
		col.generated, col.mayFail = generated != "", mayFailToRead(kind, generated)
		t.columns[col.name], t.byNum[col.num] = col, col
	}
	return rows.Err()
}

func (c *catalog) readIndexes(rows pgx.Rows) error {
	var table relation
	for rows.Next() {
		var index catalogIndex
		var columns []int16
		if err := rows.Scan(&table.schema, &table.name, &index.name, &index.unique, &index.immediate, &columns, &index.options, &index.condition); err != nil {
			return err
		}
		t := c.tables[table]
		if t == nil {
			continue
		}
		for _, num := range columns {
			index.columns = append(index.columns, t.byNum[num].name)
		}
		index.comparisons, _ = pgsql.ParseCondition(index.condition)
		t.indexes = append(t.indexes, index)
	}
	return rows.Err()
}

func (c *catalog) readForeignKeys(rows pgx.Rows) error {
	var table relation
	for rows.Next() {
		var key catalogForeignKey
		if err := rows.Scan(&table.schema, &table.name, &key.name, &key.columns, &key.target.schema, &key.target.name, &key.targetColumns, &key.immediate, &key.hasDeleteAction, &key.full); err != nil {
			return err
		}
		if t := c.tables[table]; t != nil {
			t.foreignKeys = append(t.foreignKeys, key)
		}
	}
	return rows.Err()
}

func (c *catalog) readChecks(rows pgx.Rows) error {
	var table relation
	var name string
	for rows.Next() {
		var columns []string
		var comment string
		if err := rows.Scan(&table.schema, &table.name, &name, &columns, &comment); err != nil {
			return err
		}
		if t := c.tables[table]; t != nil {
			t.checks[name] = columns
			if strings.HasPrefix(name, "larder_") {
				t.rules[name] = comment
			}
		}
	}
	return rows.Err()
}

func (c *catalog) readRowSecurity(rows pgx.Rows) error {
	var table relation
	for rows.Next() {
		if err := rows.Scan(&table.schema, &table.name); err != nil {
			return err
		}
		if t := c.tables[table]; t != nil {
			t.rowSecurity = true
		}
	}
	return rows.Err()
}

// readFrom returns the relation that a resource is read from; nil if it does not exist.
func (c *catalog) readFrom(schema string, r *core.Resource, s Source) *catalogTable {
	switch {
	case s.Query != "":
		return c.queries[r.Name()]
	case s.View != "":
		return c.tables[s.relation(schema, s.View)]
	}
	return c.tables[s.relation(schema, s.Table)]
}

// sameColumns reports whether two lists without duplicates have the same names, in any order.
func sameColumns(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(name string) bool { return !slices.Contains(b, name) })
}

// hasIndex reports whether an index on all rows begins with the columns, in any order.
func (t *catalogTable) hasIndex(columns []string) bool {
	return slices.ContainsFunc(t.indexes, func(x catalogIndex) bool {
		return x.condition == "" && len(x.columns) >= len(columns) && sameColumns(x.columns[:len(columns)], columns)
	})
}

// hasUnique reports whether an index on all rows makes the values of the columns unique; with immediate, only an index that
// is not deferrable counts.
func (t *catalogTable) hasUnique(columns []string, immediate bool) bool {
	return slices.ContainsFunc(t.indexes, func(x catalogIndex) bool {
		return x.unique && x.condition == "" && (x.immediate || !immediate) && sameColumns(x.columns, columns)
	})
}

// hasForeignKey reports whether a foreign key enforces the to-one relation.
func (t *catalogTable) hasForeignKey(f *core.Field, target relation) bool {
	return slices.ContainsFunc(t.foreignKeys, func(k catalogForeignKey) bool { return k.target == target && k.columnsAre(f) })
}

// objectName names a constraint or an index of a table; with an empty name, the table.
type objectName struct{ schema, table, name string }

// partitions maps objects of partitions to the objects of the partitioned table, with its schema. Errors of the server
// name the partition of the row, and the index or foreign key of that partition.
type partitions map[objectName]relation

const partitionsQuery = `
WITH RECURSIVE part (oid, schema, root) AS (
  SELECT c.oid, n.nspname, c.relname
  FROM (
    SELECT t.oid FROM pg_class t WHERE t.oid` + inSchemas + `
    UNION ALL
    SELECT x.indexrelid FROM pg_index x WHERE x.indrelid` + inSchemas + `
  ) AS own
  JOIN pg_class c ON c.oid = own.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('p', 'I') AND NOT c.relispartition
  UNION ALL
  SELECT i.inhrelid, part.schema, part.root FROM part JOIN pg_inherits i ON i.inhparent = part.oid
), reference (oid, schema, root) AS (
  SELECT k.oid, n.nspname, k.conname
  FROM pg_constraint k
  JOIN pg_namespace n ON n.oid = k.connamespace
  WHERE k.conrelid` + inSchemas + ` AND k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT k.oid, reference.schema, reference.root FROM reference JOIN pg_constraint k ON k.conparentid = reference.oid
)
SELECT n.nspname::text, t.relname::text, CASE WHEN x.indexrelid IS NULL THEN '' ELSE c.relname::text END, part.schema::text, part.root::text
FROM part
JOIN pg_class c ON c.oid = part.oid AND c.relispartition
LEFT JOIN pg_index x ON x.indexrelid = c.oid
JOIN pg_class t ON t.oid = coalesce(x.indrelid, c.oid)
JOIN pg_namespace n ON n.oid = t.relnamespace
UNION ALL
SELECT n.nspname::text, t.relname::text, k.conname::text, reference.schema::text, reference.root::text
FROM reference
JOIN pg_constraint k ON k.oid = reference.oid AND k.conparentid <> 0
JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace`

func (p partitions) read(rows pgx.Rows) error {
	var part objectName
	var whole relation
	for rows.Next() {
		if err := rows.Scan(&part.schema, &part.table, &part.name, &whole.schema, &whole.name); err != nil {
			return err
		}
		p[part] = whole
	}
	return rows.Err()
}

// toRoot returns the error with the names of the partitioned table.
func (p partitions) toRoot(err *pgconn.PgError) *pgconn.PgError {
	table, parted := p[objectName{err.SchemaName, err.TableName, ""}]
	name, inherited := p[objectName{err.SchemaName, err.TableName, err.ConstraintName}]
	if !parted && !inherited {
		return err
	}
	whole := *err
	if parted {
		whole.SchemaName, whole.TableName = table.schema, table.name
	}
	if inherited && err.ConstraintName != "" {
		whole.ConstraintName = name.name
	}
	return &whole
}

// describeSources finds the columns of the queries of Options.Resources without executing the queries, and the columns
// of views that come from a table unchanged.
func (c *catalog) describeSources(ctx context.Context, conn *pgx.Conn, schema string, m *core.Model, opts Options) error {
	c.queries = make(map[string]*catalogTable)
	for _, r := range m.Stored() {
		source := opts.source(r)
		for _, view := range []string{source.View, source.Table} {
			if err := c.describeView(ctx, conn, source.relation(schema, view)); err != nil {
				return err
			}
		}
		query := source.Query
		if query == "" {
			continue
		}
		found, err := describeQuery(ctx, conn, query)
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && !isTransient(server.Code) || errors.Is(err, errNotOneQuery) {
			return &mismatchError{fmt.Errorf(
				"postgres: %s: the query must be one SELECT without parameters and with different names of columns: %w", r.Name(), err)}
		}
		if err != nil {
			return err
		}
		c.queries[r.Name()] = found
	}
	return nil
}

var errNotOneQuery = errors.New("unsuitable query")

// describeQuery returns the columns of a query. It prepares the query twice: alone, which shows that it is one complete
// statement, and as a subquery, which shows that it is a SELECT.
func describeQuery(ctx context.Context, conn *pgx.Conn, query string) (*catalogTable, error) {
	alone, err := conn.PgConn().Prepare(ctx, "", query, nil)
	if err != nil {
		return nil, err
	}
	from := Source{Query: query}.from("")
	enclosed, err := conn.PgConn().Prepare(ctx, "", "SELECT * FROM "+from+" AS t", nil)
	if err != nil {
		return nil, err
	}
	if len(alone.ParamOIDs) > 0 {
		return nil, fmt.Errorf("%w: it has parameters", errNotOneQuery)
	}
	var names []string
	var types, collations []int64
	var modifiers []int32
	known := make(map[string]bool)
	for _, f := range enclosed.Fields {
		if known[f.Name] {
			return nil, fmt.Errorf("%w: two columns have the name %q", errNotOneQuery, f.Name)
		}
		known[f.Name] = true
		collation, err := collationOf(ctx, conn, from, f)
		if err != nil {
			return nil, err
		}
		names, types = append(names, f.Name), append(types, int64(f.DataTypeOID))
		modifiers, collations = append(modifiers, f.TypeModifier), append(collations, collation)
	}
	found := &catalog{tables: make(map[relation]*catalogTable)}
	batch := &pgx.Batch{}
	batch.Queue(describedQuery, names, types, modifiers, collations).Query(found.readColumns)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	return found.tables[relation{}], found.tables[relation{}].markStoredColumns(ctx, conn, enclosed.Fields)
}

// collationOf returns the collation of a column of a query; 0 for types without collations.
func collationOf(ctx context.Context, conn *pgx.Conn, from string, f pgconn.FieldDescription) (oid int64, err error) {
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		err = conn.QueryRow(ctx, "SELECT coalesce(pg_collation_for((SELECT t."+pgsql.Name(f.Name)+" FROM "+from+" AS t LIMIT 0))::regcollation::oid::bigint, 0)").Scan(&oid)
	}
	return oid, err
}

// mayFailToRead reports whether the server computes a column by an expression when the column is read, and the
// expression may fail. The parameters are pg_class.relkind of the relation and pg_attribute.attgenerated. Columns of
// views and foreign tables and virtual generated columns (since version 18) are computed. A view's column that is a
// plain column of a table cannot fail; [catalogTable.markStoredColumns] finds these. [builder.comparison] needs to
// know.
func mayFailToRead(relkind, attgenerated string) bool {
	return relkind == "v" || relkind == "f" || attgenerated == "v"
}

// describeView finds the columns of a view that come from a table unchanged. If the server cannot prepare the
// definition of the view, all columns count as computed.
func (c *catalog) describeView(ctx context.Context, conn *pgx.Conn, view relation) error {
	t := c.tables[view]
	if t == nil || t.kind != "v" {
		return nil
	}
	var definition string
	err := conn.QueryRow(ctx, "SELECT coalesce(pg_get_viewdef(to_regclass($1::text)), '')", view.from()).Scan(&definition)
	if err != nil {
		return err
	}
	described, err := conn.PgConn().Prepare(ctx, "", definition, nil)
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	if len(described.Fields) != len(t.columns) {
		return nil
	}
	return t.markStoredColumns(ctx, conn, described.Fields)
}

// markStoredColumns marks the columns of a described query that are stored columns of tables or materialized views.
func (t *catalogTable) markStoredColumns(ctx context.Context, conn *pgx.Conn, fields []pgconn.FieldDescription) error {
	tables, places := make([]int64, len(fields)), make([]int16, len(fields))
	for i, f := range fields {
		tables[i], places[i] = int64(f.TableOID), int16(f.TableAttributeNumber) //nolint:gosec // a number of a column
	}
	rows, err := conn.Query(ctx, storedColumnsQuery, tables, places)
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	for _, i := range stored {
		if c := t.columns[fields[i-1].Name]; c != nil {
			c.mayFail = false
		}
	}
	return err
}

// storedColumnsQuery takes the table OIDs and numbers of columns, and returns the positions of the stored ones.
const storedColumnsQuery = `
SELECT f.place
FROM unnest($1::bigint[], $2::smallint[]) WITH ORDINALITY AS f (oid, num, place)
JOIN pg_class c ON c.oid = f.oid::oid AND c.relkind IN ('r', 'p', 'm')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.num AND a.attgenerated <> 'v'`
