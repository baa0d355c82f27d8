package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// Backend stores records in the tables of one schema. It is made by [New] or
// [Open] and belongs to one store.
type Backend struct {
	pool   *pgxpool.Pool
	owned  bool // the pool is ours to close
	schema string
	opts   Options
	closed atomic.Bool

	tables     []*table // by resource; set by Bind
	parts      partitions
	statements statements
	autocommit bool // a statement without BEGIN is a transaction of the right isolation
	begin      [2]string
	defers     bool // a transaction that writes has to defer constraints

	replicas []*replica
	turn     atomic.Uint32 // of the replicas
	horizon  horizon
}

var _ core.Backend = (*Backend)(nil)

// New returns a backend on the connections of a pool, which stays the caller's to
// close. A pool whose default_transaction_isolation is not that of the options
// works, a little slower.
func New(pool *pgxpool.Pool, schema string, opts Options) *Backend {
	begin := "BEGIN ISOLATION LEVEL " + strings.ToUpper(string(opts.isolation()))
	return &Backend{pool: pool, schema: schema, opts: opts, begin: [2]string{begin, begin + " READ ONLY"}}
}

// Bind compares the schema with the model, and moves sequences that are behind the
// keys of their tables on, if its role may.
//
// Errors: one that names every difference that would make the model impossible or
// incorrect to store; [core.Unavailable].
func (b *Backend) Bind(ctx context.Context, m *core.Model) error {
	if err := b.opts.check(); err != nil {
		return err
	}
	if err := b.opts.checkSources(m); err != nil {
		return err
	}
	if b.opts.Migrate {
		if err := b.migrate(ctx, m); err != nil {
			return err
		}
	}
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	found, err := readCatalog(ctx, conn.Conn(), b.schema)
	if err != nil {
		return b.failedOn(ctx, conn, err)
	}
	if err := found.describe(ctx, conn.Conn(), b.schema, m, b.opts); err != nil {
		return b.failedOn(ctx, conn, err)
	}
	if err := mismatch(b.schema, compare(found, b.schema, m, b.opts, false)); err != nil {
		return err
	}
	b.tables, b.parts = bindTables(found, b.schema, m, b.opts), found.parts
	b.defers = found.defers
	b.autocommit = found.isolation == string(b.opts.isolation()) && !b.opts.Bouncer
	if err := catchUpAll(ctx, conn.Conn(), b.tables); err != nil {
		return b.failedOn(ctx, conn, err)
	}
	return b.connectReplicas(ctx, conn)
}

// Begin opens a transaction. It costs nothing before its first operation, except
// that after a commit whose position in the log is not known, replicas wait for it.
//
// Errors: [core.ErrClosed], the context's.
func (b *Backend) Begin(ctx context.Context, opts core.TxOptions) (core.BackendTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.closed.Load() {
		return nil, core.ErrClosed
	}
	t := &transaction{backend: b, opts: opts, deferred: !b.defers}
	if opts.ReadOnly {
		t.replica = b.replica(ctx)
	}
	return t, nil
}

// Ping begins a transaction on the primary and commits it, in one round trip.
//
// Errors: [core.ErrClosed], the context's; [core.Unavailable].
func (b *Backend) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.closed.Load() {
		return core.ErrClosed
	}
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // which closes a connection that is not in order
	if _, err := conn.Conn().PgConn().Exec(ctx, b.begin[0]+"; SELECT 1; COMMIT").ReadAll(); err != nil {
		return b.classify(ctx, err)
	}
	return nil
}

// Close makes every later Begin fail with [core.ErrClosed], and closes the pools
// that are the backend's own. Connections of transactions that are still open are
// closed when those end.
func (b *Backend) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	for _, r := range b.replicas {
		closePool(r.pool)
	}
	if b.owned {
		closePool(b.pool)
	}
	return nil
}

// Stat returns what the pool has done and does now, for metrics.
func (b *Backend) Stat() *pgxpool.Stat { return b.pool.Stat() }

// closePool does not wait for connections that are in use.
func closePool(pool *pgxpool.Pool) {
	if pool.Stat().AcquiredConns() == 0 {
		pool.Close()
	} else {
		go pool.Close()
	}
}

// String names the backend in [core.Store.Describe].
func (b *Backend) String() string {
	if n := len(b.opts.Replicas); n > 0 {
		return fmt.Sprintf("postgres, schema %q, replicas: %d", b.schema, n)
	}
	return fmt.Sprintf("postgres, schema %q", b.schema)
}

// replicated reports whether there are replicas that may lack what was written.
func (b *Backend) replicated() bool { return len(b.replicas) > 0 }

// table returns what a resource is written to.
func (b *Backend) table(r *core.Resource) *table { return b.tables[r.Index()] }

// reading returns what a resource is read from.
func (b *Backend) reading(r *core.Resource) *table { return b.tables[r.Index()].reads }

// writing returns what a resource is written to, if that is anything.
func (b *Backend) writing(r *core.Resource) (*table, error) {
	t := b.tables[r.Index()]
	if t.readOnly {
		return nil, &core.Error{Code: core.ReadOnly, Resource: r.External()}
	}
	return t, nil
}

func (b *Backend) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := b.pool.Acquire(ctx)
	switch {
	case err == nil && leadsToStandby(conn):
		b.misled(ctx, conn)
		conn.Release()
		return nil, unavailable(errStandby)
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: waiting for a connection: %w", ctx.Err(), err)
	case b.closed.Load():
		return nil, core.ErrClosed
	}
	return nil, unavailable(err)
}
