package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// nameless is a table without nulls, to which nulls are added while it is in use.
var nameless = core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "name", Type: core.Text},
}})

const (
	namelessSQL = `CREATE TABLE $S.row (id bigserial PRIMARY KEY, n int NOT NULL, name text NOT NULL);
		INSERT INTO $S.row (n, name) VALUES (1, 'a'), (1, 'b'), (2, 'c')`
	dropNotNull = `ALTER TABLE $S.row ALTER n DROP NOT NULL, ALTER name DROP NOT NULL; INSERT INTO $S.row (n, name) VALUES (1, NULL), (NULL, 'e'), (NULL, NULL)`
)

// ids reads all records in pages of one and returns their keys.
func ids(t *testing.T, store *core.Store, q core.Query) (ids []int64) {
	t.Helper()
	q.Limit = 1
	for {
		page, err := store.Select(t.Context(), store.Model().Resource("row"), q)
		servertest.Must(t, err)
		for _, rec := range page.Records {
			ids = append(ids, rec.Key().Int())
		}
		if page.Next == "" {
			return ids
		}
		q.After = page.Next
	}
}

func TestDroppedNotNullInNegationsAndPages(t *testing.T) {
	store, schema := servertest.Store(t, nameless, namelessSQL)
	row := nameless.Resource("row")
	name := row.Field("name")
	where := map[string]core.Query{
		"not equal":        {Where: name.Compare(core.FilterNe, core.TextValue("a"))},
		"not in":           {Where: core.Not(name.Compare(core.FilterIn, core.TextValue("a"), core.TextValue("x")))},
		"by a second name": {Where: row.Field("n").Compare(core.FilterEq, core.IntValue(1)), Order: []string{"n", "name"}},
	}
	for _, q := range where {
		ids(t, store, q) // prepares the statements
	}
	servertest.Execute(t, servertest.InSchema(schema, dropNotNull))
	for what, want := range map[string][]int64{"not equal": {2, 3, 4, 5, 6}, "not in": {2, 3, 4, 5, 6}, "by a second name": {1, 2, 4}} {
		if got := ids(t, store, where[what]); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
}

// logLines is a log with lines that a test can wait for.
type logLines chan string

func (logLines) Enabled(context.Context, slog.Level) bool { return true }
func (l logLines) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l logLines) WithGroup(string) slog.Handler          { return l }

func (l logLines) Handle(_ context.Context, r slog.Record) error {
	var text strings.Builder
	err := slog.NewTextHandler(&text, nil).Handle(context.Background(), r)
	l <- text.String()
	return err
}

// next waits for a line that contains all the given texts.
func (l logLines) next(t *testing.T, texts ...string) {
	t.Helper()
	line := <-l
	for _, want := range texts {
		if !strings.Contains(line, want) {
			t.Errorf("logged %s, want %q", line, want)
		}
	}
}

// watchedStore makes a store that checks its schema, and its log.
func watchedStore(t *testing.T, m *core.Model, every time.Duration, resources map[string]postgres.Source, statements ...string) (*core.Store, string, logLines) {
	t.Helper()
	schema := pgtest.Schema(t)
	for _, sql := range statements {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	log := make(logLines, 100)
	opts := postgres.Options{CheckSchema: every, Logger: slog.New(log), Resources: resources}
	for name, source := range resources {
		source.Query = servertest.InSchema(schema, source.Query)
		opts.Resources[name] = source
	}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	servertest.Must(t, err)
	t.Cleanup(func() {
		servertest.Must(t, store.Close())
		if len(log) > 0 {
			t.Errorf("logged: %s", <-log)
		}
	})
	return store, schema, log
}

func TestSchemaChangesInEveryMode(t *testing.T) {
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			servertest.Execute(t, servertest.InSchema(schema, namelessSQL))
			log, opts := make(logLines, 100), mode.Options
			opts.CheckSchema, opts.Logger = checkInterval, slog.New(log)
			store, err := core.New(t.Context(), nameless, postgres.New(servertest.Pool(t, mode.URL(t)), schema, opts))
			servertest.Must(t, err)
			servertest.Execute(t, servertest.InSchema(schema, dropNotNull))
			log.next(t, "new transactions use its present state")
			if got := ids(t, store, core.Query{Order: []string{"name"}}); !slices.Equal(got, []int64{1, 2, 3, 5, 4, 6}) {
				t.Errorf("got %v", got)
			}
			servertest.Must(t, store.Close())
		})
	}
}

// checkInterval is the interval of the checks in tests.
const checkInterval = 10 * time.Millisecond

