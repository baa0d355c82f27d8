package importer_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestKeyOfATableWithoutPrimaryKey(t *testing.T) {
	for _, c := range []struct {
		scenario, sql string
		want          []string
	}{
		{"unique column", `CREATE TABLE t (b int, a int UNIQUE NOT NULL)`, []string{"b int", "a int key"}},
		{"first of several columns", `CREATE TABLE t (b int UNIQUE, z text UNIQUE NOT NULL, a int UNIQUE NOT NULL)`, []string{"b int unique", "z text key", "a int unique"}},
		{"one column before a pair", `CREATE TABLE t (x int NOT NULL, y int NOT NULL, z int NOT NULL UNIQUE, UNIQUE (x, y))`, []string{"x int", "y int", "z int key"}},
		{"column of a type that a key can have", `CREATE TABLE t (x timestamptz NOT NULL UNIQUE, y uuid NOT NULL UNIQUE)`, []string{"x time unique", "y uuid key"}},
		{"unique in all rows, not deferred", `CREATE TABLE t (x int NOT NULL, y int NOT NULL UNIQUE DEFERRABLE, z int NOT NULL UNIQUE); CREATE UNIQUE INDEX ON t (x) WHERE y > 0`, []string{"x int", "y int unique", "z int key"}},
		{"foreign key to it", `CREATE TABLE t (a int UNIQUE NOT NULL); CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t (a))`, []string{"a int key", "u ->> u of t readonly"}},
		{"materialized view", `CREATE MATERIALIZED VIEW t AS SELECT 1 AS b, 'x' AS a; CREATE INDEX ON t (b); CREATE UNIQUE INDEX ON t (a)`, []string{"b int indexed", "a text key"}},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			got := importertest.Import(t, c.sql)
			importertest.Expect(t, "t", importertest.Fields(t, got, "t"), c.want)
			if _, err := importertest.Store(t, got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNamedKeysMakeReadOnlyResources(t *testing.T) {
	conn, schema := importertest.Connect(t), pgtest.Schema(t)
	quoted := pgx.Identifier{schema}.Sanitize()
	_, err := conn.Exec(t.Context(), strings.ReplaceAll(`
		CREATE TABLE SCHEMA.a (id int PRIMARY KEY, n int DEFAULT 7);
		CREATE VIEW SCHEMA.v AS SELECT id * 2 AS double, n FROM SCHEMA.a;
		ALTER VIEW SCHEMA.v ALTER n SET DEFAULT 3;
		COMMENT ON COLUMN SCHEMA.v.double IS 'twice';
		CREATE MATERIALIZED VIEW SCHEMA.m AS SELECT 1 AS x, 2 AS y;
		CREATE UNIQUE INDEX ON SCHEMA.m (x);
		CREATE TABLE SCHEMA.log (line int GENERATED ALWAYS AS IDENTITY, a int REFERENCES SCHEMA.a ON DELETE CASCADE, b int REFERENCES SCHEMA.a);
		CREATE EXTENSION IF NOT EXISTS file_fdw;
		CREATE SERVER SCHEMA FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE SCHEMA.f (id int, t text) SERVER SCHEMA OPTIONS (program 'echo 1:x', delimiter ':');
		INSERT INTO SCHEMA.a VALUES (4, 5);
		INSERT INTO SCHEMA.log (a) VALUES (4), (NULL)`, "SCHEMA", quoted))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Exec(context.Background(), "DROP SERVER "+quoted+" CASCADE") })
	opts := importer.Options{Keys: map[string][]string{"v": {"double"}, "m": {"y"}, "log": {"line"}, "f": {"id"}}}
	got, err := opts.Read(t.Context(), conn, schema)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"a":   {"id int key", "n int default 7", "log_by_a ->> log of a readonly", "log_by_b ->> log of b readonly"},
		"v":   {"double int key", "n int"},
		"m":   {"x int unique", "y int key"},
		"log": {"line int key", "a -> a", "b -> a"},
		"f":   {"id int key", "t text"},
	} {
		importertest.Expect(t, name, importertest.Fields(t, got, name), want)
	}
	importertest.Expect(t, "notes", importertest.Notes(got, importer.LeftOut, importer.Server)[1:], []string{
		"server: f: read-only, because it is a foreign table",
		"server: log: read-only, because the table has no key of its own",
		"server: log.log_a_fkey: its ON DELETE action changes the read-only table and bypasses all policies",
		"server: m: read-only, because it is a materialized view",
		"server: v: read-only, because it is a view",
	})
	store, err := importertest.Store(t, got)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"v": "[v{double:8 n:5}]", "m": "[m{x:1 y:2}]", "log": "[log{line:1 a:4 b:null} log{line:2 a:null b:null}]", "f": "[f{id:1 t:x}]"} {
		r := store.Model().Resource(name)
		page, err := store.Select(t.Context(), r, core.Query{})
		if text := strings.ReplaceAll(strings.TrimSpace(recordTexts(page.Records)), "\n", " "); err != nil || "["+text+"]" != want || !r.ReadOnly() {
			t.Errorf("%s: %s %v, want %s", name, text, err, want)
		}
	}
}

func recordTexts(records []core.Record) string {
	var b strings.Builder
	for _, rec := range records {
		b.WriteString(rec.String() + "\n")
	}
	return b.String()
}

func TestUnsuitableKeysAreNamed(t *testing.T) {
	conn, schema := importertest.Connect(t), pgtest.Schema(t)
	quoted := pgx.Identifier{schema}.Sanitize()
	_, err := conn.Exec(t.Context(), strings.ReplaceAll(`
		CREATE TABLE SCHEMA.a (id int PRIMARY KEY); CREATE TABLE SCHEMA.u (x int NOT NULL UNIQUE); CREATE VIEW SCHEMA.v AS SELECT 1 AS x;
		CREATE TABLE SCHEMA.p (id int) PARTITION BY HASH (id); CREATE TABLE SCHEMA.p0 PARTITION OF SCHEMA.p FOR VALUES WITH (MODULUS 1, REMAINDER 0)`, "SCHEMA", quoted))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		table   string
		columns []string
		want    string
	}{
		{"no such", []string{"x"}, `there is no table or view "no such"`},
		{"v", []string{"no such"}, `v has no column "no such", or the key has it twice`},
		{"v", []string{"x", "x"}, `v has no column x, or the key has it twice`},
		{"v", nil, `the key of v has no columns; name at least one`},
		{"a", []string{"id"}, `the table a has the key id; remove the entry`},
		{"u", []string{"x"}, `the table u has the key x; remove the entry`},
		{"p0", []string{"id"}, `p0 is a partition; name the partitioned table`},
	} {
		_, err := importer.Options{Keys: map[string][]string{c.table: c.columns}}.Read(t.Context(), conn, schema)
		if want := "import of schema " + strconv.Quote(schema) + ": Options.Keys: " + c.want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
