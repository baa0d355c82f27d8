package servertest

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

// Schemas is a set of schemas that the cases of a suite reuse. Deleting all rows of a schema takes a tenth of the time of
// creating one.
type Schemas struct {
	server *pgxpool.Pool
	create func(m *core.Model) (name string)

	mu   sync.Mutex
	free map[string][]string // by the DDL of their models
}

// NewSchemas returns an empty set. The function create makes a schema for a model on the server.
func NewSchemas(server *pgxpool.Pool, create func(m *core.Model) (name string)) *Schemas {
	return &Schemas{server: server, create: create, free: make(map[string][]string)}
}

// MigratedSchemas returns a set of schemas that [postgres.Migrate] makes on the shared test server.
func MigratedSchemas(t *testing.T) *Schemas {
	t.Helper()
	server := Pool(t, pgtest.URL(t))
	return NewSchemas(server, func(m *core.Model) string {
		schema := pgtest.Schema(t)
		Must(t, postgres.Migrate(t.Context(), server, schema, m))
		return schema
	})
}

// Backend returns a backend on an empty schema for the model. Closing the backend frees the schema.
func (s *Schemas) Backend(tb testing.TB, m *core.Model, p *pgxpool.Pool, opts postgres.Options) core.Backend {
	tb.Helper()
	return s.BackendWith(tb, m, p, func(string) postgres.Options { return opts })
}

// BackendWith is Backend with options that depend on the name of the schema.
func (s *Schemas) BackendWith(tb testing.TB, m *core.Model, p *pgxpool.Pool, opts func(schema string) postgres.Options) core.Backend {
	tb.Helper()
	ddl := strings.Join(postgres.DDL("", m), "")
	b := &pooled{set: s, ddl: ddl, schema: s.take(ddl, m)}
	s.clear(tb, b.schema, m)
	b.open = func() *postgres.Backend { return postgres.New(p, b.schema, opts(b.schema)) }
	b.Backend = b.open()
	return b
}

// Reopen returns a backend on the schema of a closed one. It is for storetest's option Reopen.
func Reopen(_ testing.TB, closed core.Backend) core.Backend {
	b := *closed.(*pooled)
	b.set.mu.Lock()
	defer b.set.mu.Unlock()
	b.set.free[b.ddl] = slices.DeleteFunc(b.set.free[b.ddl], func(s string) bool { return s == b.schema })
	b.Backend = b.open()
	return &b
}

func (s *Schemas) take(ddl string, m *core.Model) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := s.free[ddl]
	if len(free) == 0 {
		return s.create(m)
	}
	s.free[ddl] = free[:len(free)-1]
	return free[len(free)-1]
}

// clear deletes all rows, in one statement because not all constraints can be deferred, and resets all sequences.
func (s *Schemas) clear(tb testing.TB, schema string, m *core.Model) {
	tb.Helper()
	batch := &pgx.Batch{}
	batch.Queue("SET LOCAL lock_timeout = '10s'") // so that an open transaction fails the test
	deletes := make([]string, len(m.Stored()))
	for i, r := range m.Stored() {
		table := pgx.Identifier{schema, r.Name()}.Sanitize()
		deletes[i] = fmt.Sprintf("r%d AS (DELETE FROM %s)", i, table)
		if r.Key().Type() == core.Int {
			batch.Queue("SELECT setval(pg_get_serial_sequence($1, $2), 1, false)", table, r.Key().Name())
		}
	}
	batch.Queue("WITH " + strings.Join(deletes, ", ") + " SELECT")
	Must(tb, s.server.SendBatch(tb.Context(), batch).Close())
}

// pooled is a backend that frees its schema when it is closed.
type pooled struct {
	*postgres.Backend

	set         *Schemas
	ddl, schema string
	open        func() *postgres.Backend
}

func (b *pooled) Close() error {
	b.set.mu.Lock()
	defer b.set.mu.Unlock()
	b.set.free[b.ddl] = append(b.set.free[b.ddl], b.schema)
	return b.Backend.Close()
}