func TestDroppedNotNullInPagesAfterCheck(t *testing.T) {
	store, schema, log := watchedStore(t, nameless, checkInterval, nil, namelessSQL)
	byName := core.Query{Order: []string{"name"}}
	if got := ids(t, store, byName); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
	servertest.Execute(t, servertest.InSchema(schema, dropNotNull))
	log.next(t, "level=WARN", "new transactions use its present state", "column row.n was integer NOT NULL and is integer; column row.name was text NOT NULL and is text")
	if got := ids(t, store, byName); !slices.Equal(got, []int64{1, 2, 3, 5, 4, 6}) {
		t.Errorf("got %v", got)
	}
}

func TestSchemaChangesAreLoggedAndUsed(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "name", Type: core.Text}, {Name: "other", ToOne: "other"},
		}},
		core.ResourceSpec{Name: "other", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "part", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
	store, schema, log := watchedStore(t, m, checkInterval, nil, `
		CREATE TABLE $S.other (id bigserial PRIMARY KEY); INSERT INTO $S.other DEFAULT VALUES;
		CREATE TABLE $S.row (id bigserial PRIMARY KEY, n smallint, name text, other bigint REFERENCES $S.other);
		CREATE TABLE $S.part (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE $S.stranger (id int)`)
	row := m.Resource("row")
	api := engine.New(store, engine.Options{})
	put := func(body map[string]any) map[string]any {
		t.Helper()
		v, _, err := api.Replace(t.Context(), "row", 1, engine.Write{Depth: 1}, body)
		return fieldsOfView(t, v, err)
	}
	put(map[string]any{"name": "a"})
	for _, c := range []struct {
		sql, log string
		check    func() error
	}{
		{`ALTER TABLE $S.row ALTER n TYPE bigint`, "column row.n was smallint and is bigint", func() error {
			_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "n": 1 << 40}))
			return err
		}},
		{`ALTER TABLE $S.row ALTER n SET DEFAULT 5`, "column row.n was bigint and is bigint DEFAULT 5", func() error {
			if got := put(map[string]any{"name": "a"}); got["n"] == nil {
				return errors.New("the default is not set")
			}
			return nil
		}},
		{`ALTER TABLE $S.row ADD CONSTRAINT short CHECK (length(name) < 5)`, "check short of row is new", func() error {
			_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "name": "longer"}))
			var e *core.Error
			if !errors.As(err, &e) || violatedField(e) != "name" {
				return errors.Join(err, errors.New("the check does not lead to its field"))
			}
			return nil
		}},
		{`CREATE UNIQUE INDEX one ON $S.row (name)`, "index one of row is new: UNIQUE (name)", nil},
		{`DROP INDEX $S.one`, "index one of row is gone", nil},
		{`ALTER TABLE $S.row ADD stranger text`, "column row.stranger is new: text", nil},
		{`ALTER TABLE $S.row DROP CONSTRAINT row_other_fkey, ADD FOREIGN KEY (other) REFERENCES $S.other ON DELETE CASCADE`, "foreign key row_other_fkey of row has changed", func() error {
			_, err := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "other": 1}))
			servertest.Must(t, err)
			if err = store.Delete(t.Context(), m.Resource("other"), core.IntValue(1)); err == nil {
				return errors.New("the server cascaded past the policies")
			}
			return nil
		}},
		{`CREATE TABLE $S.part1 PARTITION OF $S.part FOR VALUES FROM (0) TO (10)`, ".part1 is new: of part; partition ", nil},
		{`ALTER TABLE $S.stranger ADD more text; ALTER TABLE $S.row ALTER name TYPE varchar(7)`, "column row.name was text and is character varying(7)", nil},
	} {
		servertest.Execute(t, servertest.InSchema(schema, c.sql))
		log.next(t, c.log)
		if c.check == nil {
			continue
		}
		if err := c.check(); err != nil {
			t.Errorf("after %s: %v", c.sql, err)
		}
	}
}

func TestMismatchIsUnavailableUntilFixed(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text, Unique: true}}},
		core.ResourceSpec{Name: "seen", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}}},
	)
	store, schema, log := watchedStore(t, m, checkInterval, map[string]postgres.Source{"seen": {Query: `SELECT id, name FROM $S.other`}}, `
		CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text UNIQUE); INSERT INTO $S.row (name) VALUES ('a');
		CREATE TABLE $S.other (id bigint PRIMARY KEY, name text)`)
	for _, c := range []struct{ breaks, mends, logged string }{
		{`ALTER TABLE $S.row DROP CONSTRAINT row_name_key`, `ALTER TABLE $S.row ADD UNIQUE (name)`, `row.name: is not unique`},
		{`ALTER TABLE $S.row RENAME name TO label`, `ALTER TABLE $S.row RENAME label TO name`, `row.name: column is missing`},
		{`ALTER TABLE $S.row RENAME TO line`, `ALTER TABLE $S.line RENAME TO row`, `row: table is missing`},
		{`ALTER TABLE $S.other RENAME name TO label`, `ALTER TABLE $S.other RENAME label TO name`, `seen: the query must be`},
	} {
		servertest.Execute(t, servertest.InSchema(schema, c.breaks))
		log.next(t, "level=ERROR", "no longer fits the model", c.logged)
		err := store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil })
		_, read := store.Get(t.Context(), m.Resource("row"), core.IntValue(1))
		for _, got := range []error{err, read, store.Ping(t.Context())} {
			if !errors.Is(got, core.Unavailable) {
				t.Errorf("after %s: %v", c.breaks, got)
			}
		}
		servertest.Execute(t, servertest.InSchema(schema, c.mends))
		log.next(t, "level=WARN", "use its present state")
		if rec, err := store.Get(t.Context(), m.Resource("row"), core.IntValue(1)); err != nil || rec.Get("name") != core.TextValue("a") {
			t.Errorf("after %s: %v %v", c.mends, rec, err)
		}
	}
}

