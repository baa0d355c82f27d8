package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func TestDeleteWithServerSideCascades(t *testing.T) {
	for _, c := range []struct{ name, sql, parent, left string }{
		{
			"a child", `CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY, a int NOT NULL REFERENCES a ON DELETE CASCADE CHECKED);
			INSERT INTO a DEFAULT VALUES; INSERT INTO b (a) VALUES (1)`, "a", "",
		},
		{
			"a child whose table comes first", `CREATE TABLE b (id serial PRIMARY KEY); CREATE TABLE a (id serial PRIMARY KEY, b int NOT NULL REFERENCES b ON DELETE CASCADE CHECKED);
			INSERT INTO b DEFAULT VALUES; INSERT INTO a (b) VALUES (1)`, "b", "",
		},
		{
			"two levels and a detached reference", `CREATE TABLE b (id serial PRIMARY KEY); CREATE TABLE a (id serial PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE CHECKED);
			CREATE TABLE c (id serial PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE CHECKED); CREATE TABLE d (id serial PRIMARY KEY, b int REFERENCES b ON DELETE SET NULL CHECKED);
			INSERT INTO b DEFAULT VALUES; INSERT INTO a (b) VALUES (1), (1); INSERT INTO c (a) VALUES (1), (2); INSERT INTO d (b) VALUES (1)`, "b", "d1",
		},
		{
			"a tree", `CREATE TABLE a (id serial PRIMARY KEY, up int REFERENCES a ON DELETE CASCADE CHECKED); INSERT INTO a (up) VALUES (NULL), (1), (2), (NULL)`, "a", "a4",
		},
		{
			"mutual cascades", `CREATE TABLE a (id serial PRIMARY KEY, b int); CREATE TABLE b (id serial PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE CHECKED);
			ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE CHECKED;
			INSERT INTO a DEFAULT VALUES; INSERT INTO b (a) VALUES (1); UPDATE a SET b = 1; INSERT INTO a (b) VALUES (1)`, "a", "",
		},
		{
			"a post and its pinned comment", `CREATE TABLE post (id serial PRIMARY KEY, pinned int); CREATE TABLE comment (id serial PRIMARY KEY, post int NOT NULL REFERENCES post ON DELETE CASCADE CHECKED);
			ALTER TABLE post ADD FOREIGN KEY (pinned) REFERENCES comment CHECKED;
			INSERT INTO post DEFAULT VALUES; INSERT INTO comment (post) VALUES (1), (1); UPDATE post SET pinned = 2`, "post", "",
		},
	} {
		for _, constraints := range []string{"", "DEFERRABLE INITIALLY DEFERRED"} {
			t.Run(c.name+" "+constraints, func(t *testing.T) {
				store, err := importertest.Store(t, importertest.Import(t, strings.ReplaceAll(c.sql, "CHECKED", constraints)))
				if err != nil {
					t.Fatal(err)
				}
				if err := engine.New(store, engine.Options{}).Delete(t.Context(), c.parent, 1, engine.Write{}); err != nil {
					t.Error(err)
				}
				if left := allKeys(t, store); left != c.left {
					t.Errorf("left: %s, want %s", left, c.left)
				}
			})
		}
	}
}

// allKeys lists the keys of all records of a store.
func allKeys(t *testing.T, store *core.Store) string {
	t.Helper()
	var keys []string
	for _, r := range store.Model().Resources() {
		page, err := store.Select(t.Context(), r, core.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			keys = append(keys, r.Name()+rec.Key().String())
		}
	}
	return strings.Join(keys, " ")
}

