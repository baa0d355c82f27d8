package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// The ways in which programs reach a server.
var setUps = []struct {
	name string
	url  func(tb testing.TB) string
	opts postgres.Options
}{
	{name: "direct", url: pgtest.URL},
	{name: "simple protocol", url: func(tb testing.TB) string {
		return pgtest.URL(tb) + "&default_query_exec_mode=simple_protocol"
	}},
	{name: "bouncer", url: pgtest.Bouncer, opts: postgres.Options{Bouncer: true}},
}

func TestConformance(t *testing.T) {
	for _, s := range setUps {
		t.Run(s.name, func(t *testing.T) {
			storetest.Options{Checks: 10}.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
				return empty(tb, m, s.url(tb), s.opts)
			})
		})
	}
}

// empty returns a backend on a schema of its own that has what DDL writes.
func empty(tb testing.TB, m *core.Model, url string, opts postgres.Options) core.Backend {
	tb.Helper()
	schema := pgtest.Schema(tb)
	create(tb, schema, m)
	b, err := postgres.Open(tb.Context(), url, schema, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.Close() })
	return b
}

// create executes what DDL writes, in a schema that is there.
func create(tb testing.TB, schema string, m *core.Model) {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), pgtest.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.Migrate(tb.Context(), pool, schema, m); err != nil {
		tb.Fatal(err)
	}
}
