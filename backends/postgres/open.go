package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// Settings of [NewPool], unless the connection string has others.
const (
	connectTimeout = 10 * time.Second
	// idleInTransactionTimeout is idle_in_transaction_session_timeout: the server ends sessions that are idle in a
	// transaction for longer.
	idleInTransactionTimeout = "60s"
	// cancelTimeout is how long the driver waits for the answer to a cancelled statement before it closes the
	// connection.
	cancelTimeout = 2 * time.Second
)

// Open returns a backend with a pool of its own, which [NewPool] makes; closing the backend closes the pool. Open makes one
// connection to verify that the server answers.
//
// Errors: [core.Unavailable] if the server is unreachable or rejects the login, with a text of one line that names the
// host and the reason; those of [NewPool]. No error contains the password.
func Open(ctx context.Context, url, schema string, opts Options) (*Backend, error) {
	pool, err := NewPool(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unavailable(&connectError{hideSetting(&pool.Config().ConnConfig.Config, err)})
	}
	b := New(pool, schema, opts)
	b.owned = true
	return b, nil
}

// NewPool returns a pool for [New], with the settings of [Open]. Several backends can share the pool, such as those of tenants
// with a schema each; give them the same options. The caller closes the pool after the backends. The connection string is a
// URL or a list of keywords and values (manual, section 34.1.1) and may have the settings of pgxpool, such as
// pool_max_conns. If the string names several hosts, connections lead to the host that accepts writes
// (target_session_attrs=read-write), unless the string has another target_session_attrs. When a connection leads to another host
// than the one before, the pool closes its older connections. NewPool succeeds while the server is unreachable; operations are
// [core.Unavailable] then.
//
// Unless the string has other settings, the connections have default_transaction_isolation set to [Options.Isolation],
// the application_name of [Options.ApplicationName], a connect_timeout of 10 seconds, an
// idle_in_transaction_session_timeout of 60 seconds, the statement_timeout of [Options.StatementTimeout], jit off, and
// DateStyle ISO and IntervalStyle postgres. When a context ends, the driver cancels the running statement and keeps the
// connection. With [Options.Bouncer], NewPool sets only the
// application_name and the connect_timeout, and a context that ends closes the connection.
//
// Errors: those of [ParseConfig]; an error for an invalid option. No error of a backend with the pool contains the password.
func NewPool(ctx context.Context, url string, opts Options) (*pgxpool.Pool, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	config, err := ParseConfig(url)
	if err != nil {
		return nil, err
	}
	configure(config.ConnConfig, opts)
	requirePrimary(&config.ConnConfig.Config, url)
	var made atomic.Pointer[pgxpool.Pool]
	if config.ConnConfig.ValidateConnect != nil && hasSeveralHosts(&config.ConnConfig.Config) {
		config.AfterConnect = whenMoved(&made)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unavailable(err)
	}
	made.Store(pool)
	return pool, nil
}

// configure sets the defaults of [NewPool], unless the connection string has other settings.
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
		setDefault(c, "jit", "off")
		setDefault(c, "statement_timeout", opts.statementTimeout())
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

// connectError is a failure to connect. Its text has one line, whereas pgx writes a line for each attempt.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// Error lists each different attempt once. It omits "server refused TLS connection" if there are other attempts: that
// is the first half of sslmode=prefer.
func (e *connectError) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	var attempts []string
	for _, line := range lines[1:] {
		if line = strings.TrimSpace(line); !slices.Contains(attempts, line) {
			attempts = append(attempts, line)
		}
	}
	informative := slices.DeleteFunc(slices.Clone(attempts), func(line string) bool {
		return strings.HasSuffix(line, "server refused TLS connection")
	})
	if len(informative) == 0 {
		informative = attempts
	}
	return "postgres: " + strings.TrimSpace(lines[0]+" "+strings.Join(informative, "; "))
}

// errBadConnectionString shows no part of the string. However the string is split, a part may be a piece of the
// password.
var errBadConnectionString = errors.New("postgres: not a connection string of the form postgres://user:password@host:5432/database, or a setting in it has a wrong value; " +
	"in user and password write / ? # @ : % as %2F %3F %23 %40 %3A %25, in keyword=value strings quote values with blanks")

// ParseConfig parses a connection string as [pgxpool.ParseConfig] does, for a pool that is given to [New]. It rejects
// strings in which a password is probably misplaced, because errors of connecting would show it. [NewPool] and
// [Options.Replicas] use ParseConfig.
//
// The OnNotice handler of the result detects commits that did not reach the synchronous standby. A program that sets
// another handler must call this one in it.
//
// Errors: an error that describes the right form and shows no part of the string.
func ParseConfig(connection string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(connection)
	if err != nil || hasMisplacedPassword(connection) || !hasValidSettings(&config.ConnConfig.Config) {
		return nil, errBadConnectionString
	}
	recordWarnings(&config.ConnConfig.Config)
	return config, nil
}

// hasMisplacedPassword reports whether a URL has an @ after the end of its authority (RFC 3986, section 3.2). The
// password then probably has a character that is not encoded, and errors would show the part before it as the port.
func hasMisplacedPassword(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.Contains(rest[end:], "@")
}

// settingName matches names of settings (manual, section 20.1.1).
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// hasValidSettings reports whether the runtime parameters have the form of settings. A URL with a misspelled scheme is
// parsed as a setting, and the server would repeat it in its error.
func hasValidSettings(config *pgconn.Config) bool {
	for name := range config.RuntimeParams {
		if !settingName.MatchString(name) {
			return false
		}
	}
	return true
}

// hideSetting replaces an error in which the server repeats the name or value of a setting. In "password=top secret=x",
// that is a piece of the password.
func hideSetting(config *pgconn.Config, err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch server.Code {
	case "08P01", "22023", "42501", "42602", "42704", "55P02":
	default:
		return err
	}
	for name := range config.RuntimeParams {
		if strings.Contains(strings.ToLower(server.Message), strings.ToLower(name)) {
			return fmt.Errorf("the server rejects a setting of the connection string (SQLSTATE %s)", server.Code)
		}
	}
	return err
}

// TCP settings of [NewPool]. They detect a host that has disappeared 30 seconds after its last sign of life.
const (
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 4
	// userTimeout limits how long sent data may remain unacknowledged (TCP_USER_TIMEOUT, tcp(7)). Without it, Linux
	// retransmits for a quarter of an hour.
	userTimeout = keepAliveIdle + keepAliveCount*keepAliveInterval
)

// dial returns a function that makes connections with the given timeout.
func dial(timeout time.Duration) pgconn.DialFunc {
	d := &net.Dialer{
		Timeout: timeout,
		Control: setUserTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	return d.DialContext
}
