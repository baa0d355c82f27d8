package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Options configures a [Backend]. The zero value is ready to use.
type Options struct {
	// Isolation is the isolation level of all transactions (manual, section 13.2). Default: [pgx.Serializable]. A lower
	// level permits anomalies that [core.Backend] rules out: concurrent transactions may have results that no serial
	// order explains.
	Isolation pgx.TxIsoLevel
	// Resources maps names of resources to the tables, views or queries of their records. Default: the table with the
	// name of the resource, for reads and writes; for a read-only resource, the table or view with its name.
	Resources map[string]Source
	// Bouncer prepares the connections of [Open] for a pooler such as PgBouncer in transaction mode: they use neither
	// prepared statements nor session settings. [New] takes the pool as it is; with Bouncer, every transaction starts
	// with BEGIN and its isolation level. After an outage of the server, PgBouncer returns errors until its
	// server_login_retry has passed, 15 s by default.
	//
	// When a context ends, pgx closes the connection to the pooler and then asks the server to cancel the statement. If a
	// commit was sent along with the statement, the error is [core.ErrCommitUnknown]. A pool for New must not use pgx's
	// CancelRequestContextWatcherHandler: it closes the connection of the cancel request as soon as the statement has
	// ended, and PgBouncer 1.18 terminates if that happens before its answer ("bad client state").
	Bouncer bool
	// Migrate runs [Migrate] before the schema is compared with the model: missing objects are created and columns of
	// renamed fields are renamed when the store is made. It does not create views or queries, nor tables of resources
	// that are read from them, nor tables of read-only resources.
	Migrate bool
	// Replicas lists connection strings of hot standbys. They serve read-only transactions and single reads; see
	// "Replicas" in the package documentation. The backend makes a pool for each, with the settings of [Open], and
	// closes it. Do not use replicas with a [core.BackendFunc] that makes a backend per transaction. A connection
	// string that [ParseConfig] rejects is an error of Open, or when the store is made. Default: none.
	Replicas []string
	// CheckSchema is the interval of the checks for changes of the schema; see "Schema changes" in the package
	// documentation. Default: one minute. A negative value disables the checks.
	CheckSchema time.Duration
	// Logger receives warnings about changes of the schema, and about columns with data that Migrate did not rename
	// although a field may have been renamed. Default: [slog.Default].
	Logger *slog.Logger
	// MaxLag is the greatest age of data from a replica: a read shows everything that any program had committed MaxLag
	// before the read began. If the last known position of the primary is older than MaxLag, the backend first asks the
	// primary for its position, in an additional round trip, and a replica that has not replayed up to this position is
	// skipped. While the primary is unreachable, replicas therefore serve reads for at most MaxLag. The clocks of the
	// servers play no part. Default: no limit; only the backend's own writes are certain to be visible.
	MaxLag time.Duration
	// CallTimeout limits calls with a context that has no deadline: an operation, a commit or a rollback, including the
	// wait for a connection. A call that exceeds it fails as if its context had expired. This ends the wait for a
	// frozen server. A context with a deadline is not limited further, nor is the start of a store. Default: 30 s. A
	// negative value means no limit.
	CallTimeout time.Duration
	// StatementTimeout limits the time of each statement on the server (statement_timeout, manual, section 20.11). A
	// statement that exceeds it fails with [core.QueryTooExpensive]. [Open] sets it on its connections, unless the connection
	// string has a statement_timeout; with Bouncer, every transaction sets it, also one of [New]. Otherwise a pool for New
	// keeps its own setting. Migrate is not limited. Default: 20 s, which is less than CallTimeout. A negative value means no
	// limit.
	StatementTimeout time.Duration
	// ApplicationName is the application_name of the connections of [Open], unless the connection string has one.
	// Default: "larder".
	ApplicationName string
}

