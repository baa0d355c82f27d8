package importer

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// catalog is the content of a schema.
type catalog struct {
	schema string
	tables []*table // ordered by name
}

// table is a table, view or foreign table.
type table struct {
	tableRow
	columns []*column // ordered by position
	indexes []index   // ordered by name
	foreign []foreignKey
	checks  []check

	namedKey []string // of Options.Keys
}

// tableRow is a row of the answer to tablesSQL.
type tableRow struct {
	OID       uint32
	Name      string
	Kind      string // pg_class.relkind
	Partition bool
	Parent    string // qualified name of the partitioned table, if it is in another schema
	Heirs     bool   // other tables inherit from this one
	Comment   string
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

// singleColumn returns the column of an index on one column and all rows; "" for other indexes.
func (x index) singleColumn() string {
	if x.Partial || x.Expression || len(x.Columns) != 1 {
		return ""
	}
	return x.Columns[0]
}

// foreignKey is a row of the answer to foreignKeysSQL.
type foreignKey struct {
	Table         uint32
	Name          string
	Columns       []string
	TargetSchema  string
	Target        string
	TargetColumns []string
	OnDelete      string // pg_constraint.confdeltype
	Valid         bool
	Enforced      bool
}

// readCatalog reads a schema in the caller's transaction.
func readCatalog(ctx context.Context, tx pgx.Tx, schema string) (*catalog, error) {
	if _, err := tx.Exec(ctx, settingsSQL); err != nil {
		return nil, err
	}
	var exists bool
	if err := tx.QueryRow(ctx, schemaSQL, pgx.QueryExecModeExec, schema).Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, fmt.Errorf("the database has no schema %q", schema)
	}
	c := &catalog{schema: schema}
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
		c.tables, byOID[row.OID] = append(c.tables, t), t
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
	return c, nil
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
