package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// sinceVersion runs a test in a subtest if the server has at least a version, after executing statements that older
// servers reject.
func sinceVersion(t *testing.T, version int, sql string, test func(t *testing.T)) {
	t.Helper()
	p := servertest.Pool(t, pgtest.URL(t))
	_, err := p.Exec(t.Context(), sql)
	if servertest.Version(t) >= version {
		servertest.Must(t, err)
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

// importSince imports a schema that needs at least a version of the server.
func importSince(t *testing.T, version int, sql string, test func(t *testing.T, in *importer.Result)) {
	t.Helper()
	schema := pgtest.Schema(t)
	sinceVersion(t, version, servertest.InSchema(schema, sql), func(t *testing.T) {
		in, err := importer.Read(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema)
		servertest.Must(t, err)
		test(t, in)
	})
}

func TestNotEnforcedForeignKeyIsIgnored(t *testing.T) {
	importSince(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY);
		CREATE TABLE $S.b (id bigserial PRIMARY KEY, a bigint REFERENCES $S.a ON DELETE CASCADE NOT ENFORCED);
		INSERT INTO $S.a DEFAULT VALUES; INSERT INTO $S.b (a) VALUES (1), (77)`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "b", importertest.Fields(t, in, "b"), []string{"id int key", "a int"})
		importertest.Expect(t, "notes", importertest.Notes(in, importer.LeftOut, importer.Changed), []string{
			"left out: b.b_a_fkey: the foreign key a refers to a, but is NOT ENFORCED; its column is a plain field; ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED",
		})
		store, err := importertest.Store(t, in)
		servertest.Must(t, err)
		servertest.Must(t, store.Delete(t.Context(), store.Model().Resource("a"), core.IntValue(1)))
		if left := allKeys(t, store); left != "b1 b2" {
			t.Errorf("left: %s", left)
		}

		m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
			core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "a", ToOne: "a"}}})
		p := servertest.Pool(t, pgtest.URL(t))
		_, err = core.New(t.Context(), m, postgres.New(p, in.Schema, postgres.Options{}))
		if err == nil || !strings.Contains(err.Error(), "b.a: has no foreign key to a.id") {
			t.Errorf("bound: %v", err)
		}
		servertest.Execute(t, servertest.InSchema(in.Schema, `UPDATE $S.b SET a = NULL`))
		servertest.Must(t, postgres.Migrate(t.Context(), p, in.Schema, m))
		store, err = core.New(t.Context(), m, postgres.New(p, in.Schema, postgres.Options{}))
		servertest.Must(t, err)
		servertest.Must(t, store.Close())
	})
}

// The catalog says NOT NULL, but the column has nulls.
func TestNullsBeforeNotNullNotValid(t *testing.T) {
	importSince(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY, n int); INSERT INTO $S.a (n) VALUES (2), (NULL), (1), (NULL), (3);
		ALTER TABLE $S.a ADD CONSTRAINT later NOT NULL n NOT VALID`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in)
		servertest.Must(t, err)
		a := store.Model().Resource("a")
		for order, want := range map[string][]int64{"n": {3, 1, 5, 2, 4}, "-n": {2, 4, 5, 1, 3}} {
			var got []int64
			for q := (core.Query{Order: []string{order}, Limit: 1}); len(got) <= len(want); {
				page, err := store.Select(t.Context(), a, q)
				servertest.Must(t, err)
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
		_, err = store.Update(t.Context(), a, servertest.Record(t, a, map[string]any{"id": 1, "n": nil}))
		if e := core.AsError(err); err == nil || e.Code != core.ValidationFailed || violatedField(e) != "n" {
			t.Errorf("null: %v", err)
		}
	})
}

func TestKeyWithOldNullsIsRejected(t *testing.T) {
	schema := pgtest.Schema(t)
	sinceVersion(t, 18, servertest.InSchema(schema, `CREATE TABLE $S.a (id text UNIQUE); ALTER TABLE $S.a ADD CONSTRAINT later NOT NULL id NOT VALID`), func(t *testing.T) {
		m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}})
		_, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{}))
		if err == nil || !strings.Contains(err.Error(), "a.id: is not a primary key") {
			t.Errorf("bound: %v", err)
		}
	})
}

