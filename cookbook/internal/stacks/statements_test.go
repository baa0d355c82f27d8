package stacks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/readonly"
)

// issues has issues without relations, with one and with two to-one relations to people, and with a to-many relation.
func issues() *core.Model {
	of := func(relations ...core.FieldSpec) []core.FieldSpec {
		return append([]core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "title", Type: core.Text}, {Name: "state", Type: core.Text},
			{Name: "points", Type: core.Int}, {Name: "changed", Type: core.Time},
		}, relations...)
	}
	author, editor := core.FieldSpec{Name: "author", ToOne: "person"}, core.FieldSpec{Name: "editor", ToOne: "person"}
	return core.MustModel("issues",
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "public", Type: core.Bool},
		}},
		core.ResourceSpec{Name: "bare", Fields: of()},
		core.ResourceSpec{Name: "one", Fields: of(author)},
		core.ResourceSpec{Name: "two", Fields: of(author, editor)},
		core.ResourceSpec{Name: "many", Fields: of(author, editor, core.FieldSpec{Name: "parts", ToMany: "part", Inverse: "of"})},
		core.ResourceSpec{Name: "part", Fields: of(core.FieldSpec{Name: "of", ToOne: "many"})},
	)
}

// issueRows has 200 issues of each kind, by 50 people.
func issueRows() seed.Data {
	data := seed.Data{"person": {}, "bare": {}, "one": {}, "two": {}, "many": {}, "part": {}}
	for i := range 50 {
		data["person"][i+1] = map[string]any{"name": fmt.Sprint("person ", i+1), "public": true}
	}
	for i := range 200 {
		row := func(relations ...any) map[string]any {
			values := map[string]any{"title": "an issue", "state": "open", "points": i, "changed": "2026-11-30T12:00:00Z"}
			for at := 0; at < len(relations); at += 2 {
				values[relations[at].(string)] = relations[at+1]
			}
			return values
		}
		author, editor := i%50+1, i*7%50+1
		data["bare"][i+1] = row()
		data["one"][i+1] = row("author", author)
		data["two"][i+1] = row("author", author, "editor", editor)
		data["many"][i+1] = row("author", author, "editor", editor)
		data["part"][i+1] = row("of", i+1)
	}
	return data
}

// narrowing is the name of the stack that hides people.
const narrowing = "public people"

// guardedStacks are stacks of policies on people: none, one that cannot hide people, one that permits all reads, and one that
// shows public people only.
func guardedStacks() []measured {
	permit := func(people access.Condition) []core.Decorator {
		var p access.Policy
		for _, r := range issues().Resources() {
			rule := access.Rule{Roles: []string{"baker"}, Resource: r.Name(), Operations: access.Read | access.Insert | access.Update | access.Delete}
			if r.Name() == "person" {
				rule.Using, rule.Check = people, access.All()
			}
			p = append(p, rule)
		}
		return []core.Decorator{access.New(p, access.Options{})}
	}
	return []measured{
		{"no policy", nil},
		{"readonly", []core.Decorator{readonly.New(readonly.Options{Switch: new(readonly.Switch)})}},
		{"all people", permit(access.Condition{})},
		{narrowing, permit(access.Eq("public", true))},
	}
}

// traffic counts the statements and the round trips of a pool.
type traffic struct{ statements, trips atomic.Int64 }

func (c *traffic) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.count(data.SQL)
	c.trips.Add(1)
	return ctx
}

func (c *traffic) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *traffic) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.trips.Add(1)
	return ctx
}

func (c *traffic) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	c.count(data.SQL)
}

func (c *traffic) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// count counts a statement, unless it begins, ends or configures a transaction.
func (c *traffic) count(sql string) {
	verb, _, _ := strings.Cut(sql, " ")
	switch verb {
	case "BEGIN", "COMMIT", "ROLLBACK", "SET":
		return
	}
	c.statements.Add(1)
}

// take returns the number of statements since the last call and, if it differs, of round trips.
func (c *traffic) take() string {
	statements, trips := c.statements.Swap(0), c.trips.Swap(0)
	if statements == trips {
		return strconv.FormatInt(statements, 10)
	}
	return fmt.Sprintf("%d in %d trips", statements, trips)
}

