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

// Backend stores records in the tables of one schema. It is made by [New] or
// [Open] and belongs to one store.
type Backend struct {
	pool   *pgxpool.Pool
	owned  bool // the pool is ours to close
	schema string
	opts   Options
	closed atomic.Bool

	begin [2]string

	bound   atomic.Pointer[binding] // set by Bind, and anew when the schema has changed
	checker *schemaChecker          // nil if nobody looks for changes

	replicas    []*replica
	lastReplica atomic.Uint32 // of the replicas
	written     writePosition
}

var _ core.Backend = (*Backend)(nil)

// New returns a backend on the connections of a pool, which stays the caller's to
// close. A pool whose default_transaction_isolation is not that of the options
// works, a little slower. A pool made from [ParseConfig] shows the backend which commits did
// not reach the synchronous standby.
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
	found, err := b.inspect(ctx, conn.Conn(), m)
	if err != nil {
		return b.errorOn(ctx, conn, err)
	}
	seen := found.fingerprint(m, b.opts)
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
	b.startChecker(m, seen)
	return nil
}

// KeySource says which keys the tables generate: those of columns with a default, an
// identity or an expression, unless the model declares them to be assigned, and UUIDs.
// A client may choose keys up to half of what the sequence or type of the column can
// reach. While the schema does not fit the model, the key source is that of the last
// schema that did.
func (b *Backend) KeySource(r *core.Resource) core.KeySource {
	return b.bound.Load().table(r).keySource
}

// Begin opens a transaction. It costs nothing before its first operation, except
// that after a commit whose position in the log is not known, replicas wait for it.
//
// Errors: [core.ErrClosed], the context's; [core.Unavailable] while the schema has
// changed so that it does not fit the model.
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

// usable returns the tables to work with.
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
// Errors: [core.ErrClosed], the context's; [core.Unavailable].
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
	defer conn.Release() // which closes a connection that is not in order
	if _, err := conn.Conn().PgConn().Exec(ctx, b.begin[0]+"; SELECT 1; COMMIT").ReadAll(); err != nil {
		return b.errorOn(ctx, conn, err)
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
	b.checker.stop()
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
		return nil, fmt.Errorf("%w: waiting for a connection: %w", ctx.Err(), err)
	case b.closed.Load():
		return nil, core.ErrClosed
	}
	return nil, unavailable(err)
}

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