func TestVirtualColumns(t *testing.T) {
	importSince(t, 18, `CREATE TABLE $S.a (id bigserial PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) CHECK (twice <> 66),
			word text, upper text GENERATED ALWAYS AS (upper(word)) VIRTUAL, must int GENERATED ALWAYS AS (n + 1) VIRTUAL NOT NULL);
		INSERT INTO $S.a (n, word) VALUES (1, 'x'), (2, 'y'), (3, 'z')`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in, policyOn("a", core.Ne("twice", 100)))
		servertest.Must(t, err)
		a := store.Model().Resource("a")
		ctx := t.Context()
		got, err := store.Insert(ctx, a, servertest.Record(t, a, map[string]any{"n": 4, "word": "w"}), servertest.Record(t, a, map[string]any{"n": 5}))
		if err != nil || got[0].String() != "a{id:4 n:4 twice:8 word:w upper:W must:5}" || got[1].String() != "a{id:5 n:5 twice:10 word:null upper:null must:6}" {
			t.Errorf("inserted %v %v", got, err)
		}
		got, err = store.Update(ctx, a, servertest.Record(t, a, map[string]any{"id": 4, "n": 40}), servertest.Record(t, a, map[string]any{"id": 5, "n": 50}))
		if !errors.Is(err, core.Forbidden) {
			t.Errorf("guarded: %v %v", got, err)
		}
		got, err = store.Update(ctx, a, servertest.Record(t, a, map[string]any{"id": 4, "n": 40}))
		if err != nil || got[0].Get("twice") != core.IntValue(80) {
			t.Errorf("updated %v %v", got, err)
		}
		for _, c := range []struct {
			fields map[string]any
			code   core.Code
			field  string
		}{
			{map[string]any{"n": 1, "twice": 1}, core.FieldReadOnly, "twice"},
			{map[string]any{"n": 33}, core.ValidationFailed, "twice"},
			{map[string]any{"n": nil}, core.ValidationFailed, "must"},
			{map[string]any{"n": 2_000_000_000}, core.BadRequest, ""},
		} {
			_, err := store.Insert(ctx, a, servertest.Record(t, a, c.fields))
			if e := core.AsError(err); err == nil || e.Code != c.code || violatedField(e) != c.field {
				t.Errorf("%v: %v", c.fields, err)
			}
			c.fields["id"] = 1
			_, err = store.Update(ctx, a, servertest.Record(t, a, c.fields))
			if e := core.AsError(err); err == nil || e.Code != c.code || violatedField(e) != c.field {
				t.Errorf("%v: %v", c.fields, err)
			}
		}
		page, err := store.Select(ctx, a, core.Query{Where: core.And(core.Gt("twice", 3), core.Prefix("upper", "Y")), Order: []string{"-must", "upper"}})
		if err != nil || len(page.Records) != 1 || page.Records[0].Key() != core.IntValue(2) {
			t.Errorf("found %v %v", page, err)
		}
		servertest.Must(t, store.Delete(ctx, a, core.IntValue(2), core.IntValue(3)))
	})
}

func TestTemporalForeignKeysAreNotModelled(t *testing.T) {
	importSince(t, 18, `CREATE TABLE $S.stay (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
		CREATE TABLE $S.guest (id bigserial PRIMARY KEY, room int4range, during daterange,
			CONSTRAINT in_room FOREIGN KEY (room, PERIOD during) REFERENCES $S.stay (room, PERIOD during), CONSTRAINT alone UNIQUE (room, during WITHOUT OVERLAPS));
		INSERT INTO $S.stay VALUES ('[1,2)', '[2026-01-01,2026-02-01)')`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "notes", importertest.Notes(in, importer.LeftOut), []string{
			`left out: guest.in_room: the foreign key room, during refers to stay by PERIOD, and a relation refers to one record by equality; the server keeps it; its columns are plain fields`,
		})
		store, err := importertest.Store(t, in)
		servertest.Must(t, err)
		guest := store.Model().Resource("guest")
		for _, want := range []core.Code{"", core.AlreadyExists} {
			_, err := store.Insert(t.Context(), guest, servertest.Record(t, guest, map[string]any{"room": "[1,2)", "during": "[2026-01-10,2026-01-20)"}))
			if want == "" && err != nil || want != "" && core.AsError(err).Code != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		_, err = store.Insert(t.Context(), guest, servertest.Record(t, guest, map[string]any{"room": "[1,2)", "during": "[2026-03-10,2026-03-20)"}))
		if core.AsError(err).Code != core.BadRequest {
			t.Errorf("got %v", err)
		}
	})
}

