package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Columns of type json hold values that cannot be read as jsonb.
func TestWriteOfRowWithUnreadableJSON(t *testing.T) {
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		for name, c := range map[string]struct {
			typ        core.Type
			sql, value string
		}{
			"null character":      {core.JSON, `json`, `'"\u0000"'`},
			"lone surrogate":      {core.JSON, `json`, `'"\ud800"'`},
			"number out of range": {core.JSON, `json`, `'1e400000'`},
			"array":               {core.List, `json[]`, `ARRAY['"\u0000"']::json[]`},
			"composite":           {core.JSON, `$S.pair`, `ROW(1, '"\u0000"')::$S.pair`},
		} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
					{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "doc", Type: c.typ},
				}})
				row, schema := m.Resource("row"), pgtest.Schema(t)
				for _, sql := range []string{
					`CREATE TYPE $S.pair AS (n int, doc json)`,
					`CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text CHECK (name::jsonb IS NOT NULL), doc ` + c.sql + `)`,
					`INSERT INTO $S.row (name, doc) VALUES ('1', NULL), ('2', NULL), ('3', ` + c.value + `)`,
					`CREATE FUNCTION $S.odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = '"odd"' THEN NEW.doc := ` + c.value + `; END IF; RETURN NEW; END $$`,
					`CREATE TRIGGER odd BEFORE INSERT OR UPDATE ON $S.row FOR EACH ROW EXECUTE FUNCTION $S.odd()`,
				} {
					servertest.Execute(t, servertest.InSchema(schema, sql))
				}
				var store *core.Store
				open := func() {
					b := postgres.New(servertest.Pool(t, servertest.With(t, pgtest.URL(t), "default_query_exec_mode", mode)), schema, postgres.Options{})
					var err error
					store, err = core.New(t.Context(), m, b)
					servertest.Must(t, err)
					t.Cleanup(func() { _ = b.Close() })
				}
				open()
				named := func(name string, id int) core.Record {
					fields := map[string]any{"name": name}
					if id != 0 {
						fields["id"] = id
					}
					return servertest.Record(t, row, fields)
				}
				type change func(ctx context.Context, s core.Querier, name string) error
				insert := func(ctx context.Context, s core.Querier, name string) error {
					_, err := s.Insert(ctx, row, named(name, 0))
					return err
				}
				update := func(ids ...int) change {
					return func(ctx context.Context, s core.Querier, name string) error {
						var recs []core.Record
						for _, id := range ids {
							recs = append(recs, named(name, id))
						}
						_, err := s.Update(ctx, row, recs...)
						return err
					}
				}
				single := func(do change, name string) error { return do(t.Context(), store, name) }
				final := func(do change, name string) error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
						if err := tx.Delete(ctx, row, core.IntValue(2)); err != nil {
							return err
						}
						return do(ctx, tx.Final(), name)
					})
				}
				before := servertest.Query(t, pgtest.URL(t), servertest.InSchema(schema, `SELECT string_agg(r::text, ' ' ORDER BY id) FROM $S.row AS r`))
				for what, err := range map[string]error{
					"insert": single(insert, `"odd"`), "update": single(update(1), `"odd"`), "several updates": single(update(1, 2), `"odd"`),
					"final insert": final(insert, `"odd"`), "final update": final(update(1), `"odd"`),
					"update of an unreadable row": single(update(3), `4`),
					"several inserts": single(func(ctx context.Context, s core.Querier, name string) error {
						_, err := s.Insert(ctx, row, named(`5`, 0), named(name, 0))
						return err
					}, `"odd"`),
				} {
					e := core.AsError(err)
					if err == nil || e.Code != core.ServerError || errors.Is(err, core.ErrCommitUnknown) || core.OutcomeOf(err) != core.OutcomeFailed || strings.Contains(e.Public(), "json") {
						t.Errorf("%s: %v", what, err)
					}
				}
				open() // which knows of no row that cannot be read
				for what, err := range map[string]error{
					"insert": single(insert, `"\u0000"`), "update": single(update(1), `"\u0000"`), "several updates": single(update(1, 2), `"\u0000"`),
					"final insert": final(insert, `"\u0000"`), "final update": final(update(1), `"\u0000"`),
				} {
					if !errors.Is(err, core.BadRequest) {
						t.Errorf("%s of a value that a check rejects: %v", what, err)
					}
				}
				if after := servertest.Query(t, pgtest.URL(t), servertest.InSchema(schema, `SELECT string_agg(r::text, ' ' ORDER BY id) FROM $S.row AS r`)); after != before {
					t.Errorf("the table has %s, had %s", after, before)
				}
				recs, err := store.Insert(t.Context(), row, named(`6`, 0))
				if err != nil || recs[0].Get("doc") != core.Null {
					t.Errorf("a row that can be read: %v, %v", recs, err)
				}
			})
		}
	}
}

