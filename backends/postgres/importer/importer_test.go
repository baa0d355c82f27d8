package importer_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
)

func TestMissingSchemaIsNamed(t *testing.T) {
	_, err := importer.Read(t.Context(), importertest.Connect(t), "no such")
	if err == nil || err.Error() != `import of schema "no such": the database has no schema "no such"` {
		t.Errorf("got %v", err)
	}
}

func TestSchemaWithoutTables(t *testing.T) {
	got := importertest.Import(t, "CREATE SEQUENCE s; CREATE TYPE c AS (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
	if len(got.Resources) != 0 || len(got.Notes) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestCancelledContextStopsRead(t *testing.T) {
	conn := importertest.Connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := importer.Read(ctx, conn, "public"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReadKeepsSessionSettings(t *testing.T) {
	conn := importertest.Connect(t)
	settings := func() (all []string) {
		rows, err := conn.Query(t.Context(), "SELECT name || '=' || setting FROM pg_settings ORDER BY name")
		if err != nil {
			t.Fatal(err)
		}
		if all, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := settings()
	if _, err := importer.Read(t.Context(), conn, "public"); err != nil {
		t.Fatal(err)
	}
	importertest.Expect(t, "settings", settings(), before)
}

func TestReadNeedsNoPrivilege(t *testing.T) {
	conn, schema := importertest.Connect(t), pgtest.Schema(t)
	quoted := pgx.Identifier{schema}.Sanitize()
	role := pgx.Identifier{"unprivileged " + schema}.Sanitize()
	setUp := "CREATE TABLE " + quoted + ".a (id int PRIMARY KEY, d text DEFAULT 'x', e int REFERENCES " + quoted + ".a);" +
		"CREATE ROLE " + role + "; SET ROLE " + role
	if _, err := conn.Exec(t.Context(), setUp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Exec(context.Background(), "RESET ROLE; DROP ROLE "+role) })
	got, err := importer.Read(t.Context(), conn, schema)
	if err != nil {
		t.Fatal(err)
	}
	importertest.Expect(t, "a", importertest.Fields(t, got, "a"), []string{"id int key", "d text default x", "e -> a restrict", "a_by_e ->> a of e readonly"})
}

func TestReadWorksInEveryProtocol(t *testing.T) {
	want, err := importer.Read(t.Context(), importertest.Connect(t), "pg_catalog")
	if err != nil || len(want.Resources) == 0 {
		t.Fatal(err)
	}
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		config, err := pgx.ParseConfig(pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		got, err := importer.Read(t.Context(), conn, "pg_catalog")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, or another result", mode, err)
		}
		_ = conn.Close(t.Context())
	}
}
