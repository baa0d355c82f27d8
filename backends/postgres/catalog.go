package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// catalog is what there is in a schema, as far as a model can be concerned.
type catalog struct {
	exists        bool
	encoding      string // of the database
	isolation     string // default of the connection
	standby       bool   // read from a standby, which may be behind
	hasDeferrable bool   // SET CONSTRAINTS has something to defer, in some schema
	tables        map[string]*catalogTable
	queries       map[string]*catalogTable // of sources, by resource
	partitions    partitions
}

type catalogTable struct {
	kind        string // pg_class.relkind
	columns     map[string]*catalogColumn
	byNum       map[int16]*catalogColumn
	indexes     []catalogIndex
	foreignKeys []catalogForeignKey
	checks      map[string][]string // constraint to its columns
}

type catalogColumn struct {
	name            string
	num             int16
	typeName        string // of pg_type; of a domain, what it is made of; "" if it does not come with the server
	kind            string // pg_type.typtype of the same
	element         string // pg_type.typtype of an array's elements, "" of what is no array
	base            string // the same type as SQL names it, without modifiers
	declared        string // the type as SQL names it, with modifiers
	domain          bool
	display         string // for people
	size            int32  // of varchar(n), char(n), bit(n) and varbit(n), otherwise 0
	notNull         bool   // takes no null
	hasNulls        bool   // may have some, if only from before NOT NULL, which NOT VALID leaves there
	identity        string // pg_attribute.attidentity
	generated       bool
	generatedFrom   []int16 // columns that a generated one is made of
	mayFail         bool    // by an expression when it is read, which may fail
	defaultExpr     string  // expression of the default
	varies          bool    // the default is not the same for every row
	sequence        string  // whose values an identity or a default of nothing but nextval gives, as SQL names it
	sequenceStep    int64
	sequenceLow     int64    // the least value
	sequenceLimit   int64    // the greatest
	sequenceLast    int64    // where it is; 0 if it is not known or has not begun
	sequenceMissing []string // privileges that we do not have on it
	byCodePoint     bool     // collation sorts so
	deterministic   bool     // collation calls no two different texts equal
}

type catalogIndex struct {
	name      string
	unique    bool
	immediate bool     // not deferrable
	columns   []string // in order, keys only
}

type catalogForeignKey struct {
	name                 string
	column               string
	targetSchema, target string
	targetColumn         string
	immediate            bool // checked with every statement
	hasDeleteAction      bool // on deletion, it deletes or changes what points there
}

// readCatalog looks into a schema. It needs no privilege on its tables.
func readCatalog(ctx context.Context, c *pgx.Conn, schema string) (*catalog, error) {
	found := &catalog{tables: make(map[string]*catalogTable), partitions: make(partitions)}
	batch := &pgx.Batch{}
	batch.Queue(settingsQuery, schema).QueryRow(func(row pgx.Row) error {
		return row.Scan(&found.exists, &found.encoding, &found.isolation, &found.standby, &found.hasDeferrable)
	})
	batch.Queue(columnsQuery, schema).Query(found.readColumns)
	batch.Queue(indexesQuery, schema).Query(found.readIndexes)
	batch.Queue(foreignKeysQuery, schema).Query(found.readForeignKeys)
	batch.Queue(checksQuery, schema).Query(found.readChecks)
	batch.Queue(partitionsQuery, schema).Query(found.partitions.read)
	return found, c.SendBatch(ctx, batch).Close()
}

func (c *catalog) readColumns(rows pgx.Rows) error {
	var name, kind, generated string
	for rows.Next() {
		col := &catalogColumn{}
		err := rows.Scan(&name, &kind, &col.name, &col.num, &col.typeName, &col.kind, &col.element, &col.base,
			&col.declared, &col.domain, &col.display, &col.size, &col.notNull, &col.hasNulls,
			&col.identity, &generated, &col.generatedFrom, &col.defaultExpr, &col.varies,
			&col.sequence, &col.sequenceStep, &col.sequenceLow, &col.sequenceLimit, &col.sequenceLast, &col.sequenceMissing,
			&col.byCodePoint, &col.deterministic)
		if err != nil {
			return err
		}
		t := c.tables[name]
		if t == nil {
			t = &catalogTable{
				kind: kind, columns: make(map[string]*catalogColumn), byNum: make(map[int16]*catalogColumn),
				checks: make(map[string][]string),
			}
			c.tables[name] = t
		}
		col.generated, col.mayFail = generated != "", mayFailToRead(kind, generated)
		t.columns[col.name], t.byNum[col.num] = col, col
	}
	return rows.Err()
}

func (c *catalog) readIndexes(rows pgx.Rows) error {
	var table string
	for rows.Next() {
		var index catalogIndex
		var columns []int16
		if err := rows.Scan(&table, &index.name, &index.unique, &index.immediate, &columns); err != nil {
			return err
		}
		t := c.tables[table]
		if t == nil {
			continue
		}
		for _, num := range columns {
			index.columns = append(index.columns, t.byNum[num].name)
		}
		t.indexes = append(t.indexes, index)
	}
	return rows.Err()
}

func (c *catalog) readForeignKeys(rows pgx.Rows) error {
	var table string
	for rows.Next() {
		var key catalogForeignKey
		if err := rows.Scan(&table, &key.name, &key.column, &key.targetSchema, &key.target, &key.targetColumn, &key.immediate, &key.hasDeleteAction); err != nil {
			return err
		}
		if t := c.tables[table]; t != nil {
			t.foreignKeys = append(t.foreignKeys, key)
		}
	}
	return rows.Err()
}

func (c *catalog) readChecks(rows pgx.Rows) error {
	var table, name string
	for rows.Next() {
		var columns []string
		if err := rows.Scan(&table, &name, &columns); err != nil {
			return err
		}
		if t := c.tables[table]; t != nil {
			t.checks[name] = columns
		}
	}
	return rows.Err()
}

// reads returns what a resource is read from, nil if it is not there.
func (c *catalog) readFrom(r *core.Resource, s Source) *catalogTable {
	switch {
	case s.Query != "":
		return c.queries[r.Name()]
	case s.View != "":
		return c.tables[s.View]
	}
	return c.tables[s.Table]
}

// hasIndex reports whether an index begins with the column.
func (t *catalogTable) hasIndex(column string) bool {
	for _, x := range t.indexes {
		if x.columns[0] == column {
			return true
		}
	}
	return false
}

// hasUnique reports whether the values of the column alone are unique.
func (t *catalogTable) hasUnique(column string, immediate bool) bool {
	for _, x := range t.indexes {
		if x.unique && len(x.columns) == 1 && x.columns[0] == column && (x.immediate || !immediate) {
			return true
		}
	}
	return false
}

func (t *catalogTable) hasForeignKey(column, schema, target, targetColumn string) bool {
	for _, k := range t.foreignKeys {
		if k.column == column && k.targetSchema == schema && k.target == target && k.targetColumn == targetColumn {
			return true
		}
	}
	return false
}