// A policy may hide the records that the server would delete.
func TestServerDoesNotCascadePastPolicies(t *testing.T) {
	for _, action := range []string{"CASCADE", "SET NULL", "SET DEFAULT"} {
		t.Run(action, func(t *testing.T) {
			store, err := importertest.Store(t, importertest.Import(t, `CREATE TABLE a (id serial PRIMARY KEY, up int REFERENCES a ON DELETE `+action+`);
				CREATE TABLE b (id serial PRIMARY KEY, a int REFERENCES a ON DELETE `+action+`);
				INSERT INTO a (up) VALUES (NULL), (NULL), (2), (NULL); INSERT INTO b (a) VALUES (1)`))
			if err != nil {
				t.Fatal(err)
			}
			a := store.Model().Resource("a")
			for key, field := range map[int64]string{1: "b", 2: "a_by_up"} {
				var e *core.Error
				if err := store.Delete(t.Context(), a, core.IntValue(key)); !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "a" || e.Field != field {
					t.Errorf("deletion of %d: %v", key, err)
				}
			}
			if err := store.Delete(t.Context(), a, core.IntValue(2), core.IntValue(3), core.IntValue(4)); err != nil {
				t.Error(err)
			}
			if left := allKeys(t, store); left != "a1 b1" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

// cyclicTables are tables that refer to each other, so that no row can be deleted first.
const cyclicTables = `CREATE TABLE heart (id serial PRIMARY KEY, body int); CREATE TABLE body (id serial PRIMARY KEY, heart int REFERENCES heart CHECKED);
	ALTER TABLE heart ADD FOREIGN KEY (body) REFERENCES body CHECKED;
	INSERT INTO heart DEFAULT VALUES; INSERT INTO body (heart) VALUES (1); UPDATE heart SET body = 1; INSERT INTO heart DEFAULT VALUES`

func TestDetachedRowMustBeDeletedOrChanged(t *testing.T) {
	for _, constraints := range []string{"", "DEFERRABLE"} {
		store, err := importertest.Store(t, importertest.Import(t, strings.ReplaceAll(cyclicTables, "CHECKED", constraints)))
		if err != nil {
			t.Fatal(err)
		}
		heart, body := store.Model().Resource("heart"), store.Model().Resource("body")
		one := core.IntValue(1)
		for end, work := range map[string]func(ctx context.Context, tx *core.Transaction) error{
			"a commit of its own":     func(ctx context.Context, tx *core.Transaction) error { return tx.Delete(ctx, heart, one) },
			"along with the deletion": func(ctx context.Context, tx *core.Transaction) error { return tx.Final().Delete(ctx, heart, one) },
			"along with another operation": func(ctx context.Context, tx *core.Transaction) error {
				if err := tx.Delete(ctx, heart, one); err != nil {
					return err
				}
				_, err := tx.Final().Insert(ctx, heart, servertest.Record(t, heart, nil))
				return err
			},
		} {
			err := store.Tx(t.Context(), work)
			var e *core.Error
			if !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "heart" || e.Field != "body_by_heart" {
				t.Errorf("%s: %v", end, err)
			}
			if left := allKeys(t, store); left != "body1 heart1 heart2" {
				t.Errorf("%s, left: %s", end, left)
			}
		}
		if err := store.Delete(t.Context(), heart, one); !errors.Is(err, core.StillReferenced) {
			t.Error(err)
		}
		err = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Delete(ctx, heart, one); err != nil {
				return err
			}
			_, err := tx.Final().Update(ctx, body, servertest.Record(t, body, map[string]any{"id": 1, "heart": 2}))
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if left := allKeys(t, store); left != "body1 heart2" {
			t.Errorf("left: %s", left)
		}
	}
}

func TestForeignKeysToOtherSchemas(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "a", ToOne: "a"}}})
	other := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(other, `CREATE TABLE $S.a (id int PRIMARY KEY)`))
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.a (id serial PRIMARY KEY)`, `INSERT INTO $S.a DEFAULT VALUES`,
		`CREATE TABLE $S.b (id serial PRIMARY KEY, a int REFERENCES $S.a REFERENCES `+servertest.InSchema(other, "$S.a")+`)`)
	b := m.Resource("b")
	_, err := store.Insert(t.Context(), b, servertest.Record(t, b, map[string]any{"a": 1}))
	if core.AsError(err).Code != core.BadRequest { // the model does not know the foreign key
		t.Error(err)
	}
}

func TestInsertRefersToEarlierRecords(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "up", ToOne: "a"},
	}})
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.a (id serial PRIMARY KEY, n int DEFAULT 5, up int REFERENCES $S.a)`)
	a := m.Resource("a")
	got, err := store.Insert(t.Context(), a, servertest.Record(t, a, map[string]any{"id": 11}),
		servertest.Record(t, a, map[string]any{"id": 12, "n": 1}), servertest.Record(t, a, map[string]any{"id": 13, "up": 12}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a{id:11 n:5 up:null}", "a{id:12 n:1 up:null}", "a{id:13 n:5 up:12}"} {
		if got[i].String() != want {
			t.Errorf("got %s, want %s", got[i], want)
		}
	}
}

