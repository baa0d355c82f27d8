package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// with returns a connection string with a setting more.
func with(tb testing.TB, connection, name, value string) string {
	tb.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

var (
	poolsMu sync.Mutex
	pools   = make(map[string]*pgxpool.Pool)
)

// pool returns connections that stay until the process ends.
func pool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	poolsMu.Lock()
	defer poolsMu.Unlock()
	if p := pools[url]; p != nil {
		return p
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		tb.Fatal(err)
	}
	config.MaxConns = 16
	if config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheDescribe { // a bouncer refuses it
		config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
	}
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	pools[url] = p
	return p
}

// execute runs a statement on the tests' server.
func execute(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	if _, err := pool(tb, pgtest.URL(tb)).Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// stored makes a schema of its own with these statements, where its name is
// written $S, and a store on it.
func stored(tb testing.TB, m *core.Model, statements ...string) (*core.Store, string) {
	tb.Helper()
	schema := pgtest.Schema(tb)
	for _, sql := range statements {
		execute(tb, inSchema(schema, sql))
	}
	store, err := core.New(tb.Context(), m, postgres.New(pool(tb, pgtest.URL(tb)), schema, postgres.Options{}))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store, schema
}

// inSchema writes the schema's name for each $S.
func inSchema(schema, sql string) string {
	return strings.ReplaceAll(sql, "$S", pgx.Identifier{schema}.Sanitize())
}

// record makes a record of a resource.
func record(tb testing.TB, r *core.Resource, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := r.NewRecord(fields)
	if err != nil {
		tb.Fatal(err)
	}
	return rec
}
