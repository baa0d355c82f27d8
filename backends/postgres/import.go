package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// ImportSource is where [Import] reads: a *pgxpool.Pool, a *pgxpool.Conn or a
// *pgx.Conn.
type ImportSource interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// Imported is what [Import] made of a schema. It is the caller's: resources and
// fields may be renamed for clients (APIName), hidden, made read-only, retyped or
// removed before [Imported.Model] builds the model.
type Imported struct {
	// Schema is the name of the schema, and of the model.
	Schema string
	// Resources are one per table that a model can hold, ordered by name.
	Resources []core.ResourceSpec
	// Notes tell what the resources lack or hold in another form, ordered by
	// table.
	Notes []ImportNote
}

// Model builds the model of the resources as they now are.
//
// Errors: those of [core.NewModel]; if the resources are as they were imported,
// only that there are none.
func (i *Imported) Model() (*core.Model, error) {
	return core.NewModel(i.Schema, i.Resources...)
}

// Import describes the tables of an existing schema as resources. It reads the
// system catalogs only, in one read-only transaction that sees one snapshot, and
// needs no privilege on the tables. The same schema gives the same result.
//
// # What becomes what
//
// Each table with a primary key of one column becomes a resource, a partitioned
// table one together with its partitions. Each column becomes a field of the same
// name, in the same order:
//
//   - smallint, integer, bigint: Int
//   - real, double precision: Float
//   - text, character varying, character, name: Text
//   - boolean: Bool
//   - timestamp with time zone: Time
//   - uuid: UUID
//   - bytea: Bytes
//   - json, jsonb: JSON
//   - arrays: List
//   - composite types: JSON
//   - domains: what the type below them becomes
//   - everything else: Text, as the server spells it. So do numeric, because no
//     other type keeps every digit, timestamp without time zone and date, because
//     they name no instant (manual, section 8.5.1), and enums
//
// Columns whose values are held in another form have a note of the kind
// [ImportChanged] that says what it is. A primary key that is DEFERRABLE has one of
// the kind [ImportRefused].
//
// A primary key without a default is Assigned: clients name it when they create a
// record. A UUID is random instead, unless it is a foreign key.
//
// A foreign key of one column that refers to the primary key of a resource, and that
// the server enforces, becomes a to-one relation, which cascades if that very key says
// ON DELETE CASCADE, and the target gets its other side: to-one if the column is
// unique, otherwise to-many. The other side is named after the referring table; or, where
// a table refers to itself or several times to the same one, or the target has a
// field of that name, TABLE_by_COLUMN, with a number behind it if that is taken too.
// The other actions of ON DELETE do not matter: whoever deletes through the
// engine detaches the referring records first.
//
// A UNIQUE constraint or unique index on a column alone makes it Unique, another
// btree or hash index on it, alone or with the key behind it, Indexed. Columns that the
// server generates are ReadOnly. Defaults that are constants become defaults of the
// model; others stay the server's, and a PUT that does not name the field treats it as
// the package documentation says.
//
// # What does not
//
// Nothing that cannot be modelled is an error: the notes name it. Checks, NOT NULL,
// triggers and row security have no place in a model and no note; the server
// keeps them.
//
// Errors: one that names the schema if there is none; the driver's.
func Import(ctx context.Context, db ImportSource, schema string) (*Imported, error) {
	var found *importedCatalog
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, db, opts, func(tx pgx.Tx) (err error) {
		found, err = importCatalog(ctx, tx, schema)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("import of schema %q: %w", schema, err)
	}
	return found.model(), nil
}