// Policies must not see the null of a detached row: it is not the value of the record.
func TestPolicyIgnoresNullOfDetachedRow(t *testing.T) {
	imported := importertest.Import(t, strings.ReplaceAll(cyclicTables, "CHECKED", ""))
	seen := core.Or(core.Eq("heart", 2), core.Eq("heart", nil))
	store, err := importertest.Store(t, imported, policyOn("body", seen))
	if err != nil {
		t.Fatal(err)
	}
	heart, body := store.Model().Resource("heart"), store.Model().Resource("body")
	one := core.IntValue(1)
	for what, work := range map[string]func(ctx context.Context, tx *core.Transaction) error{
		"update": func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Final().Update(ctx, body, servertest.Record(t, body, map[string]any{"id": 1, "heart": 2}))
			return err
		},
		"deletion": func(ctx context.Context, tx *core.Transaction) error { return tx.Final().Delete(ctx, body, one) },
		"load":     func(ctx context.Context, tx *core.Transaction) error { _, err := tx.Get(ctx, body, one); return err },
		"list": func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Select(ctx, body, core.Query{})
			return err
		},
		"count": func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Count(ctx, body, core.All())
			return err
		},
	} {
		var got error
		err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Delete(ctx, heart, one); err != nil {
				return err
			}
			got = work(ctx, tx)
			return got
		})
		var e *core.Error
		if got == nil || !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "heart" || e.Field != "body_by_heart" {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	if left := allKeys(t, store); left != "heart1 heart2" { // the body is hidden
		t.Errorf("left: %s", left)
	}
}

func TestPolicyIgnoresNullOfSwap(t *testing.T) {
	imported := importertest.Import(t, `CREATE TABLE a (id serial PRIMARY KEY, x text UNIQUE); INSERT INTO a (x) VALUES ('p'), ('q')`)
	for _, c := range []struct {
		seen core.Filter
		want error
	}{{core.In("x", "p", "q"), core.AlreadyExists}, {core.Gt("id", 0), nil}} {
		store, err := importertest.Store(t, imported, policyOn("a", c.seen))
		if err != nil {
			t.Fatal(err)
		}
		a := store.Model().Resource("a")
		_, err = store.Update(t.Context(), a, servertest.Record(t, a, map[string]any{"id": 1, "x": "q"}), servertest.Record(t, a, map[string]any{"id": 2, "x": "p"}))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.seen, err)
		}
	}
}

func TestNoCascadeFromTableOfTwoResources(t *testing.T) {
	key := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{key}}, core.ResourceSpec{Name: "again", Fields: []core.FieldSpec{key}},
		core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{key, {Name: "a", ToOne: "a"}}})
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.a (id serial PRIMARY KEY); CREATE TABLE $S.b (id serial PRIMARY KEY, a int REFERENCES $S.a ON DELETE CASCADE);
		INSERT INTO $S.a VALUES (1); INSERT INTO $S.b (a) VALUES (1)`))
	opts := postgres.Options{Resources: map[string]postgres.Source{"again": {Table: "a"}}}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for _, name := range []string{"a", "again"} {
		var e *core.Error
		if err := store.Delete(t.Context(), m.Resource(name), core.IntValue(1)); !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "b" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// SET CONSTRAINTS ends with the transaction, so each transaction on a connection must execute it.
func TestInitiallyImmediateConstraintsAreDeferred(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "f", Type: core.Int, Unique: true}, {Name: "next", ToOne: "a"},
	}})
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.a (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
		f bigint UNIQUE DEFERRABLE INITIALLY IMMEDIATE, next bigint REFERENCES $S.a DEFERRABLE INITIALLY IMMEDIATE)`))
	servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.a (f) VALUES (1), (2)`))
	one, err := pgxpool.New(t.Context(), servertest.With(t, pgtest.URL(t), "pool_max_conns", "1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(one.Close)
	store, err := core.New(t.Context(), m, postgres.New(one, schema, postgres.Options{CheckSchema: -1}))
	if err != nil {
		t.Fatal(err)
	}
	a := m.Resource("a")
	for range 3 {
		err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			for _, fields := range []map[string]any{
				{"id": 1, "f": 2}, {"id": 2, "f": 1}, {"id": 1, "f": 1}, {"id": 2, "f": 2, "next": 3},
			} {
				if _, err := tx.Update(ctx, a, servertest.Record(t, a, fields)); err != nil {
					return err
				}
			}
			if _, err := tx.Insert(ctx, a, servertest.Record(t, a, map[string]any{"id": 3})); err != nil {
				return err
			}
			if err := tx.Delete(ctx, a, core.IntValue(3)); err != nil {
				return err
			}
			_, err := tx.Update(ctx, a, servertest.Record(t, a, map[string]any{"id": 2, "next": nil}))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A team and its captain refer to each other by keys of several fields, so that no row can be deleted first.
func TestCyclesOfSeveralColumnsAreDetached(t *testing.T) {
	pair := func(name string) []core.FieldSpec {
		return []core.FieldSpec{{Name: "club", Type: core.Int, Key: true}, {Name: name, Type: core.Int, Key: true}}
	}
	m := core.MustModel("m",
		core.ResourceSpec{Name: "team", KeyName: "key", Fields: append(pair("no"), core.FieldSpec{Name: "captain_no", Type: core.Int},
			core.FieldSpec{Name: "captain", ToOne: "player", Via: []string{"club", "captain_no"}})},
		core.ResourceSpec{Name: "player", KeyName: "key", Fields: append(pair("id"), core.FieldSpec{Name: "team", ToOne: "team"})},
	)
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.team (club int, no int, captain_no int, PRIMARY KEY (club, no))`,
		`CREATE TABLE $S.player (club int, id int, team_club int, team_no int, PRIMARY KEY (club, id), FOREIGN KEY (team_club, team_no) REFERENCES $S.team ON DELETE CASCADE)`,
		`ALTER TABLE $S.team ADD FOREIGN KEY (club, captain_no) REFERENCES $S.player`,
		`INSERT INTO $S.team VALUES (1, 1, NULL), (1, 2, NULL)`, `INSERT INTO $S.player VALUES (1, 5, 1, 1), (1, 6, 1, 1), (1, 7, 1, 2)`,
		`UPDATE $S.team SET captain_no = 5 WHERE no = 1`)
	team, player := m.Resource("team"), m.Resource("player")
	key := func(r *core.Resource, text string) core.Value {
		v, err := r.Key().Convert(text)
		servertest.Must(t, err)
		return v
	}
	change := func(work func(ctx context.Context, tx *core.Transaction) error) error {
		return store.Tx(t.Context(), work)
	}
	err := change(func(ctx context.Context, tx *core.Transaction) error {
		return tx.Delete(ctx, player, key(player, "1,5"))
	})
	if e := core.AsError(err); e.Code != core.StillReferenced || e.Field != "captain" {
		t.Errorf("delete of a captain: %v", err)
	}
	servertest.Must(t, change(func(ctx context.Context, tx *core.Transaction) error {
		if err := tx.Delete(ctx, player, key(player, "1,5")); err != nil {
			return err
		}
		_, err := tx.Update(ctx, team, servertest.Record(t, team, map[string]any{"key": "1,1", "captain": "1,6"}))
		return err
	}))
	servertest.Must(t, change(func(ctx context.Context, tx *core.Transaction) error {
		if err := tx.Delete(ctx, player, key(player, "1,6")); err != nil {
			return err
		}
		return tx.Delete(ctx, team, key(team, "1,1"))
	}))
	if left := allKeys(t, store); left != "team1,2 player1,7" {
		t.Errorf("left: %s", left)
	}
	if err := store.Delete(t.Context(), team, key(team, "1,2")); !errors.Is(err, core.StillReferenced) {
		t.Errorf("the server would cascade: %v", err)
	}
}