// beforeTrigger makes a trigger that runs before each row of a table is inserted.
func beforeTrigger(table, body string) string {
	return `CREATE FUNCTION $S.before() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN ` + body + `; RETURN NEW; END $f$;
		CREATE TRIGGER before BEFORE INSERT ON $S.` + table + ` FOR EACH ROW EXECUTE FUNCTION $S.before()`
}

// tableWith makes a table with an identity key and a column.
func tableWith(column string) string {
	return `CREATE TABLE $S.thing (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a ` + column + `)`
}

var absent = struct{}{} // stands for an omitted value

// databaseChanges has tables that change inserted values.
var databaseChanges = []struct {
	name        string
	typ         core.Type
	tables      string
	later       string // statement that is executed while the store is in use
	given, want any    // values of a
}{
	{name: "trigger", typ: core.Text, tables: tableWith("text") + ";" + beforeTrigger("thing", "NEW.a := upper(NEW.a)"), given: "abc", want: "ABC"},
	{name: "trigger that only comes later", typ: core.Text, tables: tableWith("text"), later: beforeTrigger("thing", "NEW.a := upper(NEW.a)"), given: "abc", want: "ABC"},
	{name: "trigger on null", typ: core.Text, tables: tableWith("text") + ";" + beforeTrigger("thing", "NEW.a := 'was null'"), given: nil, want: "was null"},
	{name: "trigger that makes null", typ: core.Text, tables: tableWith("text") + ";" + beforeTrigger("thing", "NEW.a := NULL"), given: "abc", want: nil},
	{name: "trigger on numbers", typ: core.Int, tables: tableWith("bigint") + ";" + beforeTrigger("thing", "NEW.a := NEW.a + 1"), given: 1, want: 2},
	{name: "trigger on JSON", typ: core.JSON, tables: tableWith("jsonb") + ";" + beforeTrigger("thing", "NEW.a := NEW.a || '{\"seen\": true}'"), given: map[string]any{"b": 1}, want: map[string]any{"b": 1, "seen": true}},
	{name: "trigger on bytes that look like others", typ: core.Bytes, tables: tableWith("bytea") + ";" + beforeTrigger("thing", "NEW.a := 'ab'"), given: []byte(`\x6162`), want: []byte("ab")},
	{
		name: "trigger of a partition", typ: core.Text, given: "abc", want: "ABC",
		tables: `CREATE TABLE $S.thing (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text) PARTITION BY RANGE (id);
			CREATE TABLE $S.part PARTITION OF $S.thing FOR VALUES FROM (0) TO (1000000);` + beforeTrigger("part", "NEW.a := upper(NEW.a)"),
	},
	{
		name: "rule", typ: core.Text, given: "abc", want: "ABC",
		tables: tableWith("text") + `; CREATE TABLE $S.other (id bigint, a text);
			CREATE RULE elsewhere AS ON INSERT TO $S.thing DO INSTEAD INSERT INTO $S.other (id, a) VALUES (NEW.id, upper(NEW.a)) RETURNING other.id, other.a`,
	},
	{name: "generated column", typ: core.Text, tables: tableWith("text GENERATED ALWAYS AS ('made') STORED"), given: absent, want: "made"},
	{name: "default", typ: core.Text, tables: tableWith("text DEFAULT lower('NONE')"), given: absent, want: "none"},
	{name: "default that only comes later", typ: core.Text, tables: tableWith("text DEFAULT 'one'"), later: `ALTER TABLE $S.thing ALTER a SET DEFAULT 'two'`, given: absent, want: "two"},
	{name: "default beside a given null", typ: core.Text, tables: tableWith("text DEFAULT 'none'"), given: nil, want: nil},
	{name: "char(5)", typ: core.Text, tables: tableWith("char(5)"), given: "ab   ", want: "ab"},
	{name: "numeric(6,2)", typ: core.Text, tables: tableWith("numeric(6,2)"), given: "1.005", want: "1.01"},
	{name: "timestamptz(0)", typ: core.Time, tables: tableWith("timestamptz(0)"), given: time.Date(2026, 11, 23, 10, 0, 0, 600_000_000, time.UTC), want: time.Date(2026, 11, 23, 10, 0, 1, 0, time.UTC)},
	{name: "domain", typ: core.Text, tables: `CREATE DOMAIN $S.price AS numeric(4,1) CHECK (VALUE > 0);` + tableWith("$S.price"), given: "2.25", want: "2.3"},
	{name: "domain of text", typ: core.Text, tables: `CREATE DOMAIN $S.word AS text DEFAULT 'none';` + tableWith("$S.word"), given: absent, want: "none"},
	{name: "real", typ: core.Float, tables: tableWith("real"), given: 16_777_217, want: 16_777_216},
	{name: "uuid", typ: core.UUID, tables: tableWith("uuid") + ";" + beforeTrigger("thing", "NEW.a := overlay(NEW.a::text placing 'ffff' from 1 for 4)::uuid"), given: "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11", want: "ffff2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11"},
}

