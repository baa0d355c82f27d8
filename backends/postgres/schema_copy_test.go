package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

var copied = core.MustModel("copied",
	core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "text", Type: core.Text, Unique: true}, {Name: "float", Type: core.Float}, {Name: "bool", Type: core.Bool}, {Name: "time", Type: core.Time},
		{Name: "date", Type: core.Date}, {Name: "decimal", Type: core.Decimal}, {Name: "local", Type: core.LocalTime}, {Name: "uuid", Type: core.UUID},
		{Name: "bytes", Type: core.Bytes}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List},
		{Name: "next", ToOne: "thing"}, {Name: "all", ToMany: "thing"},
		{Name: "number", Type: core.Int, NumberedBy: "next"},
	}},
	core.ResourceSpec{Name: "part", Fields: []core.FieldSpec{
		{Name: "thing", ToOne: "thing", Key: true}, {Name: "position", Type: core.Int, Key: true, Min: 0},
	}},
	core.ResourceSpec{Name: core.AnswersName},
)

// copyOf returns the stores of a schema and of its copy. The function fills the first one.
func copyOf(t *testing.T, fill func(store *core.Store)) (first, second *core.Store) {
	t.Helper()
	from, to := pgtest.Schema(t), pgtest.Schema(t)
	pool := servertest.Pool(t, pgtest.URL(t))
	open := func(schema string) *core.Store {
		store, err := core.New(t.Context(), copied, postgres.New(pool, schema, postgres.Options{Migrate: true}))
		servertest.Must(t, err)
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	first = open(from)
	fill(first)
	servertest.Must(t, postgres.CopySchema(t.Context(), pool, from, pool, to, copied))
	return first, open(to)
}

func TestCopyHasRowsSequencesAndNumbers(t *testing.T) {
	thing, part := copied.Resource("thing"), copied.Resource("part")
	ctx := core.System(t.Context())
	first, second := copyOf(t, func(store *core.Store) {
		_, err := store.Insert(ctx, thing,
			servertest.Record(t, thing, map[string]any{
				"text": "tab\tline\nback\\slash \\N \u2028 'ü", "float": 0.1, "bool": true, "time": "2026-11-30T12:00:00.123456Z", "date": "2026-11-30",
				"decimal": "123456789012345678901234567890.10", "local": "2026-11-30T12:00:00", "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
				"bytes": []byte{0, '\\', 255}, "json": map[string]any{"a": []any{nil, "\\"}}, "list": []any{"x", nil}, "all": []any{1, 2},
			}),
			servertest.Record(t, thing, map[string]any{"text": "", "next": 1}), servertest.Record(t, thing, map[string]any{"next": 1}))
		servertest.Must(t, err)
		_, err = store.Insert(ctx, part, servertest.Record(t, part, map[string]any{"thing": 1, "position": 0}), servertest.Record(t, part, map[string]any{"thing": 1, "position": 1}))
		servertest.Must(t, err)
		servertest.Must(t, store.Delete(ctx, thing, core.IntValue(3))) // neither its id nor its number is used again
	})
	for _, r := range []*core.Resource{thing, part} {
		want, err := first.Select(ctx, r, core.Query{})
		servertest.Must(t, err)
		got, err := second.Select(ctx, r, core.Query{})
		servertest.Must(t, err)
		if fmt.Sprint(got.Records) != fmt.Sprint(want.Records) || len(want.Records) != 2 {
			t.Errorf("got\n%v\nwant\n%v", got.Records, want.Records)
		}
	}
	got, err := second.Insert(ctx, thing, servertest.Record(t, thing, map[string]any{"next": 1}))
	servertest.Must(t, err)
	if id, number := got[0].Get("id"), got[0].Get("number"); id != core.IntValue(4) || number != core.IntValue(3) {
		t.Errorf("id %v and number %v, want 4 and 3", id, number)
	}
}

func TestCopyNamesObjectsOutsideTheModel(t *testing.T) {
	pool := servertest.Pool(t, pgtest.URL(t))
	for statement, want := range map[string]string{
		`ALTER INDEX $S.thing_text_key RENAME TO other`:                                                                             "",
		`ALTER TABLE $S.part ADD COLUMN "former one" text`:                                                                          `column part."former one"`,
		`CREATE TABLE $S.extra (id bigint)`:                                                                                         "column extra.id",
		`CREATE VIEW $S.extra AS SELECT 1 AS one`:                                                                                   "column extra.one",
		`CREATE INDEX ON $S.part (position) WHERE position > 9`:                                                                     "index on part btree (",
		`ALTER TABLE $S.part ADD CHECK (position < 9)`:                                                                              "constraint on part CHECK ((",
		`ALTER TABLE $S.part ADD FOREIGN KEY (position) REFERENCES $S.thing ON DELETE CASCADE`:                                      "constraint on part FOREIGN KEY",
		`CREATE FUNCTION $S.run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`:                                      "function run",
		`CREATE TRIGGER run BEFORE UPDATE ON $S.part FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()`: "trigger run on part",
	} {
		t.Run(want, func(t *testing.T) {
			from, to := pgtest.Schema(t), pgtest.Schema(t)
			servertest.Must(t, postgres.Migrate(t.Context(), pool, from, copied))
			servertest.Execute(t, servertest.InSchema(from, statement))
			err := postgres.CopySchema(t.Context(), pool, from, pool, to, copied)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFailedCopyLeavesNoRows(t *testing.T) {
	pool, from, to := servertest.Pool(t, pgtest.URL(t)), pgtest.Schema(t), pgtest.Schema(t)
	servertest.Must(t, postgres.Migrate(t.Context(), pool, from, copied))
	servertest.Execute(t, servertest.InSchema(from, `INSERT INTO $S.thing (text) SELECT n FROM generate_series(1, 10000) AS n`))
	servertest.Execute(t, servertest.InSchema(from, `INSERT INTO $S.part (thing, position) VALUES (1, 0)`))

	locked, err := pool.Begin(t.Context())
	servertest.Must(t, err)
	_, err = locked.Exec(t.Context(), servertest.InSchema(from, "LOCK TABLE $S.thing")) // the part is copied before
	servertest.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- postgres.CopySchema(ctx, pool, from, pool, to, copied) }()
	waiting := "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1::integer = ANY (pg_blocking_pids(pid)))"
	for !servertest.Value[bool](t, pool, waiting, int32(locked.Conn().PgConn().PID())) {
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	servertest.Must(t, locked.Rollback(t.Context()))
	count := servertest.InSchema(to, "SELECT (SELECT count(*) FROM $S.thing) + (SELECT count(*) FROM $S.part)")
	if n := servertest.Value[int64](t, pool, count); n != 0 {
		t.Errorf("%d rows", n)
	}
	servertest.Must(t, postgres.CopySchema(t.Context(), pool, from, pool, to, copied))
	if err := postgres.CopySchema(t.Context(), pool, from, pool, to, copied); err == nil || !strings.Contains(err.Error(), `copying table "part"`) {
		t.Errorf("a second copy: %v", err)
	}
	if n := servertest.Value[int64](t, pool, count); n != 10001 {
		t.Errorf("%d rows", n)
	}
}

func TestStopWrites(t *testing.T) {
	pool, schema := servertest.Pool(t, pgtest.URL(t)), pgtest.Schema(t)
	open := func() *core.Store {
		store, err := core.New(t.Context(), copied, postgres.New(pool, schema, postgres.Options{Migrate: true}))
		servertest.Must(t, err)
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	store, part, thing := open(), copied.Resource("part"), copied.Resource("thing")
	insert := func(ctx context.Context, q core.Querier, text string) error {
		_, err := q.Insert(ctx, thing, servertest.Record(t, thing, map[string]any{"text": text}))
		return err
	}
	stopped := make(chan error)
	err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if err := insert(ctx, tx, "before"); err != nil {
			return err
		}
		go func() { stopped <- postgres.StopWrites(t.Context(), pool, schema) }()
		for !servertest.Value[bool](t, pool, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%larder_stopped%')") {
		}
		return nil
	})
	servertest.Must(t, err)
	servertest.Must(t, <-stopped)
	servertest.Must(t, postgres.StopWrites(t.Context(), pool, schema))
	for _, store := range []*core.Store{store, open()} {
		for name, err := range map[string]error{
			"insert": insert(t.Context(), store, "after"),
			"update": errorOf(store.Update(t.Context(), thing, thing.Patch(core.IntValue(1)).Set(thing.Field("text"), core.TextValue("after")))),
			"delete": store.Delete(t.Context(), thing, core.IntValue(1)),
			"tx":     store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx, "after") }),
		} {
			if !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if n, err := store.Count(t.Context(), thing, core.Eq("text", "before")); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := store.Count(t.Context(), part, core.All()); err != nil || n != 0 {
			t.Errorf("%d, %v", n, err)
		}
	}
	for range 2 {
		servertest.Must(t, postgres.PermitWrites(t.Context(), pool, schema))
	}
	servertest.Must(t, insert(t.Context(), store, "after"))
}

func errorOf[T any](_ T, err error) error { return err }