// Rows take unique values of several columns from each other, although an index checks every row.
func TestSwapOfRelationsWithSeveralColumns(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "seat", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "row", Type: core.Text, Key: true}, {Name: "no", Type: core.Int, Key: true}, {Name: "guest", ToOne: "guest", Inverse: "seat"},
		}},
		core.ResourceSpec{Name: "guest", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "seat", ToOne: "seat"},
			{Name: "row", Type: core.Text}, {Name: "no", Type: core.Int}, {Name: "spare", ToOne: "seat", Via: []string{"row", "no"}, Unique: true},
		}},
	)
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.seat ("row" text, no int, PRIMARY KEY ("row", no))`,
		`CREATE TABLE $S.guest (id serial PRIMARY KEY, seat_row text, seat_no int, "row" text, no int NOT NULL DEFAULT 0, UNIQUE (seat_no, seat_row), UNIQUE ("row", no),
			FOREIGN KEY (seat_row, seat_no) REFERENCES $S.seat, FOREIGN KEY ("row", no) REFERENCES $S.seat)`,
		`INSERT INTO $S.seat SELECT 'a', i FROM generate_series(1, 3) AS i`,
		`INSERT INTO $S.guest (seat_row, seat_no, "row", no) SELECT 'a', i, 'a', i FROM generate_series(1, 3) AS i`)
	guest := m.Resource("guest")
	for _, field := range []string{"seat", "spare"} {
		var changes []core.Record
		for id, to := range []string{"a,2", "a,3", "a,1"} {
			changes = append(changes, servertest.Record(t, guest, map[string]any{"id": id + 1, field: to}))
		}
		changed, err := store.Update(t.Context(), guest, changes...)
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		for i, rec := range changed {
			if rec.Get(field) != changes[i].Get(field) {
				t.Errorf("%s of %v", field, rec)
			}
		}
	}
	_, err := store.Update(t.Context(), guest, servertest.Record(t, guest, map[string]any{"id": 1, "seat": "a,1"}), servertest.Record(t, guest, map[string]any{"id": 2, "seat": "a,1"}))
	if e := core.AsError(err); e.Code != core.AlreadyExists || e.Field != "seat" {
		t.Errorf("two guests on one seat: %v", err)
	}
}