func TestUUIDv7Keys(t *testing.T) {
	importSince(t, 18, `CREATE TABLE $S.a (id uuid DEFAULT uuidv7() PRIMARY KEY, n int)`, func(t *testing.T, in *importer.Result) {
		store, err := importertest.Store(t, in)
		servertest.Must(t, err)
		a := store.Model().Resource("a")
		first, err := store.Insert(t.Context(), a, servertest.Record(t, a, map[string]any{"n": 1}))
		servertest.Must(t, err)
		second, err := store.Insert(t.Context(), a, servertest.Record(t, a, map[string]any{"n": 2}))
		servertest.Must(t, err)
		page, err := store.Select(t.Context(), a, core.Query{})
		servertest.Must(t, err)
		if len(page.Records) != 2 || page.Records[0].Key() != first[0].Key() || page.Records[1].Key() != second[0].Key() {
			t.Errorf("got %v", page.Records)
		}
	})
}

func TestBuiltInCollationsSortByCodePoint(t *testing.T) {
	importSince(t, 17, `CREATE COLLATION $S.points (provider = builtin, locale = 'C.UTF-8');
		CREATE TABLE $S.a (id bigserial PRIMARY KEY, x text COLLATE $S.points UNIQUE, y text COLLATE pg_c_utf8)`, func(t *testing.T, in *importer.Result) {
		importertest.Expect(t, "notes", importertest.Notes(in, importer.Changed), nil)
		name := "points_" + rand.Text()
		servertest.Execute(t, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'`)
		t.Cleanup(func() {
			_, err := servertest.Pool(t, pgtest.URL(t)).Exec(context.Background(), `DROP DATABASE `+pgx.Identifier{name}.Sanitize())
			if err != nil {
				t.Error(err)
			}
		})
		conn, err := pgx.Connect(t.Context(), strings.Replace(pgtest.URL(t), "/postgres?", "/"+name+"?", 1))
		servertest.Must(t, err)
		defer func() { servertest.Must(t, conn.Close(context.Background())) }()
		_, err = conn.Exec(t.Context(), `CREATE TABLE a (id bigserial PRIMARY KEY, x text UNIQUE)`)
		servertest.Must(t, err)
		in, err = importer.Read(t.Context(), conn, "public")
		servertest.Must(t, err)
		importertest.Expect(t, "notes", importertest.Notes(in, importer.Changed), nil)
	})
}

// partitionedModel has a table that is partitioned at two levels, with leaves in another schema, and a table that
// refers to it.
var partitionedModel = core.MustModel("parted",
	core.ResourceSpec{Name: "shelf", APIName: "Shelf", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	core.ResourceSpec{Name: "item", APIName: "Item", Fields: []core.FieldSpec{
		{Name: "id", APIName: "ID", Type: core.Int, Key: true}, {Name: "name", APIName: "Name", Type: core.Text},
		{Name: "count", APIName: "Count", Type: core.Int}, {Name: "shelf", APIName: "OnShelf", ToOne: "shelf"},
	}},
	core.ResourceSpec{Name: "label", APIName: "Label", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "item", APIName: "OfItem", ToOne: "item"},
	}},
)

