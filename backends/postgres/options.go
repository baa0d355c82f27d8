package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// Options are what a backend may do differently. The zero value works.
type Options struct {
	// Isolation is the level of all transactions (manual, section 13.2); default:
	// [pgx.Serializable]. With a lower one, transactions may see and leave what
	// they could not if they had run one after the other: [core.Backend] promises
	// more.
	Isolation pgx.TxIsoLevel
	// Resources says where the records of resources are that are not in the tables of
	// their names, or not only there, by the resource's name.
	Resources map[string]Source
	// Bouncer makes [Open] set connections up for a pooler that hands them out by
	// transaction, such as PgBouncer in transaction mode: no prepared statements,
	// no settings of a session. [New] takes the pool as it is, and begins every
	// transaction with its isolation. After the server was out of reach, PgBouncer
	// answers with errors until its server_login_retry is over, 15 s by default.
	//
	// A context that ends closes the connection to the pooler, and pgx then asks the
	// server to cancel the statement. A write whose commit travelled along is
	// [core.ErrCommitUnknown]. pgx's CancelRequestContextWatcherHandler must not be used
	// in a pool that is given to New: it closes the connection of its cancel request as
	// soon as the statement has ended, and PgBouncer 1.18 ends itself when that comes
	// before its answer ("bad client state").
	Bouncer bool
	// Migrate has the backend do what [Migrate] does before it compares the schema
	// with the model: what is missing is created when the store is made, and columns of
	// renamed fields are renamed. Resources that are read from a view or a query are left
	// to whoever makes those.
	Migrate bool
	// Replicas are connection strings of hot standbys of the server, which serve
	// what only reads: transactions begun as read-only and single reads. See the
	// section on replicas of the package documentation. The backend makes a pool
	// for each, set up as [Open] does it, and closes it; so it is not for a
	// [core.BackendFunc] that makes a backend each time. What [ParseConfig] does not
	// take is refused by Open, and when the store is made. Default: none.
	Replicas []string
	// CheckSchema is how often the backend looks, in the background, whether somebody has
	// changed the schema. See the section on that of the package documentation. 0 means a
	// minute, less than 0 never.
	CheckSchema time.Duration
	// Logger is told of changes of the schema while it is served, and of columns that Migrate leaves behind, perhaps because a field was
	// renamed. nil means [slog.Default].
	Logger *slog.Logger
	// MaxLag is how old the data of a replica may be: a read that begins at some moment
	// shows all that any program had committed MaxLag before. For this the primary is asked
	// for its position, in a round trip of its own before a read, when the last answer is
	// older than MaxLag; a replica that has not replayed so far is behind. So no replica
	// serves a read for longer than MaxLag without the primary. Clocks of servers play no
	// part. Default: no limit, and only what this backend wrote is certain to be seen.
	MaxLag time.Duration
	// CallTimeout is how long a call may take whose context has no deadline: an operation,
	// a commit or a rollback, with the wait for a connection. Beyond it, the call fails as
	// if its context had expired. It is what ends the wait for a server that is frozen;
	// a context with a deadline is not bounded further, and neither is the start of a
	// store. Default: 30 s; negative: none.
	CallTimeout time.Duration
	// ApplicationName is what [Open] calls the connections in the server's
	// statistics, unless the connection string names them; default: "larder".
	ApplicationName string
}

// check refuses what the server would not understand.
func (o Options) check() error {
	switch o.isolation() {
	case pgx.Serializable, pgx.RepeatableRead, pgx.ReadCommitted, pgx.ReadUncommitted:
	default:
		return fmt.Errorf("postgres: no isolation level %q", o.Isolation)
	}
	for i, url := range o.Replicas {
		if _, err := ParseConfig(url); err != nil {
			return fmt.Errorf("replica %d: %w", i+1, err)
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

// defaultCallTimeout is that of Options.CallTimeout.
const defaultCallTimeout = 30 * time.Second

// bounded gives a call whose context has no deadline the one of the options. A server that
// is frozen keeps its connections open, and its kernel acknowledges what is sent, so that
// nothing else ends the wait for an answer.
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

// Source says where the records of a resource are, in the schema of the backend.
// The zero Source is the table of the resource's name, for reading and writing.
//
// With a View or a Query, every read goes there: Load, Select and Count, with their
// conditions and the policies' on the columns as they are read. Writes go to Table,
// where the policies' conditions are on the row of the table, before and after:
// a view is no policy, and rows that it leaves out can be written to by those who
// know their keys. A condition on a write about a field that only the view has fails
// closed, with [core.ServerError].
//
// Fields that the table lacks must be ReadOnly in the model. A write returns what the
// table returned, and these fields as the view has them then, or null if it does not
// show the row: for an Insert that is one more round trip, for an Update none. The
// keys of what is read must be unique, which the backend cannot see to.
//
// A resource with a View or a Query and without a Table is read-only: every write is
// refused with [core.ReadOnly]. A relation to such a resource needs no foreign key,
// and then nobody keeps it from pointing at nothing.
type Source struct {
	// Table is written to, and read if there is neither View nor Query. Default: the
	// resource's name if those are empty too, otherwise none.
	Table string
	// View is read: a view, a materialized view, a foreign table or another table. A
	// materialized view shows what it was made of.
	View string
	// Query is read instead of a View: one SELECT without parameters, whose columns
	// have the names of the fields. It is part of the statements, so that an order of
	// its own means nothing, and names in it that are without a schema are looked up
	// as the connection does.
	Query string
}

// source returns where the records of a resource are.
func (o Options) source(r *core.Resource) Source {
	s := o.Resources[r.Name()]
	if s == (Source{}) {
		s.Table = r.Name()
	}
	return s
}

// apart reports whether what is read is not what is written.
func (s Source) readsElsewhere() bool { return s.View != "" || s.Query != "" }

// what names what is read, for people.
func (s Source) kind() string {
	switch {
	case s.Query != "":
		return "query"
	case s.View != "":
		return fmt.Sprintf("view %q", s.View)
	}
	return "table"
}

// from is what is read, as a FROM has it. The query may end with a comment.
func (s Source) from(schema string) string {
	switch {
	case s.Query != "":
		return "(" + s.Query + "\n)"
	case s.View != "":
		return pgsql.Name(schema) + "." + pgsql.Name(s.View)
	}
	return pgsql.Name(schema) + "." + pgsql.Name(s.Table)
}

// checkSources refuses sources that mean nothing.
func (o Options) checkSources(m *core.Model) error {
	for _, name := range slices.Sorted(maps.Keys(o.Resources)) {
		s := o.Resources[name]
		switch {
		case m.Resource(name) == nil:
			return fmt.Errorf("postgres: Options.Resources has %q, which is no resource of the model", name)
		case s.View != "" && s.Query != "":
			return fmt.Errorf("postgres: Options.Resources: %s has a view and a query, of which only one can be read", name)
		}
	}
	return nil
}