func TestInsertReturnsDatabaseChanges(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "simple_protocol"} {
		server := servertest.With(t, pgtest.URL(t), "default_query_exec_mode", mode)
		for _, c := range databaseChanges {
			t.Run(mode+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
					{Name: "id", Type: core.Int, Key: true}, {Name: "a", Type: c.typ},
				}})
				thing, schema := m.Resource("thing"), pgtest.Schema(t)
				servertest.Execute(t, servertest.InSchema(schema, "DO $do$ BEGIN "+c.tables+"; END $do$"))
				store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, server), schema, postgres.Options{}))
				servertest.Must(t, err)
				defer func() { _ = store.Close() }()
				fields := map[string]any{"a": c.given}
				if c.given == absent {
					fields = nil
				}
				rec := servertest.Record(t, thing, fields)
				if c.later != "" { // the statements are prepared by then
					for range 2 {
						_, err = store.Insert(t.Context(), thing, rec, rec)
						servertest.Must(t, err)
					}
					servertest.Execute(t, servertest.InSchema(schema, "DO $do$ BEGIN "+c.later+"; END $do$"))
				}
				want := core.Null
				if c.want != nil {
					want, err = c.typ.Convert(c.want)
					servertest.Must(t, err)
				}
				for _, recs := range [][]core.Record{{rec}, {rec, rec, rec}} {
					got, err := store.Insert(t.Context(), thing, recs...)
					servertest.Must(t, err)
					for _, rec := range got {
						if rec.Get("a") != want || rec.Key().Int() == 0 {
							t.Errorf("one of %d shows %v, want a: %v", len(recs), rec, want)
						}
					}
				}
			})
		}
	}
}

