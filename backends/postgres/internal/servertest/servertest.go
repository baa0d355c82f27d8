// Package servertest has helpers for tests of the backend on a real server: pools, schemas, stores, and the connection
// modes that programs use.
package servertest

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Cookies is a model of two resources with a relation.
var Cookies = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

// Numbered is a model of one resource with an integer key and a name.
var Numbered = core.MustModel("numbered", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text},
}})

// With returns a connection string with one more setting.
func With(tb testing.TB, connection, name, value string) string {
	tb.Helper()
	u, err := url.Parse(connection)
	Must(tb, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

var (
	poolsMu sync.Mutex
	pools   = make(map[string]*pgxpool.Pool)
)

// Pool returns a pool that the tests of the process share. It is never closed.
func Pool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	poolsMu.Lock()
	defer poolsMu.Unlock()
	if p := pools[url]; p != nil {
		return p
	}
	config, err := postgres.ParseConfig(url)
	Must(tb, err)
	config.MaxConns = 16
	if config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheDescribe { // PgBouncer rejects the settings
		config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
		config.ConnConfig.RuntimeParams["jit"] = "off" // as in Open
	}
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	Must(tb, err)
	pools[url] = p
	return p
}

// OwnPool returns a pool that is closed with the test.
func OwnPool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	p, err := pgxpool.New(tb.Context(), url)
	Must(tb, err)
	tb.Cleanup(p.Close)
	return p
}

// Execute executes a statement on the shared test server.
func Execute(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	if _, err := Pool(tb, pgtest.URL(tb)).Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// InSchema replaces each $S by the quoted name of the schema.
func InSchema(schema, sql string) string {
	return strings.ReplaceAll(sql, "$S", pgx.Identifier{schema}.Sanitize())
}

// Store executes statements in a new schema, which is $S in them, and returns a store on the schema.
func Store(tb testing.TB, m *core.Model, statements ...string) (store *core.Store, schema string) {
	tb.Helper()
	schema = pgtest.Schema(tb)
	for _, sql := range statements {
		Execute(tb, InSchema(schema, sql))
	}
	store, err := core.New(tb.Context(), m, postgres.New(Pool(tb, pgtest.URL(tb)), schema, postgres.Options{}))
	Must(tb, err)
	tb.Cleanup(func() { _ = store.Close() })
	return store, schema
}

// Record makes a record of a resource.
func Record(tb testing.TB, r *core.Resource, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := r.NewRecord(fields)
	Must(tb, err)
	return rec
}

// Must stops the test if there is an error.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Value executes a query on a pool and returns the only value of its only row.
func Value[T any](tb testing.TB, p *pgxpool.Pool, sql string, args ...any) T {
	tb.Helper()
	rows, _ := p.Query(tb.Context(), sql, args...)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return v
}

// Version returns the major version of the shared test server, such as 15.
func Version(tb testing.TB) int {
	tb.Helper()
	return Value[int](tb, Pool(tb, pgtest.URL(tb)), "SELECT current_setting('server_version_num')::int / 10000")
}

// Query executes a query on a connection of its own and returns the string in the first row; "" if there is no row.
func Query(tb testing.TB, url, sql string, args ...any) (value string) {
	tb.Helper()
	c, err := pgx.Connect(tb.Context(), url)
	Must(tb, err)
	defer func() { _ = c.Close(context.Background()) }()
	if err := c.QueryRow(tb.Context(), sql, args...).Scan(&value); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		tb.Fatalf("%s: %v", sql, err)
	}
	return value
}

// Mode is a way in which programs connect to a server.
type Mode struct {
	Name     string
	Server   func(tb testing.TB) string // starts it if necessary and returns its connection string
	ExecMode string                     // pgx's default_query_exec_mode; "" for its default
	Options  postgres.Options
}

// Modes lists the tested modes: directly, through PgBouncer, and with the simple query protocol.
var Modes = []Mode{
	{Name: "direct", Server: pgtest.URL},
	{Name: "bouncer", Server: pgtest.Bouncer, ExecMode: "cache_describe", Options: postgres.Options{Bouncer: true}},
	{Name: "simple protocol", Server: pgtest.URL, ExecMode: "simple_protocol"},
}

// URL returns the connection string of the mode for the shared test server.
func (m Mode) URL(tb testing.TB) string {
	tb.Helper()
	return m.Connection(tb, m.Server(tb))
}

// Connection returns a connection string with the protocol of the mode.
func (m Mode) Connection(tb testing.TB, url string) string {
	tb.Helper()
	if m.ExecMode == "" {
		return url
	}
	return With(tb, url, "default_query_exec_mode", m.ExecMode)
}

// Main runs the tests of a package with fewer random cases and rounds than the suites have by default, because a server is
// slower than memory and the suites run in several modes. The flag -rapid.checks or the environment variable RAPID_CHECKS,
// and LARDER_ROUNDS, set other numbers.
func Main(m *testing.M) {
	const rounds = "LARDER_ROUNDS"
	err := os.Setenv(rounds, cmp.Or(os.Getenv(rounds), "10"))
	if err == nil && os.Getenv("RAPID_CHECKS") == "" {
		err = flag.Set("rapid.checks", "25") // the command line is parsed later
	}
	if err != nil {
		panic(err)
	}
	m.Run()
}
