// Package importer describes the tables of an existing PostgreSQL schema as the resources of a model. [Read] reads the
// system catalogs and returns the resources together with notes on everything that a model lacks or holds in another
// form:
//
//	result, err := importer.Read(ctx, pool, "shop")
//	model, err := result.Model()
//
// # Tables and columns
//
// Each table with a primary key becomes a resource; a partitioned table becomes one resource together with its partitions. In
// a table without a primary key, UNIQUE columns that are NOT NULL are the key. Comments of tables and columns become
// descriptions. Each column becomes a field of the same name, in the same order; only the columns of a key are in the order of
// the key, which orders the records:
//
//   - smallint, integer, bigint: Int
//   - real, double precision: Float
//   - text, character varying, character, name: Text
//   - boolean: Bool
//   - timestamp with time zone: Time
//   - numeric: Decimal, with its scale
//   - date: Date
//   - timestamp without time zone: LocalTime
//   - uuid: UUID
//   - bytea: Bytes
//   - json, jsonb: JSON
//   - arrays: List
//   - composite types: JSON
//   - domains: as their base type
//   - all other types: Text, as the server spells the value. These include enums
//
// Such a text does not sort as the values do, so its field is Unordered: queries that sort by it or compare it by order are
// refused.
//
// A column that changes its form has a note of the kind [Changed]. A DEFERRABLE primary key has a note of the kind
// [Refused].
//
// The field of a primary key of type numeric, date or timestamp, and relations to it, are Text, because a key is Int, Text or
// UUID. In a primary key of several columns, numeric alone is Text.
//
// A primary key without a default is Assigned: clients name the key when they create a record. A UUID key is random
// instead, unless it is a foreign key. In a key of several columns, clients name all columns without a constant default: a note says
// which of them the server could generate. The field that shows such a key is called id, or key if a column
// has that name.
//
// # Read-only resources
//
// A materialized view with a unique index becomes a read-only resource ([core.ResourceSpec.ReadOnly]) with the columns of
// the index as its key. For other materialized views, views, foreign tables and tables without a key, name the key in
// [Options.Keys]:
//
//	result, err := importer.Options{Keys: map[string][]string{"customer_list": {"id"}}}.Read(ctx, pool, "shop")
//
// # Several schemas
//
// A model can have the tables of several schemas, with the relations between them. The backend needs [Result.Sources]:
//
//	result, err := importer.Options{Schemas: []string{"stock"}}.Read(ctx, pool, "shop")
//	backend, err := postgres.Open(ctx, url, "shop", postgres.Options{Resources: result.Sources})
//
// # Relations
//
// A foreign key becomes a to-one relation if it refers to the key of a resource and is enforced by the server. One of several
// columns is a relation beside the fields of its columns, which it is derived from ([core.FieldSpec.Via]). So is a foreign key that
// is the whole key of its table, or whose column is a relation already. Such a relation has the name of its target, or
// TARGET_by_COLUMNS, with a number appended if necessary.
//
// The rules of a relation are those of the foreign key, see [core.FieldSpec]: ON DELETE CASCADE is [core.Cascade], SET
// NULL is [core.Detach], NO ACTION, RESTRICT and SET DEFAULT are [core.Restrict]. Package engine carries the rules out
// before the server does. Detaching sets only columns that no other relation has and that may be null. SET NULL of other columns has a note. Orphans are
// kept, and a one-to-one partner that is taken is refused.
//
// The target gets the inverse relation: to-one if the columns are unique, otherwise to-many. It is ReadOnly, so that a
// request changes only the rows that the same change in SQL changes; clients change the relation from the referring
// side. Remove ReadOnly to let clients set it. Its name is that of the referring table. If that name would be ambiguous or is in use, the inverse is called TABLE_by_COLUMNS, with a number
// appended if necessary. COLUMNS leaves out columns that the key or another relation has, unless there are no others.
//
// # Join tables
//
// In a table whose key consists of two foreign keys, every row joins two records. It becomes a resource, and each of the two sides gets
// a read-only list of the other ([core.FieldSpec.Through]). The list has the name of the other table; if that name would be ambiguous
// or is in use, OTHER_through_JOIN, and in a table that is joined with itself, TABLE_through_JOIN_by_COLUMNS. Remove ReadOnly to let
// clients set the list: they then insert and delete rows of the join table.
//
// # API names
//
// A table or column whose name is no API name (see [core.FieldSpec]) gets one, with underscores for the other characters
// and a number appended if the name is in use: clients see the table "Order Details" as Order_Details.
//
// # Indexes and defaults
//
// A UNIQUE constraint or unique index on one column makes the field Unique. Another btree or hash index on the column,
// alone or followed by the columns of the key, makes it Indexed. Other unique constraints and btree indexes become indexes of the resource, see
// [core.Index]: on several columns, in descending order, and with a condition of equality comparisons, null tests and boolean
// columns. An exclusion constraint that compares by equality counts as unique. Columns that the server generates are ReadOnly. Constant defaults
// become defaults of the model. Other defaults remain with the server; package postgres documents their effect on a PUT
// that omits the field.
//
// # Limits
//
// A record whose key of several columns has more than 500 bytes as JSON is shown in lists, but cannot be named: requests for its id
// are refused, and so is the cursor of a page that ends with it.
//
// An object that a model cannot represent is no error: it has a note. NOT NULL, lengths, the labels of enums, and CHECK
// constraints on one column in a simple form become rules of the fields: Required, MinLength, MaxLength, Min, Max, OneOf and
// Pattern. A column that is NOT NULL is Required unless the server or a trigger fills it in a new record. Triggers and row
// security have no place in the model.
package importer

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