// TestInsertKeepsOrder inserts records of three kinds, which need two statements, and a trigger changes some of them.
func TestInsertKeepsOrder(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "label", Type: core.Text}, {Name: "n", Type: core.Int},
	}})
	store, schema := servertest.Store(t, m,
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, name text, label text DEFAULT 'none', n int)`)
	servertest.Execute(t, servertest.InSchema(schema, "DO $do$ BEGIN "+beforeTrigger("thing", "IF NEW.n % 3 = 0 THEN NEW.name := upper(NEW.name); NEW.id := NEW.id + 1000; END IF")+"; END $do$"))
	thing := m.Resource("thing")
	var recs []core.Record
	var want []string
	for n := range 100 {
		fields := map[string]any{"name": fmt.Sprint("name ", n), "n": n}
		name, label := fmt.Sprint("name ", n), "none"
		switch {
		case n%2 == 0:
			label = fmt.Sprint("label ", n)
			fields["label"] = label
		case n%5 == 0:
			delete(fields, "name")
			name = "null"
		}
		if n%3 == 0 && name != "null" {
			name = strings.ToUpper(name)
		}
		recs = append(recs, servertest.Record(t, thing, fields))
		want = append(want, fmt.Sprintf("name:%s label:%s n:%d}", name, label, n))
	}
	got, err := store.Insert(t.Context(), thing, recs...)
	servertest.Must(t, err)
	for i, rec := range got {
		if !strings.HasSuffix(rec.String(), want[i]) || rec.Key().Int() > 1000 != (i%3 == 0) {
			t.Errorf("got %v, want %s", rec, want[i])
		}
		if kept, err := store.Get(t.Context(), thing, rec.Key()); err != nil || !kept.Equal(rec) {
			t.Errorf("%v is kept as %v %v", rec, kept, err)
		}
	}
}

// TestEmptyInsert calls the backend directly: stores do not send empty inserts.
func TestEmptyInsert(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, servertest.Cookies))
	b := postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{})
	servertest.Must(t, b.Bind(t.Context(), servertest.Cookies))
	tx, err := b.Begin(t.Context(), core.BackendTxOptions{Single: true})
	servertest.Must(t, err)
	got, err := tx.Insert(t.Context(), &core.Op{Kind: core.Insert, Resource: servertest.Cookies.Resource("jar"), Final: true})
	servertest.Must(t, err)
	servertest.Must(t, tx.Commit(t.Context()))
	if n := servertest.Query(t, pgtest.URL(t), servertest.InSchema(schema, `SELECT count(*)::text FROM $S.jar`)); n != "0" || len(got) != 0 {
		t.Errorf("%s rows, got %v", n, got)
	}
}

// Columns of type json hold values that cannot be read as jsonb.
func TestFailedReadIsServerError(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "made", Type: core.JSON, ReadOnly: true},
	}})
	row := m.Resource("row")
	for name, expression := range map[string]string{
		"22012": `to_jsonb(10 / n)`, "22P02": `to_jsonb((n::text || 'x')::int)`, "22P05": `('"\u0000' || n || '"')::json::jsonb`,
		"P0001": `$S.raise(n)`, "23514": `to_jsonb((n - 1)::$S.positive)`, "54000": `to_jsonb(repeat('x', (2147483647 - n)))`,
	} {
		t.Run(name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE DOMAIN $S.positive AS int CHECK (VALUE > 0)`,
				`CREATE FUNCTION $S.raise(n int) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'secret %', n; END $$`,
				`CREATE TABLE $S.row (id bigserial PRIMARY KEY, n int)`, `CREATE VIEW $S.seen AS SELECT *, ` + expression + ` AS made FROM $S.row`,
				`INSERT INTO $S.row (n) VALUES (0)`,
			} {
				servertest.Execute(t, servertest.InSchema(schema, sql))
			}
			store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema,
				postgres.Options{Resources: map[string]postgres.Source{"row": {Table: "row", View: "seen"}}}))
			servertest.Must(t, err)
			defer func() { servertest.Must(t, store.Close()) }()
			insert := func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, row, servertest.Record(t, row, map[string]any{"n": 0}))
				return err
			}
			for what, run := range map[string]func() error{
				"get":    func() error { _, err := store.Get(t.Context(), row, core.IntValue(1)); return err },
				"select": func() error { _, err := store.Select(t.Context(), row, core.Query{}); return err },
				"filter": func() error {
					_, err := store.Select(t.Context(), row, core.Query{Where: core.Ne("made", 7)})
					return err
				},
				"count":  func() error { _, err := store.Count(t.Context(), row, core.Eq("made", 7)); return err },
				"insert": func() error { return insert(t.Context(), store) },
				"update": func() error {
					_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "n": 0}))
					return err
				},
				"final insert": func() error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Final()) })
				},
			} {
				err := run()
				if err == nil && name == "54000" {
					continue // where the server can hold the value
				}
				if e := core.AsError(err); err == nil || e.Code != core.ServerError || core.OutcomeOf(err) != core.OutcomeFailed || strings.Contains(e.Public(), "secret") {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if got := servertest.Query(t, pgtest.URL(t), servertest.InSchema(schema, `SELECT count(*)::text FROM $S.row`)); got != "1" {
				t.Errorf("%s rows", got)
			}
		})
	}
}

