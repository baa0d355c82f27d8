package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// Backend stores the records of one store in the tables of one schema. [Open] and [New] make one. After Bind, its methods
// may be called from several goroutines at once.
type Backend struct {
	pool   *pgxpool.Pool
	owned  bool // whether Close closes the pool
	schema string
	opts   Options
	closed atomic.Bool

	begin         string // begins a transaction that may write
	beginReadOnly string

	bound   atomic.Pointer[binding] // stored by Bind, and again whenever the schema has changed
	checker *schemaChecker          // nil if Options.CheckSchema is negative

	replicas    []*replica
	lastReplica atomic.Uint32 // counter for choosing replicas in turn
	written     writePosition // of the commits of this backend
}

var _ core.Backend = (*Backend)(nil)

// New returns a backend that uses the connections of a pool. The caller closes the pool.
//
// [NewPool] makes a pool with the settings of [Open]. Make any other pool from [ParseConfig]: otherwise the backend cannot
// detect commits that did not reach the synchronous standby. A pool with a default_transaction_isolation different from Options.Isolation works too, but each single
// operation then needs BEGIN and COMMIT.
func New(pool *pgxpool.Pool, schema string, opts Options) *Backend {
	begin := "BEGIN ISOLATION LEVEL " + strings.ToUpper(string(opts.isolation()))
	return &Backend{pool: pool, schema: schema, opts: opts, begin: begin, beginReadOnly: begin + " READ ONLY"}
}

// Bind compares the schema with the model and, if the role has the privilege, advances sequences that are behind the
// keys of their tables. [core.New] calls it.
//
// Errors: an error that lists every difference that makes it impossible to store the model correctly; [core.Unavailable].
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
	found, err := b.inspect(ctx, conn.Conn(), m)
	if err != nil {
		return b.errorOn(ctx, conn, err)
	}
	boundTo := found.fingerprint(b.schema, m, b.opts)
	bound, err := b.bind(found, m)
	if err != nil {
		return err
	}
	if err := catchUpSequences(ctx, conn.Conn(), bound.tables); err != nil {
		return b.errorOn(ctx, conn, err)
	}
	if err := b.connectReplicas(ctx, conn); err != nil {
		return err
	}
	b.bound.Store(bound)
	b.startChecker(m, boundTo)
	return nil
}

// KeySource reports which keys the table of a resource generates, and which keys clients may choose. The table
// generates keys if the column has a default, an identity or a generation expression and the model does not declare the
// key Assigned. The backend generates UUIDs without a default. Clients may choose integer keys up to the middle of the
// range of the sequence or type. While the schema does not fit the model, the key source is that of the last schema
// that did.
func (b *Backend) KeySource(r *core.Resource) core.KeySource {
	return b.bound.Load().table(r).keySource
}

// Begin opens a transaction. It sends nothing to the server. One exception: with replicas and after a commit of unknown
// position, a read-only transaction first asks the primary for its position in the log.
//
// Errors: [core.ErrClosed]; the context's; [core.Unavailable] while the schema does not fit the model.
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	bound, err := b.currentBinding(ctx)
	if err != nil {
		return nil, err
	}
	t := &transaction{backend: bound, opts: opts, deferred: !bound.hasDeferrable}
	if opts.ReadOnly {
		t.replica = b.pickReplica(ctx)
	}
	return t, nil
}

// currentBinding returns the tables for the next transaction.
func (b *Backend) currentBinding(ctx context.Context) (*binding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.closed.Load() {
		return nil, core.ErrClosed
	}
	bound := b.bound.Load()
	if bound.mismatch != nil {
		b.checker.checkSoon()
		return nil, unavailable(bound.mismatch)
	}
	return bound, nil
}

// Ping begins a transaction on the primary and commits it, in one round trip.
//
// Errors: [core.ErrClosed]; the context's; [core.Unavailable].
func (b *Backend) Ping(ctx context.Context) error {
	if _, err := b.currentBinding(ctx); err != nil {
		return err
	}
	ctx, cancel := b.withTimeout(ctx)
	defer cancel()
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // closes a connection that is in a transaction or broken
	if _, err := conn.Conn().PgConn().Exec(ctx, b.begin+"; SELECT 1; COMMIT").ReadAll(); err != nil {
		return b.errorOn(ctx, conn, err)
	}
	return nil
}

