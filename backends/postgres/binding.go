package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// binding is the backend with the tables as they were found at one time. A transaction
// works with one binding from its beginning to its end.
type binding struct {
	*Backend

	tables        []*table // by resource; of a misfit, those of the last schema that fitted
	partitions    partitions
	autocommit    bool  // a statement without BEGIN is a transaction of the right isolation
	hasDeferrable bool  // a transaction that writes has to defer constraints
	mismatch      error // why the schema cannot hold the model and no transaction begins; nil if it can
}

// look reads what there is of the model in the schema.
func (b *Backend) inspect(ctx context.Context, conn *pgx.Conn, m *core.Model) (*catalog, error) {
	found, err := readCatalog(ctx, conn, b.schema)
	if err != nil {
		return nil, err
	}
	err = found.describeSources(ctx, conn, b.schema, m, b.opts)
	return found, err
}

// bind returns the binding of the model to what was found.
//
// Errors: one that names every difference that would make the model impossible or
// incorrect to store.
func (b *Backend) bind(found *catalog, m *core.Model) (*binding, error) {
	if err := mismatchOf(b.schema, compare(found, b.schema, m, b.opts, false)); err != nil {
		return nil, err
	}
	return &binding{
		Backend: b, tables: bindTables(found, b.schema, m, b.opts), partitions: found.partitions, hasDeferrable: found.hasDeferrable,
		autocommit: b.isolationMatches(found),
	}, nil
}

// isolates reports whether a statement without BEGIN is a transaction of the right
// isolation.
func (b *Backend) isolationMatches(found *catalog) bool {
	return found.isolation == string(b.opts.isolation()) && !b.opts.Bouncer
}

// table returns what a resource is written to.
func (b *binding) table(r *core.Resource) *table { return b.tables[r.Index()] }

// reading returns what a resource is read from.
func (b *binding) readTable(r *core.Resource) *table { return b.tables[r.Index()].readFrom }

// writing returns what a resource is written to, if that is anything.
func (b *binding) writeTable(r *core.Resource) (*table, error) {
	t := b.tables[r.Index()]
	if t.readOnly {
		return nil, &core.Error{Code: core.ReadOnly, Resource: r.APIName()}
	}
	return t, nil
}