func TestRemovedEnumLabelMatchesNothing(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "mood", Type: core.Text}, {Name: "moods", Type: core.List},
	}})
	thing := m.Resource("thing")
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE TYPE $S.mood AS ENUM ('sad', 'ok')`, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, mood $S.mood, moods $S.mood[])`, `CREATE INDEX ON $S.thing (mood)`,
				`INSERT INTO $S.thing (mood, moods) VALUES ('sad', '{sad}'), ('ok', '{ok}'), (NULL, NULL)`,
			} {
				servertest.Execute(t, servertest.InSchema(schema, sql))
			}
			store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, mode.URL(t)), schema, mode.Options))
			servertest.Must(t, err)
			servertest.Execute(t, servertest.InSchema(schema, `ALTER TYPE $S.mood RENAME VALUE 'sad' TO 'blue'`))
			for _, c := range []struct {
				where core.Filter
				count int
			}{
				{core.Eq("mood", "sad"), 0}, {core.In("mood", "sad", "ok", nil), 2}, {core.Ne("mood", "sad"), 3}, {core.Not(core.In("mood", "sad", "blue")), 2},
				{core.Eq("mood", "blue"), 1}, {core.In("mood", "blue", "none"), 1}, {core.Gt("mood", "sad"), 0}, {core.Eq("moods", []any{"sad"}), 0},
			} {
				if n, err := store.Count(t.Context(), thing, c.where); err != nil || n != c.count {
					t.Errorf("%v: %d, %v; want %d", c.where, n, err, c.count)
				}
			}
			servertest.Must(t, store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Select(ctx, thing, core.Query{Where: core.Eq("mood", "sad")})
				return err
			}))
			_, err = store.Update(t.Context(), thing, servertest.Record(t, thing, map[string]any{"id": 2, "mood": "sad"}))
			var told *core.Error
			if !errors.As(err, &told) || told.Code != core.BadFieldValue || told.Field != "mood" {
				t.Errorf("update: %v", err)
			}
		})
	}
}