func partitionedStore(t *testing.T) (*core.Store, string) {
	t.Helper()
	schema, leaves := pgtest.Schema(t), pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.shelf (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)`,
		`CREATE SEQUENCE $S.ids`,
		`CREATE TABLE $S.item (id bigint DEFAULT nextval('$S.ids') CONSTRAINT item_key PRIMARY KEY, name text NOT NULL,
			count bigint CONSTRAINT item_count CHECK (count > 0), shelf bigint CONSTRAINT item_shelf REFERENCES $S.shelf DEFERRABLE INITIALLY DEFERRED) PARTITION BY HASH (id)`,
		`CREATE INDEX item_name ON $S.item (name)`,
		`CREATE TABLE $S.half PARTITION OF $S.item FOR VALUES WITH (MODULUS 2, REMAINDER 0)`,
		`CREATE TABLE $S.rest PARTITION OF $S.item FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY RANGE (id)`,
		`CREATE TABLE $L.low PARTITION OF $S.rest FOR VALUES FROM (MINVALUE) TO (1000)`,
		`CREATE TABLE $L.high PARTITION OF $S.rest FOR VALUES FROM (1000) TO (MAXVALUE)`,
		`CREATE TABLE $S.label (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, item bigint REFERENCES $S.item DEFERRABLE INITIALLY DEFERRED)`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, strings.ReplaceAll(sql, "$L", pgx.Identifier{leaves}.Sanitize())))
	}
	store, err := core.New(t.Context(), partitionedModel, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{}))
	servertest.Must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store, schema
}

func TestViolationsInPartitionsNameTheTable(t *testing.T) {
	store, _ := partitionedStore(t)
	item, label := partitionedModel.Resource("item"), partitionedModel.Resource("label")
	for id := range int64(8) { // each in one of the partitions
		if _, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{"id": id + 1, "name": "x"})); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			rule   string
			fields map[string]any
			want   core.Error
		}{
			{"key", map[string]any{"id": id + 1, "name": "x"}, core.Error{Code: core.AlreadyExists, Resource: "Item", Field: "ID"}},
			{"null", map[string]any{"id": id + 100, "name": nil}, core.Error{Code: core.ValidationFailed, Field: "Name"}},
			{"check", map[string]any{"id": id + 100, "name": "x", "count": 0}, core.Error{Code: core.ValidationFailed, Field: "Count"}},
			{"size in an index", map[string]any{"id": id + 100, "name": incompressible(5000)}, core.Error{Code: core.BadFieldValue, Resource: "Item", Field: "Name"}},
			{"relation", map[string]any{"id": id + 100, "name": "x", "shelf": 77}, core.Error{Code: core.NotFound, Resource: "Shelf"}},
		} {
			_, err := store.Insert(t.Context(), item, servertest.Record(t, item, c.fields))
			var e *core.Error
			if !errors.As(err, &e) || e.Code != c.want.Code || e.Resource != c.want.Resource || violatedField(e) != c.want.Field {
				t.Errorf("%s of %d: %v", c.rule, id, err)
			}
		}
		if _, err := store.Insert(t.Context(), label, servertest.Record(t, label, map[string]any{"item": id + 1})); err != nil {
			t.Fatal(err)
		}
		var e *core.Error
		err := store.Delete(t.Context(), item, core.IntValue(id+1))
		if !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "Label" || e.Field != "OfItem" {
			t.Errorf("row that is pointed at: %v", err)
		}
	}
}

func TestSequenceOfPartitionedTableCatchesUp(t *testing.T) {
	store, schema := partitionedStore(t)
	item := partitionedModel.Resource("item")
	servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.item (id, name) SELECT i, 'x' FROM generate_series(1, 50) AS i`))
	got, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{"name": "x"}))
	if err != nil || got[0].Key() != core.IntValue(51) {
		t.Errorf("got %v %v", got, err)
	}
}

var roles atomic.Int64

// login makes a role with some privileges and returns its connection string.
func login(t *testing.T, schema string, grants ...string) string {
	t.Helper()
	role := fmt.Sprintf("larder_role_%d_%d", os.Getpid(), roles.Add(1))
	servertest.Execute(t, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() {
		for _, sql := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			if _, err := servertest.Pool(t, pgtest.URL(t)).Exec(context.WithoutCancel(t.Context()), sql+role); err != nil {
				t.Error(err)
			}
		}
	})
	for _, grant := range append(grants, "USAGE ON SCHEMA $S") {
		servertest.Execute(t, servertest.InSchema(schema, "GRANT "+grant+" TO "+role))
	}
	u, err := url.Parse(pgtest.URL(t))
	servertest.Must(t, err)
	u.User = url.User(role)
	return u.String()
}

