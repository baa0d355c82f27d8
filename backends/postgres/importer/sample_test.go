package importer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// A sample is a database with rows, in its schema public.
type sample struct {
	name string
	sql  []string // scripts, in the order of their execution
	opts importer.Options
	open [][2]string // resources and their fields that clients may set
}

// publicSchemas is the folder of public sample databases, which are not part of this repository.
var publicSchemas = filepath.Join("..", "..", "..", "..", "shared", "schemas")

// samples returns the fixture of this package, and the public sample databases if their folder exists.
func samples(t *testing.T) []sample {
	t.Helper()
	all := []sample{{
		name: "fixture", sql: []string{script(t, "testdata", "fixture.sql")},
		opts: importer.Options{Keys: map[string][]string{"spending": {"customer"}, "log": {"number"}}},
	}}
	if _, err := os.Stat(publicSchemas); err != nil {
		t.Logf("note: only the fixture is compared, without chinook, northwind and pagila: %v", err)
		return all
	}
	ofDatabase := regexp.MustCompile(`(?m)^(DROP DATABASE|CREATE DATABASE|\\c) .*$`)
	ofExtension := regexp.MustCompile(`(?m)^((CREATE|COMMENT ON) EXTENSION|CREATE INDEX .* USING hnsw) .*$`)
	return append(all,
		sample{name: "chinook", sql: []string{ofDatabase.ReplaceAllString(script(t, publicSchemas, "chinook.sql"), "")}},
		sample{name: "northwind", sql: []string{script(t, publicSchemas, "northwind.sql")}},
		sample{name: "pagila", sql: []string{
			`CREATE FUNCTION public.uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'`,
			ofExtension.ReplaceAllString(script(t, publicSchemas, "pagila-schema.sql"), ""),
			script(t, "testdata", "pagila-rows.sql"),
		}, opts: importer.Options{Keys: map[string][]string{
			"actor_info": {"actor_id"}, "customer_list": {"id"}, "film_list": {"fid"}, "nicer_but_slower_film_list": {"fid"}, "staff_list": {"id"},
			"sales_by_film_category": {"category"}, "sales_by_store": {"store"},
		}}},
	)
}

func script(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var databases atomic.Int64

// newDatabase creates a database, as a copy of another one unless template is empty, and drops it after the test. It
// returns the connection string. No connection to the template may be open.
func newDatabase(t *testing.T, template string) string {
	t.Helper()
	name := fmt.Sprintf("import_%d_%d", os.Getpid(), databases.Add(1))
	quoted := pgx.Identifier{name}.Sanitize()
	create := "CREATE DATABASE " + quoted
	if template != "" {
		create += " TEMPLATE " + pgx.Identifier{strings.TrimPrefix(parse(t, template).Path, "/")}.Sanitize()
	}
	runScripts(t, pgtest.URL(t), create)
	t.Cleanup(func() { runScripts(t, pgtest.URL(t), "DROP DATABASE "+quoted+" WITH (FORCE)") })
	u := parse(t, pgtest.URL(t))
	u.Path = "/" + name
	return u.String()
}

func parse(t *testing.T, connection string) *url.URL {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// runScripts runs scripts on a connection of their own, each in one transaction.
func runScripts(t *testing.T, connection string, scripts ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // clean-ups use it, too
	conn, err := pgx.Connect(ctx, connection)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range scripts {
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
}

// load creates a database with the sample.
func (s sample) load(t *testing.T) string {
	t.Helper()
	connection := newDatabase(t, "")
	runScripts(t, connection, s.sql...)
	return connection
}

// connect opens a connection that is closed with the test.
func connect(t *testing.T, connection string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(connection)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["timezone"], config.RuntimeParams["search_path"] = "UTC", "public"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// served is an imported database behind the REST face.
type served struct {
	imported *importer.Result
	model    *core.Model
	handler  http.Handler
	conn     *pgx.Conn // for SQL
}

// serve imports the schema public of a copy of the sample, and serves it without any other preparation.
func (s sample) serve(t *testing.T, connection string) *served {
	t.Helper()
	conn := connect(t, connection)
	imported, err := s.opts.Read(t.Context(), conn, "public")
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range s.open {
		r := slices.IndexFunc(imported.Resources, func(r core.ResourceSpec) bool { return r.Name == open[0] })
		f := slices.IndexFunc(imported.Resources[r].Fields, func(f core.FieldSpec) bool { return f.Name == open[1] })
		imported.Resources[r].Fields[f].ReadOnly = false
	}
	model, err := imported.Model()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := postgres.Open(t.Context(), connection, "public", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), model, backend)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &served{imported: imported, model: model, handler: handler, conn: conn}
}

// request sends a request with a JSON body and returns the answer.
func (s *served) request(t *testing.T, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}