// Triggers store values that the model does not represent.
func TestUnreadableResultStoresNothing(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "at", Type: core.Time}, {Name: "weight", Type: core.Float}, {Name: "next", ToOne: "row"}, {Name: "list", Type: core.List},
		{Name: "day", Type: core.Date}, {Name: "local", Type: core.LocalTime}, {Name: "price", Type: core.Decimal},
	}})
	row := m.Resource("row")
	for _, mode := range []string{"cache_statement", "cache_describe", "simple_protocol"} {
		schema := pgtest.Schema(t)
		servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m))
		servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.row (id) VALUES (1), (2)`))
		trigger := func(sql string) {
			servertest.Execute(t, servertest.InSchema(schema, `CREATE OR REPLACE FUNCTION $S.odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+sql+`; RETURN NEW; END $$`))
		}
		trigger("NULL")
		servertest.Execute(t, servertest.InSchema(schema, `CREATE TRIGGER odd BEFORE INSERT OR UPDATE ON $S.row FOR EACH ROW EXECUTE FUNCTION $S.odd()`))
		b, err := postgres.Open(t.Context(), servertest.With(t, pgtest.URL(t), "default_query_exec_mode", mode), schema, postgres.Options{})
		servertest.Must(t, err)
		store, err := core.New(t.Context(), m, b)
		servertest.Must(t, err)
		t.Cleanup(func() { _ = store.Close() })
		for value, sql := range map[string]string{
			"infinity": `NEW.at := 'infinity'`, "before the calendar": `NEW.at := '4713-01-01 00:00:00+00 BC'`, "NaN": `NEW.weight := 'NaN'`,
			"infinite number": `NEW.weight := '-Infinity'`, "after the calendar": `NEW.at := '10000-01-01 00:00:00+00'`, "list that is none": `NEW.list := '{}'`,
			"infinite day": `NEW.day := 'infinity'`, "first day of all": `NEW.day := '-infinity'`, "day before the calendar": `NEW.day := '0001-12-31 BC'`, "day after the calendar": `NEW.day := '10000-01-01'`,
			"price that is no number": `NEW.price := 'NaN'`, "price of too many digits": `NEW.price := ('0.' || repeat('0', 999) || '1')::numeric`, "price that is too large": `NEW.price := ('1' || repeat('0', 1000))::numeric`,
			"infinite local time": `NEW.local := 'infinity'`, "local time after the calendar": `NEW.local := '10000-01-01'`, "local time before the calendar": `NEW.local := '0001-12-31 23:59:59 BC'`,
		} {
			t.Run(mode+"/"+value, func(t *testing.T) {
				trigger(sql)
				insert := func(ctx context.Context, s core.Querier, fields map[string]any) error {
					_, err := s.Insert(ctx, row, servertest.Record(t, row, fields))
					return err
				}
				in := func(do func(ctx context.Context, tx *core.Transaction) error) error {
					return store.Tx(t.Context(), do)
				}
				for name, run := range map[string]func() error{
					"single insert": func() error { return insert(t.Context(), store, nil) },
					"single update": func() error {
						_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "weight": 2}))
						return err
					},
					"several": func() error {
						_, err := store.Insert(t.Context(), row, servertest.Record(t, row, nil), servertest.Record(t, row, map[string]any{"weight": 1}))
						return err
					},
					"several updates": func() error {
						_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "weight": 2}), servertest.Record(t, row, map[string]any{"id": 2, "weight": 2}))
						return err
					},
					"final": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Final(), nil) })
					},
					"final behind another": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error {
							if err := tx.Delete(ctx, row, core.IntValue(2)); err != nil {
								return err
							}
							_, err := tx.Final().Update(ctx, row, servertest.Record(t, row, map[string]any{"id": 1, "weight": 2}))
							return err
						})
					},
					"commit of its own": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx, nil) })
					},
				} {
					err := run()
					var told *core.Error
					if !errors.As(err, &told) || told.Code != core.ServerError || errors.Is(err, core.ErrCommitUnknown) || core.OutcomeOf(err) != core.OutcomeFailed {
						t.Errorf("%s: got %v", name, err)
					}
					if !strings.Contains(err.Error(), "cannot be read") || strings.Contains(told.Public(), "cannot be read") {
						t.Errorf("%s: got %v, public %s", name, err, told.Public())
					}
					if got := servertest.Query(t, pgtest.URL(t), servertest.InSchema(schema, `SELECT string_agg(id || coalesce(weight::text, ''), ' ' ORDER BY id) FROM $S.row`)); got != "1 2" {
						t.Errorf("%s: the table has %s", name, got)
					}
				}
			})
		}
	}
}