func TestRequiredPrivileges(t *testing.T) {
	const tables, allTables = " ON ALL TABLES IN SCHEMA $S", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $S"
	row := servertest.Numbered.Resource("row")
	operations := map[string]func(ctx context.Context, s *core.Store) error{
		"list": func(ctx context.Context, s *core.Store) error {
			_, err := s.Select(ctx, row, core.Query{})
			return err
		},
		"insert": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, servertest.Record(t, row, nil))
			return err
		},
		"next ids": func(ctx context.Context, s *core.Store) error {
			_, err := s.NextIDs(ctx, row, 1)
			return err
		},
		"given key": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, servertest.Record(t, row, map[string]any{"id": 50}))
			return err
		},
		"key far ahead": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, servertest.Record(t, row, map[string]any{"id": 50_000}))
			return err
		},
	}
	for _, c := range []struct {
		grants  []string
		refused map[string]string // missing grant, by operation
	}{
		{[]string{"SELECT" + tables}, map[string]string{"insert": "", "next ids": "USAGE, SELECT, UPDATE", "given key": "USAGE, SELECT, UPDATE", "key far ahead": "USAGE, SELECT, UPDATE"}},
		{[]string{allTables}, map[string]string{"next ids": "USAGE, SELECT, UPDATE", "given key": "USAGE, SELECT, UPDATE", "key far ahead": "USAGE, SELECT, UPDATE"}},
		{[]string{allTables, "USAGE ON ALL SEQUENCES IN SCHEMA $S"}, map[string]string{"given key": "SELECT, UPDATE", "key far ahead": "SELECT, UPDATE"}},
		{[]string{allTables, "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA $S"}, map[string]string{"key far ahead": "UPDATE"}},
		{[]string{allTables, "SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA $S"}, nil},
	} {
		schema := pgtest.Schema(t)
		servertest.Execute(t, servertest.InSchema(schema, defaults["identity"][0]))
		store, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, login(t, schema, c.grants...)), schema, postgres.Options{}))
		if err != nil {
			t.Errorf("%v: %v", c.grants, err)
			continue
		}
		for name, operation := range operations {
			missing, refused := c.refused[name]
			err := operation(t.Context(), store)
			switch {
			case !refused && err == nil:
			case !refused || !errors.Is(err, core.Forbidden) || missing != "" && !strings.Contains(err.Error(), "GRANT "+missing+" ON SEQUENCE "):
				t.Errorf("%v: %s: %v", c.grants, name, err)
			case strings.Contains(core.AsError(err).Public(), "row_id_seq"):
				t.Errorf("%v: %s: public text %s", c.grants, name, core.AsError(err).Public())
			}
		}
	}
}

func TestMissingSequencePrivilegeIsNamed(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, defaults["identity"][0]))
	servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.row (id) VALUES (50000)`))
	server := login(t, schema, "ALL ON ALL TABLES IN SCHEMA $S", "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA $S")
	_, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, server), schema, postgres.Options{}))
	if err == nil || !strings.Contains(err.Error(), "GRANT UPDATE ON SEQUENCE ") || !strings.Contains(err.Error(), "row_id_seq") {
		t.Errorf("got %v", err)
	}
}

func TestRowSecurityForbids(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.row (id bigint PRIMARY KEY DEFAULT (random() * 1000000000)::bigint, name text)`))
	server := login(t, schema, "SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA $S")
	for _, sql := range []string{"ALTER TABLE $S.row ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON $S.row USING (true) WITH CHECK (name = 'mine')"} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	store, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, server), schema, postgres.Options{}))
	servertest.Must(t, err)
	row := servertest.Numbered.Resource("row")
	got, err := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "mine"}))
	servertest.Must(t, err)
	_, inserted := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "yours"}))
	_, updated := store.Update(t.Context(), row, got[0].With(1, core.TextValue("yours")))
	for _, err := range []error{inserted, updated, store.Delete(t.Context(), row, got[0].Key())} {
		var e *core.Error
		if !errors.As(err, &e) || e.Code != core.Forbidden || e.Resource != "row" {
			t.Errorf("got %v", err)
		}
	}
}
