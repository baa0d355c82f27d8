package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// since runs a test in a subtest whose name says what happened: on servers since a
// version they have executed the statements, older ones have refused them.
func since(t *testing.T, version int, sql string, test func(t *testing.T)) {
	t.Helper()
	p := pool(t, pgtest.URL(t))
	_, err := p.Exec(t.Context(), sql)
	if one[int](t, p, "SELECT current_setting('server_version_num')::int / 10000") >= version {
		must(t, err)
		t.Run(fmt.Sprint("served by PostgreSQL ", version, " or later"), test)
		return
	}
	t.Run(fmt.Sprint("refused by PostgreSQL before ", version), func(t *testing.T) {
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || !slices.Contains([]string{"42601", "42P17", "42704", "42883", "0A000", "22023", "42611"}, refused.Code) {
			t.Errorf("%s: %v", sql, err)
		}
	})
}

// newer imports a schema that only servers since a version can have, for a test.
func newer(t *testing.T, version int, sql string, test func(t *testing.T, in *importer.Result)) {
	t.Helper()
	schema := pgtest.Schema(t)
	since(t, version, inSchema(schema, sql), func(t *testing.T) {
		in, err := importer.Read(t.Context(), pool(t, pgtest.URL(t)), schema)
		must(t, err)
		test(t, in)
	})
}

func TestForeignKeyThatIsNotEnforcedIsNone(t *testing.T) {
	newer(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY);
		CREATE TABLE $S.b (id bigserial PRIMARY KEY, a bigint REFERENCES $S.a ON DELETE CASCADE NOT ENFORCED);
		INSERT INTO $S.a DEFAULT VALUES; INSERT INTO $S.b (a) VALUES (1), (77)`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "b", importertest.Fields(t, in, "b"), []string{"id int key", "a int"})
		importertest.Expect(t, "notes", importertest.Notes(in, importer.LeftOut, importer.Changed), []string{
			"left out: b.b_a_fkey: the foreign key a refers to a, but is NOT ENFORCED; its column is a plain field; ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED",
		})
		store, err := importertest.Store(t, in)
		must(t, err)
		must(t, store.Delete(t.Context(), store.Model().Resource("a"), core.IntValue(1)))
		if left := keysIn(t, store); left != "b1 b2" {
			t.Errorf("left: %s", left)
		}

		m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
			core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "a", ToOne: "a"}}})
		p := pool(t, pgtest.URL(t))
		_, err = core.New(t.Context(), m, postgres.New(p, in.Schema, postgres.Options{}))
		if err == nil || !strings.Contains(err.Error(), "b.a: has no foreign key to a.id") {
			t.Errorf("bound: %v", err)
		}
		execute(t, inSchema(in.Schema, `UPDATE $S.b SET a = NULL`))
		must(t, postgres.Migrate(t.Context(), p, in.Schema, m))
		store, err = core.New(t.Context(), m, postgres.New(p, in.Schema, postgres.Options{}))
		must(t, err)
		must(t, store.Close())
	})
}

// The column is NOT NULL in the catalog, and has nulls.
func TestRowsFromBeforeNotNullAreSeen(t *testing.T) {
	newer(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY, n int); INSERT INTO $S.a (n) VALUES (2), (NULL), (1), (NULL), (3);
		ALTER TABLE $S.a ADD CONSTRAINT later NOT NULL n NOT VALID`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in)
		must(t, err)
		a := store.Model().Resource("a")
		for order, want := range map[string][]int64{"n": {3, 1, 5, 2, 4}, "-n": {2, 4, 5, 1, 3}} {
			var got []int64
			for q := (core.Query{Order: []string{order}, Limit: 1}); len(got) <= len(want); {
				page, err := store.Select(t.Context(), a, q)
				must(t, err)
				for _, rec := range page.Records {
					got = append(got, rec.Key().Int())
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %s: %v, want %v", order, got, want)
			}
		}
		for _, f := range []core.Filter{core.Ne("n", 2), core.Not(core.In("n", 2, 7)), core.Not(core.Eq("n", 2)), core.Not(core.Gt("n", 2))} {
			if n, err := store.Count(t.Context(), a, f); err != nil || n != 4 {
				t.Errorf("%s: %d %v", f, n, err)
			}
		}
		_, err = store.Update(t.Context(), a, record(t, a, map[string]any{"id": 1, "n": nil}))
		if e := core.AsError(err); err == nil || e.Code != core.BadFieldValue || e.Field != "n" {
			t.Errorf("null: %v", err)
		}
	})
}

