//go:build citus

package citustest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

// schema makes a schema that Citus distributes as a whole.
func schema(tb testing.TB) string {
	tb.Helper()
	name := pgtest.Schema(tb)
	servertest.Execute(tb, "SELECT citus_schema_distribute($1::text::regnamespace)", pgx.Identifier{name}.Sanitize())
	return name
}

// perTenant makes the backends of a kit, each on a schema of its own.
func perTenant(t *testing.T) storetest.Factory {
	t.Helper()
	server := servertest.Pool(t, pgtest.URL(t))
	return factory(t, servertest.NewSchemas(server, func(m *core.Model) string {
		name := schema(t)
		servertest.Must(t, postgres.Migrate(t.Context(), server, name, m))
		return name
	}))
}

func factory(t *testing.T, schemas *servertest.Schemas) storetest.Factory {
	t.Helper()
	server := servertest.Pool(t, pgtest.URL(t))
	return func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, server, postgres.Options{})
	}
}

func TestConformance(t *testing.T) {
	storetest.Options{Checks: 3, Reopen: servertest.Reopen}.Run(t, perTenant(t))
}

func TestEngineRules(t *testing.T) { enginetest.Run(t, perTenant(t)) }

func TestRESTRules(t *testing.T) { resttest.Run(t, perTenant(t)) }

func TestManyWritersNumberIssues(t *testing.T) { resttest.Numbering(t, perTenant(t), 16, 5) }

func TestConcurrentClientsOnToMany(t *testing.T) { enginetest.Crowd(t, perTenant(t)) }

// Tables that Citus does not distribute stay on the coordinator.
func TestConformanceOnTablesOfTheCoordinator(t *testing.T) {
	storetest.Options{Checks: 3, Reopen: servertest.Reopen}.Run(t, factory(t, servertest.MigratedSchemas(t)))
}

func TestEachTableHasOneShard(t *testing.T) {
	name := schema(t)
	server := servertest.Pool(t, pgtest.URL(t))
	servertest.Must(t, postgres.Migrate(t.Context(), server, name, servertest.Cookies))
	shards := servertest.Value[int64](t, server, `SELECT count(*) FROM pg_dist_shard s JOIN pg_class c ON c.oid = s.logicalrelid
		WHERE c.relnamespace = $1::text::regnamespace`, pgx.Identifier{name}.Sanitize())
	if tables := int64(len(servertest.Cookies.Stored())); shards != tables {
		t.Errorf("%d tables have %d shards", tables, shards)
	}
}

func TestTablesThatAreNotSerializable(t *testing.T) {
	for _, c := range []struct{ name, distribute, problem string }{
		{"several shards", "SELECT create_distributed_table('$S.row', 'id', colocate_with => 'none')", "several shards"},
		{"reference table", "SELECT create_reference_table('$S.row')", "reference table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := pgtest.Schema(t)
			server := servertest.Pool(t, pgtest.URL(t))
			servertest.Must(t, postgres.Migrate(t.Context(), server, name, servertest.Numbered))
			servertest.Execute(t, servertest.InSchema(name, c.distribute))
			_, err := core.New(t.Context(), servertest.Numbered, postgres.New(server, name, postgres.Options{}))
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestConnectionToAWorkerIsAnError(t *testing.T) {
	name := schema(t)
	server := servertest.Pool(t, pgtest.URL(t))
	servertest.Must(t, postgres.Migrate(t.Context(), server, name, servertest.Numbered))
	host := servertest.Value[string](t, server, "SELECT nodename FROM pg_dist_node WHERE shouldhaveshards AND groupid > 0 ORDER BY nodeid LIMIT 1")
	port := servertest.Value[int64](t, server, "SELECT nodeport::bigint FROM pg_dist_node WHERE shouldhaveshards AND groupid > 0 ORDER BY nodeid LIMIT 1")
	worker := servertest.With(t, servertest.With(t, pgtest.URL(t), "host", host), "port", strconv.FormatInt(port, 10))
	_, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.OwnPool(t, worker), name, postgres.Options{}))
	if err == nil || !strings.Contains(err.Error(), "coordinator") {
		t.Errorf("got %v", err)
	}
}

// numbered opens a store of a model with one resource, on a distributed schema with this name.
func numbered(t *testing.T) (s *core.Store, row *core.Resource, name string) {
	t.Helper()
	name = schema(t)
	s, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, pgtest.URL(t)), name, postgres.Options{Migrate: true}))
	servertest.Must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, servertest.Numbered.Resource("row"), name
}

// The worker may have committed if its connection ends before it answers.
func TestCommitWithoutAnswerOfTheWorker(t *testing.T) {
	s, row, _ := numbered(t)
	attempts := 0
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		attempts++
		if _, err := tx.Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "lost"})); err != nil {
			return err
		}
		servertest.Execute(t, `SELECT result FROM run_command_on_workers($$SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name LIKE 'citus_internal%' AND state = 'idle in transaction' AND query LIKE '%lost%'$$)`)
		return nil
	})
	if !errors.Is(err, core.ErrCommitUnknown) || attempts != 1 {
		t.Errorf("got %v after %d attempts", err, attempts)
	}
	if n, err := s.Count(t.Context(), row, core.All()); err != nil || n > 0 {
		t.Errorf("the terminated worker has %d rows, %v", n, err)
	}
}

