package postgres_test

import (
	"context"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

func TestConformance(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			storetest.Options{Checks: 10}.Run(t, way.empty)
		})
	}
}

// way is one in which programs reach a server.
type way struct {
	name   string
	server func(tb testing.TB) string
	mode   string
	opts   postgres.Options
}

var ways = []way{
	{name: "direct", server: pgtest.URL},
	{name: "simple protocol", server: pgtest.URL, mode: "simple_protocol"},
	{name: "bouncer", server: pgtest.Bouncer, mode: "cache_describe", opts: postgres.Options{Bouncer: true}},
}

// url returns the connection string of the server with the way's mode.
func (w way) url(tb testing.TB) string {
	tb.Helper()
	u, err := url.Parse(w.server(tb))
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	if w.mode != "" {
		q.Set("default_query_exec_mode", w.mode)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// empty returns a backend on a schema of its own, on connections that the tests
// share: making connections is what costs most.
func (w way) empty(tb testing.TB, m *core.Model) core.Backend {
	tb.Helper()
	schema := pgtest.Schema(tb)
	if err := postgres.Migrate(tb.Context(), pool(tb, pgtest.URL(tb)), schema, m); err != nil {
		tb.Fatal(err)
	}
	return postgres.New(pool(tb, w.url(tb)), schema, w.opts)
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
