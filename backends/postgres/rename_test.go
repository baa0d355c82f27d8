package postgres_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// was is a model whose fields were renamed, the keys and a relation too.
var was = core.MustModel("m",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "nr", Type: core.Int, Key: true, Was: "id"},
		{Name: "kind", Type: core.Text, Unique: true, Was: "type"},
		{Name: "in", ToOne: "jar", Was: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "code", Type: core.Text, Key: true, Was: "id"}}},
)

const beforeRenaming = `
	CREATE TABLE $S.jar (id text COLLATE "C" PRIMARY KEY);
	CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, type text NOT NULL UNIQUE, jar text REFERENCES $S.jar);
	CREATE INDEX ON $S.cookie (jar, id);
	INSERT INTO $S.jar VALUES ('blue');
	INSERT INTO $S.cookie (type, jar) VALUES ('muffin', 'blue')`

// migrated makes a store on a schema that Migrate changes, and returns what it logs.
func migrated(t *testing.T, m *core.Model, statements string) (store *core.Store, schema, log string, err error) {
	t.Helper()
	schema = pgtest.Schema(t)
	execute(t, inSchema(schema, statements))
	var text strings.Builder
	opts := postgres.Options{Migrate: true, Logger: slog.New(slog.NewTextHandler(&text, nil))}
	store, err = core.New(t.Context(), m, postgres.New(pool(t, pgtest.URL(t)), schema, opts))
	if err == nil {
		t.Cleanup(func() { _ = store.Close() })
	}
	return store, schema, text.String(), err
}

func TestMigrateRenamesFieldsThatSayWhatTheyWere(t *testing.T) {
	store, schema, log, err := migrated(t, was, beforeRenaming)
	must(t, err)
	rec, err := store.Get(t.Context(), was.Resource("cookie"), core.IntValue(1))
	if err != nil || rec.String() != "cookie{nr:1 kind:muffin in:blue}" {
		t.Errorf("got %v %v", rec, err)
	}
	if log != "" {
		t.Errorf("logged %s", log)
	}
	var columns string
	row := pool(t, pgtest.URL(t)).QueryRow(t.Context(), `SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY 1) FROM (
		SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, 2) AS x`, schema)
	if err := row.Scan(&columns); err != nil || columns != "cookie.in cookie.kind cookie.nr jar.code" {
		t.Errorf("columns %s %v", columns, err)
	}
	var indexes int
	must(t, pool(t, pgtest.URL(t)).QueryRow(t.Context(), `SELECT count(*) FROM pg_indexes WHERE schemaname = $1`, schema).Scan(&indexes))
	if indexes != 4 {
		t.Errorf("%d indexes", indexes)
	}
	must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, was)) // again, which does nothing
}

func TestAStoreThatMayNotMigrateSaysWhatToRename(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, beforeRenaming))
	err := bind(t, schema, was)
	if err == nil || !strings.Contains(err.Error(), `cookie.kind: column is called "type"; Migrate renames it`) {
		t.Errorf("got %v", err)
	}
}

func TestMigrateDoesNotTakeARenameForANewColumn(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "kind", Type: core.Text},
	}})
	for _, c := range []struct{ name, sql, refused, logged string }{
		{
			"a column that must not be null", `CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, type text NOT NULL)`,
			`cookie: column "type", which the model does not name, must not be null and has no default; name it, let a renamed field say Was: "type", give it a default, or DROP NOT NULL`, "",
		},
		{
			"a column with data", `CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, type text, empty text); INSERT INTO $S.cookie (type) VALUES (NULL), ('muffin')`, "",
			`cookie: columns were added (kind), and the table has data in columns that the model does not name (type); let a renamed field say what it was, such as Was: \"type\"`,
		},
		{"a column without data", `CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, type text); INSERT INTO $S.cookie DEFAULT VALUES`, "", ""},
		{"nothing to add", `CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, type text, kind text); INSERT INTO $S.cookie (type) VALUES ('muffin')`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, log, err := migrated(t, m, c.sql)
			if (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Errorf("got %v, want %q", err, c.refused)
			}
			if (log != "") != (c.logged != "") || !strings.Contains(log, c.logged) {
				t.Errorf("logged %q, want %q", log, c.logged)
			}
		})
	}
}