// Close makes every later Begin fail with [core.ErrClosed]. It closes the pools that the backend has made: the pools of
// the replicas, and after [Open] the pool of the primary. Connections of open transactions are closed when the
// transactions end.
func (b *Backend) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.checker.stop()
	for _, r := range b.replicas {
		closePool(r.pool)
	}
	if b.owned {
		closePool(b.pool)
	}
	return nil
}

// Stat returns the statistics of the primary's pool, for metrics.
func (b *Backend) Stat() *pgxpool.Stat { return b.pool.Stat() }

// closePool closes a pool without waiting for connections that are in use.
func closePool(pool *pgxpool.Pool) {
	if pool.Stat().AcquiredConns() == 0 {
		pool.Close()
	} else {
		go pool.Close()
	}
}

// String describes the backend for [core.Store.Describe].
func (b *Backend) String() string {
	if n := len(b.opts.Replicas); n > 0 {
		return fmt.Sprintf("postgres, schema %q, replicas: %d", b.schema, n)
	}
	return fmt.Sprintf("postgres, schema %q", b.schema)
}

// replicated reports whether there are replicas, so that the positions of commits matter.
func (b *Backend) replicated() bool { return len(b.replicas) > 0 }

// acquire takes a connection to the primary from the pool.
func (b *Backend) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := b.pool.Acquire(ctx)
	switch {
	case err == nil && isStandby(conn):
		b.closeStandby(ctx, conn)
		conn.Release()
		return nil, unavailable(errStandby)
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: postgres: waiting for a connection: %w", ctx.Err(), err)
	case b.closed.Load():
		return nil, core.ErrClosed
	}
	return nil, unavailable(&connectError{hideSetting(&b.pool.Config().ConnConfig.Config, err)})
}

// binding is the backend together with the tables of the model at the last inspection of the schema. A transaction uses
// one binding from its beginning to its end.
type binding struct {
	*Backend

	tables        []*table // by resource; with a mismatch, those of the last schema that fitted
	partitions    partitions
	shards        shards
	citus         bool  // the database has the extension Citus: sequences are not on the node of the tables
	onWorker      bool  // with Citus: the tables are on a worker
	autocommit    bool  // a statement without BEGIN has the right isolation
	hasDeferrable bool  // writing transactions need SET CONSTRAINTS ALL DEFERRED
	mismatch      error // why the schema does not fit the model; nil if it fits
}

// inspect reads the objects of the schema that concern the model.
func (b *Backend) inspect(ctx context.Context, conn *pgx.Conn, m *core.Model) (*catalog, error) {
	found, err := readCatalog(ctx, conn, b.opts.schemas(b.schema, m))
	if err != nil {
		return nil, err
	}
	err = found.describeSources(ctx, conn, b.schema, m, b.opts)
	return found, err
}

// bind makes the binding of a model to a catalog.
//
// Errors: an error that lists every difference that makes it impossible to store the model correctly.
func (b *Backend) bind(found *catalog, m *core.Model) (*binding, error) {
	if err := mismatchOf(b.schema, compare(found, b.schema, m, b.opts, false)); err != nil {
		return nil, err
	}
	return &binding{
		Backend: b, tables: bindTables(found, b.schema, m, b.opts), partitions: found.partitions, hasDeferrable: found.hasDeferrable,
		shards: found.shards, citus: found.citus, onWorker: found.onWorker(), autocommit: b.autocommits(found),
	}, nil
}

// autocommits reports whether a statement without BEGIN is a transaction of the configured isolation level. Citus passes such
// a statement on without BEGIN, so that it has the default level of the worker.
func (b *Backend) autocommits(found *catalog) bool { return b.isolationMatches(found) && !found.citus }

// isolationMatches reports whether the default level of a session is the configured one.
func (b *Backend) isolationMatches(found *catalog) bool {
	return found.isolation == string(b.opts.isolation()) && !b.opts.Bouncer
}

// table returns the table for the writes of a resource.
func (b *binding) table(r *core.Resource) *table { return b.tables[r.Index()] }

// readTable returns the table, view or query for the reads of a resource.
func (b *binding) readTable(r *core.Resource) *table { return b.tables[r.Index()].readFrom }

// writeTable returns the table for the writes of a resource; [core.ReadOnly] if there is none.
func (b *binding) writeTable(r *core.Resource) (*table, error) {
	t := b.tables[r.Index()]
	if t.readOnly {
		return nil, &core.Error{Code: core.ReadOnly, Resource: r.APIName()}
	}
	return t, nil
}