// check returns an error for settings that the server would reject.
func (o Options) check() error {
	switch o.isolation() {
	case pgx.Serializable, pgx.RepeatableRead, pgx.ReadCommitted, pgx.ReadUncommitted:
	default:
		return fmt.Errorf("postgres: Options.Isolation: unknown level %q", o.Isolation)
	}
	for i, url := range o.Replicas {
		if _, err := ParseConfig(url); err != nil {
			return fmt.Errorf("postgres: Options.Replicas: replica %d: %w", i+1, err)
		}
	}
	return nil
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

func (o Options) isolation() pgx.TxIsoLevel {
	if o.Isolation == "" {
		return pgx.Serializable
	}
	return o.Isolation
}

// defaultCallTimeout is the default of Options.CallTimeout.
const defaultCallTimeout = 30 * time.Second

// defaultStatementTimeout is the default of Options.StatementTimeout.
const defaultStatementTimeout = 20 * time.Second

// statementTimeout returns the value of statement_timeout: milliseconds, and 0 for no limit.
func (o Options) statementTimeout() string {
	limit := o.StatementTimeout
	switch {
	case limit == 0:
		limit = defaultStatementTimeout
	case limit < 0:
		return "0"
	}
	return strconv.FormatInt(max(limit.Milliseconds(), 1), 10)
}

// withTimeout gives a context without a deadline the timeout of the options. A frozen server keeps its connections
// open, and its kernel acknowledges all data, so that nothing else would end the wait for an answer.
func (b *Backend) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := b.opts.CallTimeout
	if limit == 0 {
		limit = defaultCallTimeout
	}
	if _, has := ctx.Deadline(); has || limit < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// Source names the table, view or query for the records of a resource. The zero Source is the table with the name of
// the resource, for reads and writes. For a read-only resource ([core.ResourceSpec.ReadOnly]) the zero Source is a View
// with the name of the resource.
//
// With a View or a Query, all reads (Load, Select, Count) and their conditions use its columns. Writes use Table, and
// the conditions of policies on writes use the row of the table before and after the write. A view is no policy:
// clients can write to rows that the view does not show if they know the keys. A condition of a write on a field that
// only the view has fails with [core.ServerError].
//
// Fields without a column in the table must be ReadOnly in the model. A write returns the columns of the table and then
// reads these fields from the view; they are null if the view does not show the row. This costs an Insert one more
// round trip, and an Update none. The keys of the view or query must be unique; the backend cannot verify that.
//
// A resource with a View or a Query but no Table is read-only: every write is [core.ReadOnly]. Declare it ReadOnly in the
// model, so that clients see no writes in the OpenAPI document. A relation to such a
// resource needs no foreign key; without one, its values may refer to records that do not exist.
type Source struct {
	// Table is the table for writes, and for reads if View and Query are empty. Default: the name of the resource if
	// View and Query are empty, too, and the resource is not read-only; otherwise none.
	Table string
	// View is the view, materialized view, foreign table or other table for reads. A materialized view shows the state
	// of its last refresh.
	View string
	// Schema is the schema of Table and View. Default: the schema of the backend. Migrate and DDL leave tables of other
	// schemas out; create them yourself.
	Schema string
	// Query is a SELECT for reads, instead of a View. It must be one statement without parameters, and its columns must
	// have the names of the fields. The backend uses it as a subquery: an ORDER BY in it has no effect, and unqualified
	// names are resolved with the search_path of the connection.
	Query string
}

// source returns the Source of a resource with its default applied.
func (o Options) source(r *core.Resource) Source {
	s := o.Resources[r.Name()]
	switch {
	case s.Table != "" || s.View != "" || s.Query != "":
	case r.ReadOnly():
		s.View = r.Name()
	default:
		s.Table = r.Name()
	}
	return s
}

// readsElsewhere reports whether reads use a view or a query.
func (s Source) readsElsewhere() bool { return s.View != "" || s.Query != "" }

// kind describes the relation for reads in error texts.
func (s Source) kind() string {
	switch {
	case s.Query != "":
		return "query"
	case s.View != "":
		return fmt.Sprintf("view %q", s.View)
	}
	return "table"
}

// from returns the relation for reads as an item of FROM. A query may end with a line comment.
func (s Source) from(schema string) string {
	switch {
	case s.Query != "":
		return "(" + s.Query + "\n)"
	case s.View != "":
		return s.relation(schema, s.View).from()
	}
	return s.relation(schema, s.Table).from()
}

// relation returns the table or view of that name. The schema is that of the backend.
func (s Source) relation(schema, name string) relation {
	return relation{cmp.Or(s.Schema, schema), name}
}

// inOther reports whether the tables are in another schema than that of the backend.
func (s Source) inOther(schema string) bool { return s.Schema != "" && s.Schema != schema }

// schemas returns the schema of the backend and the other schemas of the sources of a model.
func (o Options) schemas(schema string, m *core.Model) []string {
	all := []string{schema}
	for _, r := range m.Stored() {
		if other := o.source(r).Schema; other != "" && !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// checkSources returns an error for contradictory sources.
func (o Options) checkSources(m *core.Model) error {
	for _, name := range slices.Sorted(maps.Keys(o.Resources)) {
		s := o.Resources[name]
		switch {
		case m.Resource(name) == nil:
			return fmt.Errorf("postgres: Options.Resources: the model has no resource %q", name)
		case s.View != "" && s.Query != "":
			return fmt.Errorf("postgres: Options.Resources: %s has both a View and a Query; set one of them", name)
		}
	}
	return nil
}