// served is a handler on PostgreSQL with the issues.
func served(tb testing.TB, pool *pgxpool.Pool, schema string, with []core.Decorator) http.Handler {
	tb.Helper()
	store, err := core.New(tb.Context(), issues(), postgres.New(pool, schema, postgres.Options{Migrate: true, CheckSchema: -1}), with...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: func(*http.Request) (*core.Principal, error) {
		return &core.Principal{ID: core.IntValue(1), Roles: []string{"baker"}}, nil
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func fill(tb testing.TB, pool *pgxpool.Pool, schema string) {
	tb.Helper()
	store, err := core.New(tb.Context(), issues(), postgres.New(pool, schema, postgres.Options{Migrate: true, CheckSchema: -1}))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	rows, err := seed.Records(store.Model(), issueRows())
	if err != nil {
		tb.Fatal(err)
	}
	err = store.Tx(tb.Context(), func(ctx context.Context, tx *core.Transaction) error {
		for i, records := range rows {
			if _, err := tx.Insert(ctx, store.Model().Resources()[i], records...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// TestStatementsOfARequest counts the statements and round trips of requests. Ids of to-one relations take no statement if the
// principal reads all people, and one for all relations to people otherwise.
func TestStatementsOfARequest(t *testing.T) {
	config, err := postgres.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	counted := &traffic{}
	config.ConnConfig.Tracer, config.ConnConfig.RuntimeParams["default_transaction_isolation"] = counted, "serializable"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	schema := pgtest.Schema(t)
	fill(t, pool, schema)
	person := `{"name": "new", "public": true}`
	for _, stack := range guardedStacks() {
		h := served(t, pool, schema, stack.with)
		for _, c := range []struct{ method, url, body, open, narrowed string }{
			{"GET", "/bare/7", "", "1", "1"},
			{"GET", "/one/7", "", "1", "2"},
			{"GET", "/two/7", "", "1", "2"},
			{"GET", "/many/7", "", "2", "3"},
			{"GET", "/two/7?depth=2", "", "2", "2"},
			{"GET", "/many/7?depth=2", "", "3", "3"},
			{"GET", "/bare", "", "1", "1"},
			{"GET", "/one", "", "1", "2"},
			{"GET", "/two", "", "1", "2"},
			{"GET", "/many", "", "2", "3"},
			{"GET", "/two?depth=2", "", "2", "2"},
			{"GET", "/many?depth=2", "", "3", "3"},
			{"POST", "/bare", `{"title": "new"}`, "1", "1"},
			{"POST", "/one", `{"title": "new", "author": 1}`, "2 in 3 trips", "2 in 3 trips"},
			{"POST", "/two", `{"title": "new", "author": 1, "editor": 2}`, "2 in 3 trips", "2 in 3 trips"},
			{"POST", "/one", `{"title": "new", "author": ` + person + `}`, "2 in 3 trips", "3"},
			{"POST", "/two", `{"title": "new", "author": ` + person + `, "editor": ` + person + `}`, "3 in 4 trips", "4"},
			{"POST", "/many", `{"title": "new", "author": 1, "editor": 2, "parts": [{}, {}]}`, "5 in 6 trips", "5 in 6 trips"},
			{"PATCH", "/bare/7", `{"title": "newer"}`, "1", "1"},
			{"PATCH", "/one/7", `{"title": "newer"}`, "1", "2"},
			{"PATCH", "/two/7", `{"title": "newer"}`, "1", "2"},
			{"PATCH", "/many/7", `{"title": "newer"}`, "2 in 3 trips", "3 in 4 trips"},
			{"PATCH", "/two/7", `{"author": 3, "editor": 4}`, "2 in 3 trips", "2 in 3 trips"},
		} {
			want := c.open
			if stack.name == narrowing {
				want = c.narrowed
			}
			counted.take()
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			h.ServeHTTP(w, r)
			if got := counted.take(); got != want || w.Code >= http.StatusMultipleChoices {
				t.Errorf("%s: %s %s %s: %s statements, want %s; status %d", stack.name, c.method, c.url, c.body, got, want, w.Code)
			}
		}
	}
}

// BenchmarkRelationOverHTTP compares GET requests of resources with relations with the same of one without, for one record and
// for a list of 100, under each stack. All requests of a stack use one connection to PostgreSQL, in turns.
func BenchmarkRelationOverHTTP(b *testing.B) {
	schema, pool := pgtest.Schema(b), poolOfOne(b)
	fill(b, pool, schema)
	for _, stack := range guardedStacks() {
		server := httptest.NewServer(served(b, pool, schema, stack.with))
		b.Cleanup(server.Close)
		for name, path := range map[string]string{"get one": "/7", "list of 100": "?limit=100"} {
			b.Run(name+" "+stack.name, func(b *testing.B) {
				resources := []string{"bare", "one", "two", "many"}
				gets := make([]func(), len(resources))
				for i, r := range resources {
					gets[i] = func() {
						res, err := server.Client().Get(server.URL + "/" + r + path)
						if err != nil {
							b.Fatal(err)
						}
						if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
							b.Fatal(res.Status, err)
						}
						_ = res.Body.Close()
					}
				}
				taken := rounds(b, gets, 16)
				b.ReportMetric(median(taken, func(round []float64) float64 { return round[0] / 1000 }), "bare-µs/op")
				for i, r := range resources[1:] {
					b.ReportMetric(median(taken, func(round []float64) float64 { return round[i+1] / round[0] }), r+"/bare")
				}
			})
		}
	}
}