func TestKeyThatMayBeNullInOlderRowsIsNone(t *testing.T) {
	schema := pgtest.Schema(t)
	since(t, 18, inSchema(schema, `CREATE TABLE $S.a (id text UNIQUE); ALTER TABLE $S.a ADD CONSTRAINT later NOT NULL id NOT VALID`), func(t *testing.T) {
		m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}})
		_, err := core.New(t.Context(), m, postgres.New(pool(t, pgtest.URL(t)), schema, postgres.Options{}))
		if err == nil || !strings.Contains(err.Error(), "a.id: is not a primary key") {
			t.Errorf("bound: %v", err)
		}
	})
}

func TestVirtualColumns(t *testing.T) {
	newer(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) CHECK (twice <> 66),
			word text, upper text GENERATED ALWAYS AS (upper(word)) VIRTUAL, must int GENERATED ALWAYS AS (n + 1) VIRTUAL NOT NULL);
		INSERT INTO $S.a (n, word) VALUES (1, 'x'), (2, 'y'), (3, 'z')`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in, guarded("a", core.Ne("twice", 100)))
		must(t, err)
		a := store.Model().Resource("a")
		ctx := t.Context()
		got, err := store.Insert(ctx, a, record(t, a, map[string]any{"n": 4, "word": "w"}), record(t, a, map[string]any{"n": 5}))
		if err != nil || got[0].String() != "a{id:4 n:4 twice:8 word:w upper:W must:5}" || got[1].String() != "a{id:5 n:5 twice:10 word:null upper:null must:6}" {
			t.Errorf("inserted %v %v", got, err)
		}
		got, err = store.Update(ctx, a, record(t, a, map[string]any{"id": 4, "n": 40}), record(t, a, map[string]any{"id": 5, "n": 50}))
		if !errors.Is(err, core.Forbidden) {
			t.Errorf("guarded: %v %v", got, err)
		}
		got, err = store.Update(ctx, a, record(t, a, map[string]any{"id": 4, "n": 40}))
		if err != nil || got[0].Get("twice") != core.IntValue(80) {
			t.Errorf("updated %v %v", got, err)
		}
		for _, c := range []struct {
			fields map[string]any
			code   core.Code
			field  string
		}{
			{map[string]any{"n": 1, "twice": 1}, core.FieldReadOnly, "twice"},
			{map[string]any{"n": 33}, core.BadFieldValue, "twice"},
			{map[string]any{"n": nil}, core.BadFieldValue, "must"},
			{map[string]any{"n": 2_000_000_000}, core.BadRequest, ""},
		} {
			_, err := store.Insert(ctx, a, record(t, a, c.fields))
			if e := core.AsError(err); err == nil || e.Code != c.code || e.Field != c.field {
				t.Errorf("%v: %v", c.fields, err)
			}
			c.fields["id"] = 1
			_, err = store.Update(ctx, a, record(t, a, c.fields))
			if e := core.AsError(err); err == nil || e.Code != c.code || e.Field != c.field {
				t.Errorf("%v: %v", c.fields, err)
			}
		}
		page, err := store.Select(ctx, a, core.Query{Where: core.And(core.Gt("twice", 3), core.Prefix("upper", "Y")), Order: []string{"-must", "upper"}})
		if err != nil || len(page.Records) != 1 || page.Records[0].Key() != core.IntValue(2) {
			t.Errorf("found %v %v", page, err)
		}
		must(t, store.Delete(ctx, a, core.IntValue(2), core.IntValue(3)))
	})
}

func TestKeysThatHoldForAWhileAreNoneOfTheModels(t *testing.T) {
	newer(t, 18, `CREATE TABLE $S.stay (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
		CREATE TABLE $S.guest (id bigserial PRIMARY KEY, room int4range, during daterange,
			CONSTRAINT in_room FOREIGN KEY (room, PERIOD during) REFERENCES $S.stay (room, PERIOD during), CONSTRAINT alone UNIQUE (room, during WITHOUT OVERLAPS));
		INSERT INTO $S.stay VALUES ('[1,2)', '[2026-01-01,2026-02-01)')`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "notes", importertest.Notes(in, importer.LeftOut), []string{
			`left out: guest.in_room: the foreign key room, during refers to stay by several columns; refer to a primary key of a single column`,
			`left out: stay: the primary key has several columns, room, during; make it UNIQUE and add a primary key of a single column, GENERATED BY DEFAULT AS IDENTITY`,
		})
		store, err := importertest.Store(t, in)
		must(t, err)
		guest := store.Model().Resource("guest")
		for _, want := range []core.Code{"", core.AlreadyExists} {
			_, err := store.Insert(t.Context(), guest, record(t, guest, map[string]any{"room": "[1,2)", "during": "[2026-01-10,2026-01-20)"}))
			if want == "" && err != nil || want != "" && core.AsError(err).Code != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		_, err = store.Insert(t.Context(), guest, record(t, guest, map[string]any{"room": "[1,2)", "during": "[2026-03-10,2026-03-20)"}))
		if core.AsError(err).Code != core.BadRequest {
			t.Errorf("got %v", err)
		}
	})
}

func TestKeysThatAreUUIDsOfVersion7(t *testing.T) {
	newer(t, 18, `CREATE TABLE $S.a (id uuid DEFAULT uuidv7() PRIMARY KEY, n int)`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in)
		must(t, err)
		a := store.Model().Resource("a")
		first, err := store.Insert(t.Context(), a, record(t, a, map[string]any{"n": 1}))
		must(t, err)
		second, err := store.Insert(t.Context(), a, record(t, a, map[string]any{"n": 2}))
		must(t, err)
		page, err := store.Select(t.Context(), a, core.Query{})
		must(t, err)
		if len(page.Records) != 2 || page.Records[0].Key() != first[0].Key() || page.Records[1].Key() != second[0].Key() {
			t.Errorf("got %v", page.Records)
		}
	})
}

func TestBuiltInCollationsSortByCodePoint(t *testing.T) {
	newer(t, 17, `CREATE COLLATION $S.points (provider = builtin, locale = 'C.UTF-8');
		CREATE TABLE $S.a (id bigserial PRIMARY KEY, x text COLLATE $S.points UNIQUE, y text COLLATE pg_c_utf8)`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "notes", importertest.Notes(in, importer.Changed), nil)
		name := "points_" + rand.Text()
		execute(t, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'`)
		t.Cleanup(func() {
			_, err := pool(t, pgtest.URL(t)).Exec(context.Background(), `DROP DATABASE `+pgx.Identifier{name}.Sanitize())
			if err != nil {
				t.Error(err)
			}
		})
		conn, err := pgx.Connect(t.Context(), strings.Replace(pgtest.URL(t), "/postgres?", "/"+name+"?", 1))
		must(t, err)
		defer func() { must(t, conn.Close(context.Background())) }()
		_, err = conn.Exec(t.Context(), `CREATE TABLE a (id bigserial PRIMARY KEY, x text UNIQUE)`)
		must(t, err)
		in, err = importer.Read(t.Context(), conn, "public")
		must(t, err)
		importertest.Expect(t, "notes", importertest.Notes(in, importer.Changed), nil)
	})
}