// DB is a connection for [Read]: a *pgxpool.Pool, a *pgxpool.Conn or a *pgx.Conn.
type DB interface {
	// BeginTx begins a transaction.
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// Result is the description of a schema, returned by [Read]. The caller owns it and may change the resources before
// [Result.Model] builds the model: rename resources and fields for clients (APIName), hide fields, make them read-only,
// change their types or remove them.
type Result struct {
	// Schema is the name of the schema that was asked for first, and of the model.
	Schema string
	// Resources has one resource per table or view that a model can represent, ordered by name.
	Resources []core.ResourceSpec
	// Sources locates the tables and views of further schemas, for Options.Resources of the backend.
	Sources map[string]postgres.Source
	// Notes lists everything that the resources lack or hold in another form, ordered by table.
	Notes []Note
}

// Model builds a model of the resources in their present state.
//
// Errors: the same as of [core.NewModel]. Unchanged resources can only fail if there are none.
func (r *Result) Model() (*core.Model, error) {
	return core.NewModel(r.Schema, r.Resources...)
}

// Read describes the tables of a schema as resources. It reads only the system catalogs, in one read-only transaction
// with one snapshot, and needs no privilege on the tables. The same schema always gives the same result.
//
// Errors: a schema that does not exist is an error with its name; all other errors come from the driver.
func Read(ctx context.Context, db DB, schema string) (*Result, error) {
	return Options{}.Read(ctx, db, schema)
}

// Options configures [Options.Read]. The zero value is that of [Read].
type Options struct {
	// Keys maps names of resources to the columns of their keys, for tables, views, materialized views and foreign tables
	// that have no key in the database. The server does not keep such a key unique, so the resource is read-only. The
	// caller is responsible for unique keys without nulls: otherwise lists may lack records. Default: none.
	Keys map[string][]string
	// Schemas are further schemas to import, so that foreign keys between the schemas become relations. A table of such a
	// schema has a resource with the name SCHEMA_TABLE, with a number appended if another resource has that name. Pass
	// [Result.Sources] to the backend. Default: none.
	Schemas []string
}

// Read is the function [Read] with the options.
//
// Errors: also an error for a table or column of [Options.Keys] that does not exist, and for a table with a key of its
// own.
func (o Options) Read(ctx context.Context, db DB, schema string) (*Result, error) {
	var found *catalog
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, db, opts, func(tx pgx.Tx) (err error) {
		found, err = readCatalog(ctx, tx, o.schemas(schema))
		return err
	})
	if err == nil {
		err = found.addKeys(o.Keys)
	}
	if err != nil {
		return nil, fmt.Errorf("import of schema %q: %w", schema, err)
	}
	return found.result(), nil
}

// schemas returns the schema and the further ones, each once.
func (o Options) schemas(schema string) []string {
	all := []string{schema}
	for _, s := range o.Schemas {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
