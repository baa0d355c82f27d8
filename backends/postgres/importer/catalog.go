package importer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// catalog is the content of schemas.
type catalog struct {
	schemas []string // the first is that of the result
	tables  []*table // ordered by the name of the resource
}

// table is a table, view or foreign table.
type table struct {
	tableRow
	schema   string    // "" for the schema of the result
	resource string    // name of the resource
	columns  []*column // ordered by position
	indexes  []index   // ordered by name
	foreign  []foreignKey
	checks   []check

	namedKey []string // of Options.Keys
}

// tableRow is a row of the answer to tablesSQL.
type tableRow struct {
	OID       uint32
	Name      string
	Kind      string // pg_class.relkind
	Partition bool
	Parent    string // name of the partitioned table in another schema
	ParentIn  string // that schema
	Heirs     bool   // other tables inherit from this one
	Comment   string
	Fills     bool // a trigger may set columns of new rows
}

// column is a row of the answer to columnsSQL.
type column struct {
	Table     uint32
	Num       int16
	Name      string
	Declared  string // the declared type, with modifiers
	Base      string // the type without modifiers; for a domain, the base type
	Type      string // pg_type.typname of the base
	Kind      string // pg_type.typtype of the base
	Builtin   bool   // the base type is in pg_catalog
	Array     bool
	Element   string // pg_type.typname of an array's element
	ElemKind  string // pg_type.typtype of an array's element
	NotNull   bool
	Identity  string // pg_attribute.attidentity
	Generated bool
	Default   string // expression; "" without a default
	// ByCodePoint reports whether the collation sorts by code point. It is true for types without a collation.
	ByCodePoint bool
	Scale       *int // of a numeric
	Comment     string
	RefusesNull bool     // NOT NULL of the column or a domain
	Size        int      // n of varchar(n), otherwise 0
	Labels      []string // of an enumeration
}

// check is a row of the answer to checksSQL.
type check struct {
	Table      uint32
	Name       string // "" for a check of a domain
	Columns    []string
	Expression string
}

// index is a row of the answer to indexesSQL.
type index struct {
	Table      uint32
	Name       string
	Method     string
	Primary    bool
	Unique     bool
	Immediate  bool // not deferrable
	Partial    bool
	Condition  string  // of a partial index
	Options    []int16 // pg_index.indoption, by column
	Expression bool
	NullsEqual bool     // NULLS NOT DISTINCT
	Columns    []string // names; the SQL text of an expression
}

// foreignKey is a row of the answer to foreignKeysSQL.
type foreignKey struct {
	Table         uint32
	Name          string
	Columns       []string
	TargetSchema  string
	Target        string
	TargetColumns []string
	OnDelete      string   // pg_constraint.confdeltype
	SetColumns    []string // of SET NULL (...) and SET DEFAULT (...)
	MatchFull     bool
	Valid         bool
	Enforced      bool
	Period        bool // of PostgreSQL 18: the last column is a range that the ranges of the target contain
}

// readCatalog reads schemas in the caller's transaction.
func readCatalog(ctx context.Context, tx pgx.Tx, schemas []string) (*catalog, error) {
	if _, err := tx.Exec(ctx, settingsSQL); err != nil {
		return nil, err
	}
	c := &catalog{schemas: schemas}
	for i, schema := range schemas {
		tables, err := readSchema(ctx, tx, schema)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			if t.resource = t.Name; i > 0 {
				t.schema, t.resource = schema, c.freeName(schema+"_"+t.Name)
			}
			c.tables = append(c.tables, t)
		}
	}
	slices.SortStableFunc(c.tables, func(a, b *table) int { return strings.Compare(a.resource, b.resource) })
	return c, nil
}

// freeName returns a name for a resource that no other one has: the name itself, or with a number.
func (c *catalog) freeName(name string) string {
	free := name
	for i := 2; slices.ContainsFunc(c.tables, func(t *table) bool { return t.resource == free }); i++ {
		free = name + "_" + strconv.Itoa(i)
	}
	return free
}

// readSchema returns the tables of a schema, ordered by name.
func readSchema(ctx context.Context, tx pgx.Tx, schema string) (all []*table, err error) {
	var exists bool
	if err := tx.QueryRow(ctx, schemaSQL, pgx.QueryExecModeExec, schema).Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, fmt.Errorf("the database has no schema %q", schema)
	}
	tables, err := queryRows[tableRow](ctx, tx, tablesSQL, schema)
	if err != nil {
		return nil, err
	}
	columns, err := queryRows[column](ctx, tx, columnsSQL, schema)
	if err != nil {
		return nil, err
	}
	indexes, err := queryRows[index](ctx, tx, indexesSQL, schema)
	if err != nil {
		return nil, err
	}
	foreign, err := queryRows[foreignKey](ctx, tx, foreignKeysSQL, schema)
	if err != nil {
		return nil, err
	}
	checks, err := queryRows[check](ctx, tx, checksSQL, schema)
	if err != nil {
		return nil, err
	}
	byOID := make(map[uint32]*table)
	for _, row := range tables {
		t := &table{tableRow: row}
		all, byOID[row.OID] = append(all, t), t
	}
	for i := range columns {
		t := byOID[columns[i].Table]
		t.columns = append(t.columns, &columns[i])
	}
	for _, x := range indexes {
		t := byOID[x.Table]
		t.indexes = append(t.indexes, x)
	}
	for _, k := range foreign {
		t := byOID[k.Table]
		t.foreign = append(t.foreign, k)
	}
	for _, k := range checks {
		if t := byOID[k.Table]; t != nil {
			t.checks = append(t.checks, k)
		}
	}
	return all, nil
}

// queryRows executes a query without a prepared statement, so that it works through every pooler.
func queryRows[T any](ctx context.Context, tx pgx.Tx, sql, schema string) ([]T, error) {
	rows, err := tx.Query(ctx, sql, pgx.QueryExecModeExec, schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// column returns the column of that name; nil if there is none.
func (t *table) column(name string) *column {
	i := slices.IndexFunc(t.columns, func(c *column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return t.columns[i]
}

// primary returns the columns of the primary key.
func (t *table) primary() []string {
	for _, x := range t.indexes {
		if x.Primary {
			return x.Columns
		}
	}
	return nil
}
