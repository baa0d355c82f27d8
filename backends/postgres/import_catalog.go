package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// importedCatalog is what a schema has.
type importedCatalog struct {
	schema string
	tables []*importedTable // by name
}

// importedTable is a table, view or foreign table.
type importedTable struct {
	importedTableRow
	columns []*importedColumn // by position
	indexes []importedIndex   // by name
	foreign []importedForeignKey
}

type importedTableRow struct {
	OID       uint32
	Name      string
	Kind      string // pg_class.relkind
	Partition bool
	Parent    string // of a partition, with its schema, if that is another one
	Heirs     bool   // other tables inherit from it
}

type importedColumn struct {
	Table     uint32
	Num       int16
	Name      string
	Declared  string // the type as declared, for people
	Base      string // what a domain is made of, otherwise the type, without modifiers
	Type      string // pg_type.typname of the base
	Kind      string // pg_type.typtype of the base
	Builtin   bool   // the base comes with the server
	Array     bool
	Element   string // pg_type.typname of an array's element
	ElemKind  string // pg_type.typtype of an array's element
	NotNull   bool
	Identity  string // pg_attribute.attidentity
	Generated bool
	Default   string // expression
	// ByCodePoint: its collation, if any, sorts so.
	ByCodePoint bool
}

type importedIndex struct {
	Table      uint32
	Name       string
	Method     string
	Primary    bool
	Unique     bool
	Immediate  bool // not deferrable
	Partial    bool
	Expression bool
	NullsEqual bool     // NULLS NOT DISTINCT
	Columns    []string // an expression in its place
}

// alone returns the column that the index is about, "" if it is about more or
// about part of the rows.
func (x importedIndex) alone() string {
	if x.Partial || x.Expression || len(x.Columns) != 1 {
		return ""
	}
	return x.Columns[0]
}

type importedForeignKey struct {
	Table         uint32
	Name          string
	Columns       []string
	TargetSchema  string
	Target        string
	TargetColumns []string
	Cascade       bool
	Acts          bool // on deletion, it deletes or changes what refers
	Valid         bool
	Enforced      bool
}

// importCatalog reads a schema in the caller's transaction.
func importCatalog(ctx context.Context, tx pgx.Tx, schema string) (*importedCatalog, error) {
	if _, err := tx.Exec(ctx, importSettings); err != nil {
		return nil, err
	}
	var exists bool
	if err := tx.QueryRow(ctx, importSchema, pgx.QueryExecModeExec, schema).Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, fmt.Errorf("the database has no schema %q", schema)
	}
	c := &importedCatalog{schema: schema}
	tables, err := importRows[importedTableRow](ctx, tx, importTables, schema)
	if err != nil {
		return nil, err
	}
	columns, err := importRows[importedColumn](ctx, tx, importColumns, schema)
	if err != nil {
		return nil, err
	}
	indexes, err := importRows[importedIndex](ctx, tx, importIndexes, schema)
	if err != nil {
		return nil, err
	}
	foreign, err := importRows[importedForeignKey](ctx, tx, importForeignKeys, schema)
	if err != nil {
		return nil, err
	}
	byOID := make(map[uint32]*importedTable)
	for _, row := range tables {
		t := &importedTable{importedTableRow: row}
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
	return c, nil
}

// importRows asks a question that is asked once, which is not worth a prepared
// statement and so works through every pooler.
func importRows[T any](ctx context.Context, tx pgx.Tx, sql, schema string) ([]T, error) {
	rows, err := tx.Query(ctx, sql, pgx.QueryExecModeExec, schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// column returns the column of that name, or nil.
func (t *importedTable) column(name string) *importedColumn {
	i := slices.IndexFunc(t.columns, func(c *importedColumn) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return t.columns[i]
}

// primary returns the columns of the primary key.
func (t *importedTable) primary() []string {
	for _, x := range t.indexes {
		if x.Primary {
			return x.Columns
		}
	}
	return nil
}
