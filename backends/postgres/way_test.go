package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

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

// onForeignSchemas runs a suite on schemas as other programs make them: no
// constraint can be deferred, and the server itself cascades.
func onForeignSchemas(t *testing.T, suite func(t *testing.T, open storetest.Factory)) {
	t.Parallel()
	server := pool(t, pgtest.URL(t))
	schemas := newSchemas(server, func(m *core.Model) string {
		schema := pgtest.Schema(t)
		for _, sql := range foreignDDL(schema, m)[1:] {
			execute(t, sql)
		}
		return schema
	})
	suite(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.backend(tb, m, server, postgres.Options{})
	})
}

// foreignDDL is [postgres.DDL] as somebody else would have written it.
func foreignDDL(schema string, m *core.Model) []string {
	statements := postgres.DDL(schema, m)
	for i, sql := range statements {
		statements[i] = strings.TrimSuffix(sql, " DEFERRABLE INITIALLY DEFERRED")
		for _, r := range m.Resources() {
			for _, f := range r.References() {
				key := "ALTER TABLE " + pgx.Identifier{schema, r.Name()}.Sanitize() + " ADD FOREIGN KEY (" + pgx.Identifier{f.Name()}.Sanitize() + ")"
				if f.Cascade() && strings.HasPrefix(sql, key) {
					statements[i] += " ON DELETE CASCADE"
				}
			}
		}
	}
	return statements
}