func TestSchemaMovesWhileClientsWrite(t *testing.T) {
	s, row, name := numbered(t)
	done, written := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-done:
				written <- n
				return
			default:
			}
			if _, err := s.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "x"})); err == nil {
				n++
			} else if e := core.AsError(err); e.Code != core.Unavailable {
				t.Errorf("insert: %v", err)
			}
		}
	}()
	admin := servertest.OwnPool(t, pgtest.URL(t)) // READ COMMITTED
	for range 2 {
		_, err := admin.Exec(t.Context(), `SELECT citus_schema_move($1::text::regnamespace, n.nodename, n.nodeport, 'block_writes')
			FROM pg_dist_node n WHERE n.shouldhaveshards AND n.groupid > 0 AND n.groupid NOT IN (
				SELECT p.groupid FROM pg_dist_placement p JOIN pg_dist_shard s USING (shardid) JOIN pg_class c ON c.oid = s.logicalrelid
				WHERE c.relnamespace = $1::text::regnamespace) LIMIT 1`, pgx.Identifier{name}.Sanitize())
		if err != nil {
			t.Errorf("move: %v", err)
		}
	}
	close(done)
	n := <-written
	found, err := s.Count(t.Context(), row, core.All())
	if err != nil || found != n || n == 0 {
		t.Errorf("%d inserts were acknowledged, the table has %d rows, %v", n, found, err)
	}
}

func TestColumnsOfOtherTypes(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "mood", Type: core.Text},
		{Name: "day", Type: core.Text},
		{Name: "price", Type: core.Text},
		{Name: "ratio", Type: core.Float},
		{Name: "doc", Type: core.JSON},
	}})
	name := pgtest.Schema(t)
	for _, sql := range []string{
		"CREATE TYPE $S.mood AS ENUM ('good', 'bad')",
		"CREATE TABLE $S.row (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, mood $S.mood, day date, price numeric(6, 2), ratio real, doc json)",
		"SELECT citus_schema_distribute('$S'::regnamespace)",
	} {
		servertest.Execute(t, servertest.InSchema(name, sql))
	}
	s, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), name, postgres.Options{}))
	servertest.Must(t, err)
	defer s.Close() //nolint:errcheck // nothing is open
	row := m.Resource("row")
	first := servertest.Record(t, row, map[string]any{"mood": "good", "day": "2026-11-30", "price": "1.50", "ratio": 34.8, "doc": map[string]any{"a": 1}})
	second := servertest.Record(t, row, map[string]any{"mood": "bad"})
	written, err := s.Insert(t.Context(), row, first, second)
	servertest.Must(t, err)
	same := func(label string, got core.Record, want core.Record) {
		t.Helper()
		for _, f := range row.Columns()[1:] {
			if got.At(f.Column()) != want.At(f.Column()) && (got.At(f.Column()).IsSet() || want.At(f.Column()).IsSet()) {
				t.Errorf("%s: %s is %v, want %v", label, f, got.At(f.Column()), want.At(f.Column()))
			}
		}
	}
	same("first", written[0], first)
	same("second", written[1], second)
	change := func(of, to core.Record) core.Record { return of.With(row.Key().Column(), to.Key()) }
	updated, err := s.Update(t.Context(), row, change(second, written[0]), change(first, written[1]))
	servertest.Must(t, err)
	same("second after the update", updated[1], first)
	if mood := row.Field("mood").Column(); updated[0].At(mood) != second.At(mood) {
		t.Errorf("first after the update: %v", updated[0])
	}
	updated, err = s.Update(t.Context(), row, change(first, written[0]))
	servertest.Must(t, err)
	same("first after its own update", updated[0], first)
	_, err = s.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"mood": "unknown"}))
	if e := core.AsError(err); e.Code != core.BadFieldValue || e.Field != "mood" {
		t.Errorf("an unknown label: %v", err)
	}
}

func TestMigrateMakesADistributedSchema(t *testing.T) {
	name := pgtest.Schema(t) // dropped after the test, also if it is made again
	servertest.Execute(t, servertest.InSchema(name, "DROP SCHEMA $S"))
	server := servertest.OwnPool(t, servertest.With(t, pgtest.URL(t), "citus.enable_schema_based_sharding", "on"))
	s, err := core.New(t.Context(), servertest.Cookies, postgres.New(server, name, postgres.Options{Migrate: true}))
	servertest.Must(t, err)
	defer s.Close() //nolint:errcheck // nothing is open
	if n := servertest.Value[int64](t, server, "SELECT count(*) FROM citus_schemas WHERE schema_name = $1::text::regnamespace", pgx.Identifier{name}.Sanitize()); n != 1 {
		t.Errorf("%d distributed schemas", n)
	}
}
