package postgres_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// way is one in which programs reach a server.
type way struct {
	name   string
	server func(tb testing.TB) string
	mode   string
	opts   postgres.Options
}

var ways = []way{
	{name: "direct", server: pgtest.URL},
	{name: "bouncer", server: pgtest.Bouncer, mode: "cache_describe", opts: postgres.Options{Bouncer: true}},
	{name: "simple protocol", server: pgtest.URL, mode: "simple_protocol"},
}

// url is a connection string of the way.
func (w way) url(tb testing.TB) string {
	tb.Helper()
	if w.mode == "" {
		return w.server(tb)
	}
	return with(tb, w.server(tb), "default_query_exec_mode", w.mode)
}

// onEachWay runs a suite for each way, all at the same time.
func onEachWay(t *testing.T, suite func(t *testing.T, open storetest.Factory)) {
	t.Parallel()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			server := way.url(t)
			schemas := migratedSchemas(t)
			suite(t, func(tb testing.TB, m *core.Model) core.Backend {
				tb.Helper()
				return schemas.backend(tb, m, pool(tb, server), way.opts)
			})
		})
	}
}
