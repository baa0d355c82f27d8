package postgres_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// checks is how much the kit draws at random for each way: a server is not as
// fast as memory.
const checks = 5

func TestConformance(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			storetest.Options{Checks: checks}.Run(t, way.empty)
		})
	}
}

// TestConformanceOnTablesMadeByHand runs the families that depend on what columns
// are like on tables that sort text by a language and hand out keys differently.
func TestConformanceOnTablesMadeByHand(t *testing.T) {
	byHand := strings.NewReplacer(` COLLATE "C"`, "", "BY DEFAULT AS IDENTITY", "ALWAYS AS IDENTITY", " DEFAULT gen_random_uuid()", "")
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		schema := pgtest.Schema(tb)
		for _, sql := range postgres.DDL(schema, m)[1:] {
			execute(tb, byHand.Replace(sql))
		}
		return postgres.New(pool(tb, pgtest.URL(tb)), schema, postgres.Options{})
	}
	for _, c := range storetest.Cases() {
		switch c.Family {
		case "order", "filter", "cursor", "write", "batch", "ids":
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, storetest.Options{}) })
		}
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

// empty returns a backend on a schema of its own, on connections that the tests
// share: making connections is what costs most.
func (w way) empty(tb testing.TB, m *core.Model) core.Backend {
	tb.Helper()
	schema := pgtest.Schema(tb)
	if err := postgres.Migrate(tb.Context(), pool(tb, pgtest.URL(tb)), schema, m); err != nil {
		tb.Fatal(err)
	}
	server := w.server(tb)
	if w.mode != "" {
		server = with(tb, server, "default_query_exec_mode", w.mode)
	}
	return postgres.New(pool(tb, server), schema, w.opts)
}
