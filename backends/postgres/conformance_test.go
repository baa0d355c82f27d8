package postgres_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
			server := way.server(t)
			if way.mode != "" {
				server = with(t, server, "default_query_exec_mode", way.mode)
			}
			schemas := &schemas{t: t, make: func(schema string, m *core.Model) {
				if err := postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m); err != nil {
					t.Fatal(err)
				}
			}}
			storetest.Options{Checks: checks}.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
				tb.Helper()
				return schemas.backend(tb, m, pool(tb, server), way.opts)
			})
		})
	}
}

// TestConformanceOnTablesMadeByHand runs the families that depend on what columns
// are like on tables that sort text by a language and hand out keys differently.
func TestConformanceOnTablesMadeByHand(t *testing.T) {
	byHand := strings.NewReplacer(` COLLATE "C"`, "", "BY DEFAULT AS IDENTITY", "ALWAYS AS IDENTITY", " DEFAULT gen_random_uuid()", "")
	schemas := &schemas{t: t, make: func(schema string, m *core.Model) {
		for _, sql := range postgres.DDL(schema, m)[1:] {
			execute(t, byHand.Replace(sql))
		}
	}}
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.backend(tb, m, pool(tb, pgtest.URL(tb)), postgres.Options{})
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

// schemas are those of one test that the kit's cases use one after the other, or
// some at a time: to empty one takes a tenth of the time that making one takes.
type schemas struct {
	t    *testing.T
	make func(schema string, m *core.Model)

	mu   sync.Mutex
	free []string
}

// backend returns one on an empty schema, which is free again when it is closed.
func (s *schemas) backend(tb testing.TB, m *core.Model, p *pgxpool.Pool, opts postgres.Options) core.Backend {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		schema := pgtest.Schema(s.t)
		s.make(schema, m)
		s.free = append(s.free, schema)
	}
	schema := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	empty(tb, schema, m)
	return &borrowed{postgres.New(p, schema, opts), s, schema}
}

type borrowed struct {
	*postgres.Backend

	from   *schemas
	schema string
}

func (b *borrowed) Close() error {
	b.from.mu.Lock()
	defer b.from.mu.Unlock()
	b.from.free = append(b.from.free, b.schema)
	return b.Backend.Close()
}

// empty removes all rows and starts all sequences anew.
func empty(tb testing.TB, schema string, m *core.Model) {
	tb.Helper()
	batch := &pgx.Batch{}
	batch.Queue("SET LOCAL lock_timeout = '10s'") // a transaction that was left open
	for _, r := range m.Resources() {
		table := pgx.Identifier{schema, r.Name()}.Sanitize()
		batch.Queue("DELETE FROM " + table)
		if r.Key().Type() == core.Int {
			batch.Queue("SELECT setval(pg_get_serial_sequence($1, $2), 1, false)", table, r.Key().Name())
		}
	}
	if err := pool(tb, pgtest.URL(tb)).SendBatch(tb.Context(), batch).Close(); err != nil {
		tb.Fatal(err)
	}
}
