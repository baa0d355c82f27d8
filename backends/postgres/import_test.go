package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// importConn is a connection of its own to the test server.
func importConn(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// importOf executes statements in a new schema and imports it. In the statements,
// SCHEMA stands for the schema's name, quoted.
func importOf(t *testing.T, sql string) *postgres.Imported {
	t.Helper()
	conn, schema := importConn(t), pgtest.Schema(t)
	quoted := pgx.Identifier{schema}.Sanitize()
	sql = strings.ReplaceAll(sql, "SCHEMA", quoted)
	if _, err := conn.Exec(t.Context(), "SET client_min_messages = warning; SET search_path = "+quoted+";"+sql); err != nil {
		t.Fatal(err)
	}
	got, err := postgres.Import(t.Context(), conn, schema)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// importFields returns the fields of a resource in short: name, type or relation,
// attributes.
func importFields(t *testing.T, in *postgres.Imported, resource string) []string {
	t.Helper()
	i := slices.IndexFunc(in.Resources, func(r core.ResourceSpec) bool { return r.Name == resource })
	if i < 0 {
		t.Fatalf("no resource %q; notes: %v", resource, in.Notes)
	}
	var out []string
	for _, f := range in.Resources[i].Fields {
		out = append(out, importField(f))
	}
	return out
}

func importField(f core.FieldSpec) string {
	parts := []string{f.Name}
	switch {
	case f.ToOne != "":
		parts = append(parts, "->", f.ToOne)
	case f.ToMany != "":
		parts = append(parts, "->>", f.ToMany)
	default:
		parts = append(parts, f.Type.String())
	}
	if f.Inverse != "" {
		parts = append(parts, "of", f.Inverse)
	}
	v := reflect.ValueOf(f)
	for _, name := range []string{"Key", "Cascade", "ReadOnly", "Unique", "Indexed"} {
		if v.FieldByName(name).Bool() {
			parts = append(parts, strings.ToLower(name))
		}
	}
	if f.Default != nil {
		parts = append(parts, fmt.Sprint("default ", f.Default))
	}
	return strings.Join(parts, " ")
}

func importExpect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// importNotes returns the notes of those kinds, as text.
func importNotes(in *postgres.Imported, kinds ...postgres.ImportKind) []string {
	var out []string
	for _, n := range in.Notes {
		if slices.Contains(kinds, n.Kind) {
			out = append(out, n.String())
		}
	}
	return out
}

func TestImportOfASchemaThatIsNotThereNamesIt(t *testing.T) {
	_, err := postgres.Import(t.Context(), importConn(t), "no such")
	if err == nil || err.Error() != `import of schema "no such": the database has no schema "no such"` {
		t.Errorf("got %v", err)
	}
}

func TestImportOfAnEmptySchemaIsEmpty(t *testing.T) {
	got := importOf(t, "CREATE SEQUENCE s; CREATE TYPE c AS (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
	if len(got.Resources) != 0 || len(got.Notes) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestImportEndsWithItsContext(t *testing.T) {
	conn := importConn(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Import(ctx, conn, "public"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestImportLeavesTheSessionAsItWas(t *testing.T) {
	conn := importConn(t)
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
	if _, err := postgres.Import(t.Context(), conn, "public"); err != nil {
		t.Fatal(err)
	}
	importExpect(t, "settings", settings(), before)
}

func TestImportNeedsNoPrivilege(t *testing.T) {
	conn, schema := importConn(t), pgtest.Schema(t)
	quoted := pgx.Identifier{schema}.Sanitize()
	role := pgx.Identifier{"nobody of " + schema}.Sanitize()
	setUp := "CREATE TABLE " + quoted + ".a (id int PRIMARY KEY, d text DEFAULT 'x', e int REFERENCES " + quoted + ".a);" +
		"CREATE ROLE " + role + "; SET ROLE " + role
	if _, err := conn.Exec(t.Context(), setUp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Exec(context.Background(), "RESET ROLE; DROP ROLE "+role) })
	got, err := postgres.Import(t.Context(), conn, schema)
	if err != nil {
		t.Fatal(err)
	}
	importExpect(t, "a", importFields(t, got, "a"), []string{"id int key", "d text default x", "e -> a", "a_by_e ->> a of e"})
}

func TestImportWorksInEveryProtocol(t *testing.T) {
	want, err := postgres.Import(t.Context(), importConn(t), "pg_catalog")
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
		got, err := postgres.Import(t.Context(), conn, "pg_catalog")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, or another result", mode, err)
		}
		_ = conn.Close(t.Context())
	}
}
