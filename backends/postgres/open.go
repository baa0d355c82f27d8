package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
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

// unreachedError is the error of a server that could not be reached or let us not in. Its
// text has one line, where pgx writes one for each attempt.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// Error names each attempt once. That a server does not do TLS is left out where others
// are left: it is the first half of what sslmode=prefer asks for.
func (e *connectError) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	var attempts []string
	for _, line := range lines[1:] {
		if line = strings.TrimSpace(line); !slices.Contains(attempts, line) {
			attempts = append(attempts, line)
		}
	}
	telling := slices.DeleteFunc(slices.Clone(attempts), func(line string) bool {
		return strings.HasSuffix(line, "server refused TLS connection")
	})
	if len(telling) == 0 {
		telling = attempts
	}
	return "postgres: " + strings.TrimSpace(lines[0]+" "+strings.Join(telling, "; "))
}

// errBadURL shows nothing of the string: wherever it is cut wrongly, a piece of the
// password may be.
var errBadConnectionString = errors.New("postgres: not a connection string such as postgres://user:password@host:5432/database, or one with a wrong setting; " +
	"in user and password write / ? # @ : % as %2F %3F %23 %40 %3A %25, between keywords and values quote blanks")

// ParseConfig reads a connection string as [pgxpool.ParseConfig] does, for a pool that
// is given to [New], and refuses what most likely has a password in the wrong place,
// where errors of connecting would show it. [Open] and [Options.Replicas] take what it
// takes.
//
// Its OnNotice is how the backend learns that a commit did not reach the synchronous
// standby. A program that sets another handler calls this one in it.
//
// Errors: one that says what to write, and shows nothing of the string.
func ParseConfig(connection string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(connection)
	if err != nil || hasMisplacedPassword(connection) || !hasValidSettings(&config.ConnConfig.Config) {
		return nil, errBadConnectionString
	}
	recordSyncRepWarning(&config.ConnConfig.Config)
	return config, nil
}

// cutsPassword reports whether a URL has an @ behind what ends its authority
// (RFC 3986, section 3.2). Most likely the password has a character there that is
// not encoded, and what is before it would be taken for the port, and shown as
// such.
func hasMisplacedPassword(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.Contains(rest[end:], "@")
}

// setting matches the names of settings (manual, section 20.1.1).
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// namesSettings reports whether what the server is to be told of are settings. A URL
// with a wrong scheme passes for the name of one, which the server would repeat.
func hasValidSettings(config *pgconn.Config) bool {
	for name := range config.RuntimeParams {
		if !settingName.MatchString(name) {
			return false
		}
	}
	return true
}

// refusedSetting returns another error in place of one in which the server repeats the
// name or the value of a setting, which in "password=top secret=x" is a piece of the
// password.
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
			return fmt.Errorf("the server refuses a setting of the connection string (SQLSTATE %s)", server.Code)
		}
	}
	return err
}

// What [Open] asks of the kernel, so that a host that is gone without a word is noticed: 30
// seconds after the last sign of life.
const (
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 4
	// unacknowledged is how long data may be under way (TCP_USER_TIMEOUT, tcp(7)). Without
	// it, Linux sends them again for a quarter of an hour.
	userTimeout = keepAliveIdle + keepAliveCount*keepAliveInterval
)

// dial returns how connections are made, within a timeout.
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
