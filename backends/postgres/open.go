package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// What [Open] sets unless the connection string does.
const (
	connectTimeout = 10 * time.Second
	// idleInTransaction is when the server gives up a client that holds a
	// transaction and has fallen silent (idle_in_transaction_session_timeout).
	idleInTransactionTimeout = "60s"
	// cancelPatience is how long the answer to a cancelled statement may take
	// before the connection is given up.
	cancelTimeout = 2 * time.Second
)

// Open returns a backend with a pool of its own, which closing the backend closes.
// The connection string is a URL or keywords and values (manual, section 34.1.1),
// with pgx's pool_max_conns and its like. Open makes one connection to see that
// the server answers. With several hosts, connections lead to the one that takes writes
// (target_session_attrs=read-write), unless the connection string has another value.
//
// The connections have SERIALIZABLE as their default, a name in the server's
// statistics, timeouts for connecting and for transactions that fell silent, and the
// usual styles of dates and intervals. A context that ends cancels the statement that
// is running, and the connection stays in use. Options.Bouncer leaves all settings of
// the session to the pooler, and a context that ends closes the connection.
//
// Errors: [core.Unavailable] if the server cannot be reached or refuses us, with a
// text of one line that says where and why; those of [ParseConfig]; no error ever
// shows the password.
func Open(ctx context.Context, url, schema string, opts Options) (*Backend, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	config, err := ParseConfig(url)
	if err != nil {
		return nil, err
	}
	configure(config.ConnConfig, opts)
	requirePrimary(&config.ConnConfig.Config, url)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unavailable(err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unavailable(&connectError{hideSetting(&config.ConnConfig.Config, err)})
	}
	b := New(pool, schema, opts)
	b.owned = true
	return b, nil
}

func configure(c *pgx.ConnConfig, opts Options) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	c.DialFunc = dial(c.ConnectTimeout)
	setDefault(c, "application_name", valueOr(opts.ApplicationName, "larder"))
	if !opts.Bouncer {
		c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
		}
		setDefault(c, "default_transaction_isolation", string(opts.isolation()))
		setDefault(c, "idle_in_transaction_session_timeout", idleInTransactionTimeout)
		setDefault(c, "datestyle", "ISO")
		setDefault(c, "intervalstyle", "postgres")
		return
	}
	if c.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
}

func setDefault(c *pgx.ConnConfig, name, value string) {
	if c.RuntimeParams[name] == "" {
		c.RuntimeParams[name] = value
	}
}

func valueOr(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func unavailable(err error) error { return &core.Error{Code: core.Unavailable, Cause: err} }
