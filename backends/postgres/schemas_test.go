package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// schemas are those of one test that its cases use one after the other, or some at
// a time: to empty one takes a tenth of the time that making one takes.
type schemas struct {
	server *pgxpool.Pool
	make   func(m *core.Model) string // returns its name

	mu   sync.Mutex
	free map[string][]string // by what is in them
}

func newSchemas(server *pgxpool.Pool, create func(m *core.Model) string) *schemas {
	return &schemas{server: server, make: create, free: make(map[string][]string)}
}

// migratedSchemas are made by [postgres.Migrate] on the tests' server.
func migratedSchemas(t *testing.T) *schemas {
	server := pool(t, pgtest.URL(t))
	return newSchemas(server, func(m *core.Model) string {
		schema := pgtest.Schema(t)
		if err := postgres.Migrate(t.Context(), server, schema, m); err != nil {
			t.Fatal(err)
		}
		return schema
	})
}

// backend returns one on an empty schema, which is free again when it is closed.
func (s *schemas) backend(tb testing.TB, m *core.Model, p *pgxpool.Pool, opts postgres.Options) core.Backend {
	tb.Helper()
	content := strings.Join(postgres.DDL("", m), "")
	b := &borrowed{from: s, content: content, schema: s.take(content, m)}
	s.empty(tb, b.schema, m)
	b.open = func() *postgres.Backend { return postgres.New(p, b.schema, opts) }
	b.Backend = b.open()
	return b
}

func (s *schemas) take(content string, m *core.Model) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := s.free[content]
	if len(free) == 0 {
		return s.make(m)
	}
	s.free[content] = free[:len(free)-1]
	return free[len(free)-1]
}

// borrowed is a backend that gives its schema back.
type borrowed struct {
	*postgres.Backend

	from            *schemas
	content, schema string
	open            func() *postgres.Backend
}

func (b *borrowed) Close() error {
	b.from.mu.Lock()
	defer b.from.mu.Unlock()
	b.from.free[b.content] = append(b.from.free[b.content], b.schema)
	return b.Backend.Close()
}

// reopened returns a backend on the schema that one was closed on.
func reopened(_ testing.TB, closed core.Backend) core.Backend {
	b := *closed.(*borrowed)
	b.from.mu.Lock()
	defer b.from.mu.Unlock()
	b.from.free[b.content] = slices.DeleteFunc(b.from.free[b.content], func(s string) bool { return s == b.schema })
	b.Backend = b.open()
	return &b
}

// empty removes all rows, in one statement because not all constraints can be
// deferred, and starts all sequences anew.
func (s *schemas) empty(tb testing.TB, schema string, m *core.Model) {
	tb.Helper()
	batch := &pgx.Batch{}
	batch.Queue("SET LOCAL lock_timeout = '10s'") // a transaction that was left open
	deletes := make([]string, len(m.Resources()))
	for i, r := range m.Resources() {
		table := pgx.Identifier{schema, r.Name()}.Sanitize()
		deletes[i] = fmt.Sprintf("r%d AS (DELETE FROM %s)", i, table)
		if r.Key().Type() == core.Int {
			batch.Queue("SELECT setval(pg_get_serial_sequence($1, $2), 1, false)", table, r.Key().Name())
		}
	}
	batch.Queue("WITH " + strings.Join(deletes, ", ") + " SELECT")
	if err := s.server.SendBatch(tb.Context(), batch).Close(); err != nil {
		tb.Fatal(err)
	}
}