func TestAFieldThatIsThereUnderBothNamesIsNotRenamed(t *testing.T) {
	store, _, log, err := migrated(t, was, beforeRenaming+`; ALTER TABLE $S.cookie ALTER type DROP NOT NULL, ADD kind text UNIQUE`)
	must(t, err)
	rec, err := store.Get(t.Context(), was.Resource("cookie"), core.IntValue(1))
	if err != nil || rec.String() != "cookie{nr:1 kind:null in:blue}" {
		t.Errorf("got %v %v", rec, err)
	}
	if want := `cookie.kind: the table has the columns \"kind\" and \"type\", and the field is called kind now and type before`; !strings.Contains(log, want) {
		t.Errorf("logged %q, want %q", log, want)
	}
}

func TestMigratePutsConstantDefaultsIntoOldRows(t *testing.T) {
	field := func(name string, typ core.Type, v any) core.FieldSpec {
		return core.FieldSpec{Name: name, Type: typ, Default: v}
	}
	m := core.MustModel("m",
		core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			field("int", core.Int, -3), field("float", core.Float, 1e300), field("text", core.Text, `it's \ "x"`), field("bool", core.Bool, true),
			field("time", core.Time, "2026-11-23T10:00:00.5Z"), field("uuid", core.UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
			field("bytes", core.Bytes, []byte{0, 255, '\''}), field("json", core.JSON, map[string]any{"a'": `\`}), field("list", core.List, []any{1, "x"}),
			{Name: "other", ToOne: "other", Default: 1}, field("computed", core.Int, func() any { return 1 }), field("none", core.Int, nil),
			{Name: "unique", Type: core.Int, Default: 1, Unique: true},
		}},
		core.ResourceSpec{Name: "other", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
	const tables = `CREATE TABLE $S.other (id bigserial PRIMARY KEY); INSERT INTO $S.other DEFAULT VALUES;
		CREATE TABLE $S.row (id bigserial PRIMARY KEY); INSERT INTO $S.row SELECT FROM generate_series(1, 2)`
	store, schema, log, err := migrated(t, m, tables)
	must(t, err)
	row := m.Resource("row")
	want := core.Record{}
	for id := range int64(2) {
		rec, err := store.Get(t.Context(), row, core.IntValue(id+1))
		must(t, err)
		for _, f := range row.Columns() {
			v, err := f.Default()
			must(t, err)
			if f.HasDefaultFunc() || f.Unique() || v.IsAbsent() {
				v = core.Null
			}
			if !f.Key() && rec.At(f.Column()) != v {
				t.Errorf("%s: got %v, want %v", f, rec.At(f.Column()), v)
			}
		}
		want = rec
	}
	var defaults int
	must(t, pool(t, pgtest.URL(t)).QueryRow(t.Context(), `SELECT count(*) FROM information_schema.columns
		WHERE table_schema = $1 AND column_default IS NOT NULL AND column_name <> 'id'`, schema).Scan(&defaults))
	if defaults != 0 || log != "" {
		t.Errorf("%d columns have a default of their own; logged %q; %v", defaults, log, want)
	}
}

func TestAddedAndChangedTextColumnsSortByCodePoint(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "added", Type: core.Text, Default: "x"}, {Name: "other", ToOne: "other"}, {Name: "there", Type: core.Text},
		}},
		core.ResourceSpec{Name: "other", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
	)
	_, schema, _, err := migrated(t, m, `CREATE TABLE $S.row (id bigserial PRIMARY KEY, there text COLLATE "C")`)
	must(t, err)
	var columns string
	must(t, pool(t, pgtest.URL(t)).QueryRow(t.Context(), `SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a
		WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND a.attcollation = '"C"'::regcollation`, inSchema(schema, "$S.row")).Scan(&columns))
	if columns != "added other there" {
		t.Errorf("by code point: %s", columns)
	}
	_, schema, _, err = migrated(t, m, `CREATE TABLE $S.row (id bigserial PRIMARY KEY, there bytea)`)
	want := inSchema(schema, `to review: ALTER TABLE $S."row" ALTER COLUMN "there" TYPE text COLLATE "C" USING "there"::text`)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