// The key source decides whether policies must permit a chosen key, also in transactions that began before the schema
// changed.
func TestMismatchKeepsLastKeySource(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "generated", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "small", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "other", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}}},
	)
	store, schema, log := watchedStore(t, m, checkInterval, nil, `
		CREATE TABLE $S.generated (id text PRIMARY KEY DEFAULT gen_random_uuid()::text);
		CREATE TABLE $S.small (id smallserial PRIMARY KEY);
		CREATE TABLE $S.other (id bigserial PRIMARY KEY, name text)`)
	generated, small := m.Resource("generated"), m.Resource("small")
	want := []core.KeySource{store.KeySource(generated), store.KeySource(small)}
	if want[0].Assigned || want[1].High != 1<<14 {
		t.Errorf("of the schema that fits: %+v", want)
	}
	for _, c := range []struct{ sql, logged string }{
		{`ALTER TABLE $S.other RENAME name TO label`, "other.name: column is missing"},
		{`ALTER TABLE $S.other RENAME TO another`, "other: table is missing"}, // of a schema that did not fit before either
	} {
		servertest.Execute(t, servertest.InSchema(schema, c.sql))
		log.next(t, "level=ERROR", c.logged)
		if got := []core.KeySource{store.KeySource(generated), store.KeySource(small)}; !slices.Equal(got, want) {
			t.Errorf("after %s: got %+v, want %+v", c.sql, got, want)
		}
	}
}

func TestMissingColumnCausesCheck(t *testing.T) {
	store, schema, log := watchedStore(t, nameless, time.Hour, nil, namelessSQL)
	servertest.Execute(t, servertest.InSchema(schema, `ALTER TABLE $S.row RENAME name TO label`))
	if _, err := store.Get(t.Context(), nameless.Resource("row"), core.IntValue(1)); !errors.Is(err, core.ServerError) {
		t.Errorf("got %v", err)
	}
	log.next(t, "level=ERROR", "column row.label is new: text NOT NULL; column row.name is gone")
	servertest.Execute(t, servertest.InSchema(schema, `ALTER TABLE $S.row RENAME label TO name`))
	if _, err := store.Get(t.Context(), nameless.Resource("row"), core.IntValue(1)); !errors.Is(err, core.Unavailable) {
		t.Errorf("got %v", err)
	}
	log.next(t, "level=WARN")
	if _, err := store.Get(t.Context(), nameless.Resource("row"), core.IntValue(1)); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestWritesContinueAfterTableChange(t *testing.T) {
	store, schema := servertest.Store(t, nameless, namelessSQL)
	row := nameless.Resource("row")
	for _, change := range []string{"SELECT", `ALTER TABLE $S.row ALTER n TYPE bigint, ALTER name TYPE varchar`, `ALTER TABLE $S.row ALTER name TYPE text, ADD more text`} {
		servertest.Execute(t, servertest.InSchema(schema, change))
		for range 20 { // more than the pool has connections
			err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Update(ctx, row, servertest.Record(t, row, map[string]any{"id": 1, "name": "x"}))
				return err
			})
			if _, alone := store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 2, "name": "y"})); err != nil || alone != nil {
				t.Fatalf("after %s: %v, %v", change, err, alone)
			}
		}
	}
}

// schemaCheckers counts the goroutines that check schemas.
func schemaCheckers() int {
	all := make([]byte, 16<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "postgres.(*Backend).startChecker in goroutine")
}

func TestClosedBackendStopsSchemaChecks(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, namelessSQL))
	before := schemaCheckers()
	for every, started := range map[time.Duration]int{0: 1, -1: 0, checkInterval: 1} {
		b := postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{CheckSchema: every})
		servertest.Must(t, b.Bind(t.Context(), nameless))
		if n := schemaCheckers() - before; n != started {
			t.Errorf("with CheckSchema %v: %d goroutines", every, n)
		}
		servertest.Must(t, b.Close())
		for schemaCheckers() > before { // until the last one has returned
			runtime.Gosched()
		}
	}
}