func TestUnreadableRowIsNamedInCause(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "at", Type: core.Time}, {Name: "weight", Type: core.Float}, {Name: "id", Type: core.Text, Key: true}, {Name: "day", Type: core.Date}, {Name: "local", Type: core.LocalTime}, {Name: "price", Type: core.Decimal},
	}})
	row := m.Resource("row")
	store, schema := servertest.Store(t, m, `CREATE TABLE $S.row (at timestamptz, weight float8, id text PRIMARY KEY, day date, local timestamp, price numeric)`, `INSERT INTO $S.row (id) VALUES ('good')`)
	for value, field := range map[string]string{"at = 'infinity'": "at", "at = '0044-03-15 BC'": "at", "at = '12026-01-01'": "at", "weight = 'NaN'": "weight", "day = 'infinity'": "day", "day = '0044-03-15 BC'": "day", "day = '12026-01-01'": "day",
		"price = 'NaN'": "price", "price = 10::numeric ^ 1000": "price", "local = '-infinity'": "local", "local = '0044-03-15 BC'": "local", "local = '12026-01-01'": "local"} {
		servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.row (id) VALUES ('odd one')`))
		servertest.Execute(t, servertest.InSchema(schema, `UPDATE $S.row SET `+value+` WHERE id = 'odd one'`))
		for _, mode := range []string{"cache_statement", "simple_protocol"} {
			again, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, servertest.With(t, pgtest.URL(t), "default_query_exec_mode", mode)), schema, postgres.Options{}))
			servertest.Must(t, err)
			for _, fields := range [][]string{nil, {field}} {
				_, err := again.Select(t.Context(), row, core.Query{Fields: fields})
				if err == nil || !strings.Contains(err.Error(), "row."+field+` of "odd one"`) || strings.Contains(core.AsError(err).Public(), "odd one") {
					t.Errorf("%s, %s: %v", value, mode, err)
				}
				var inner interface{ Redacted() string }
				if !errors.As(err, &inner) || strings.Contains(inner.Redacted(), "odd one") || !strings.Contains(inner.Redacted(), "row."+field) {
					t.Errorf("%s, %s: for logs without values: %v", value, mode, inner)
				}
			}
		}
		servertest.Must(t, store.Delete(t.Context(), row, core.TextValue("odd one")))
	}
}

// failures counts the operations that observers count as failures.
type failures struct{ n int }

func (*failures) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}

func (f *failures) End(_ context.Context, event *core.Event) {
	if core.OutcomeOf(event.Err).Failure() {
		f.n++
	}
}

// A denied write aborts the transaction of the server. The store then learns in another one that the principal can read the
// record. No operation fails for that: an alert would ring, and a log would show an error, whenever a caller lacks a right.
func TestDeniedWriteIsNoFailure(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, "CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text)"))
	row := servertest.Numbered.Resource("row")
	seen := &failures{}
	store, err := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{}),
		core.Decorator{Name: "failures", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return seen, nil }},
		core.Decorator{Name: "locked", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Update || op.Kind == core.Delete {
					op.Guard(row.Field("name").Compare(core.FilterNe, core.TextValue("locked")))
				}
				return next(ctx, op)
			}, nil
		}})
	servertest.Must(t, err)
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("ada")})
	made, err := store.Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "locked"}), servertest.Record(t, row, map[string]any{"name": "free"}))
	servertest.Must(t, err)
	locked, free := made[0].Key(), made[1].Key()
	change := func(keys ...core.Value) (changes []core.Record) {
		for _, key := range core.SortKeys(keys) {
			changes = append(changes, servertest.Record(t, row, map[string]any{"id": key, "name": "other"}))
		}
		return changes
	}
	for name, write := range map[string]func(ctx context.Context, q core.Querier) error{
		"delete": func(ctx context.Context, q core.Querier) error { return q.Delete(ctx, row, locked) },
		"delete of many": func(ctx context.Context, q core.Querier) error {
			return q.Delete(ctx, row, core.SortKeys([]core.Value{free, locked})...)
		},
		"update": func(ctx context.Context, q core.Querier) error {
			_, err := q.Update(ctx, row, change(locked)...)
			return err
		},
		"update of many": func(ctx context.Context, q core.Querier) error {
			_, err := q.Update(ctx, row, change(free, locked)...)
			return err
		},
	} {
		err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			return errors.Join(write(ctx, tx), tx.Delete(ctx, row)) // the first is not the last operation
		})
		if !errors.Is(err, core.Forbidden) || seen.n > 0 {
			t.Errorf("%s in a transaction: %v, with %d failures", name, err, seen.n)
		}
		if err := write(ctx, store); !errors.Is(err, core.Forbidden) || seen.n > 0 {
			t.Errorf("%s: %v, with %d failures", name, err, seen.n)
		}
		seen.n = 0
	}
}
