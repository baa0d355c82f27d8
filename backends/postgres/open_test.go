package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestErrorsContainNoPassword(t *testing.T) {
	u, err := url.Parse(pgtest.URL(t))
	servertest.Must(t, err)
	server := " user=postgres host=" + u.Query().Get("host") + " port=" + u.Query().Get("port")
	for _, connection := range []string{
		"postgres://me:hunter2@localhost:1/db?connect_timeout=2",
		"postgres://me:hunter2@local host/db",
		"postgres://me:hunter2%zz@localhost/db",
		"postgres://me:hunter2@localhost:port/db",
		"postgres://me:hunter2",
		"postgres://me:hunter2:5432/db",
		"postgres://:hunter2@127.0.0.1:1/db",
		"postgres://me:4321/hunter2@127.0.0.1:1/db",
		"postgres://me:4321#hunter2@127.0.0.1:1/db",
		"postgres://me:4321?hunter2@127.0.0.1:1/db",
		"postgres://127.0.0.1:1/hunter2@127.0.0.1:1/db",
		"postgers://me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"postgres:/me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"postgres//me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"me:hunter2@127.0.0.1/db",
		"host=localhost port=x password=hunter2",
		"host=localhost password=hunter2 sslmode=nonsense",
		"password='hunter2",
		"password=top hunter2=x" + server,
		"password=top datestyle=hunter2" + server,
	} {
		_, err := postgres.Open(t.Context(), connection, "s", postgres.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "4321") {
			t.Errorf("%s: %v", connection, err)
		}
		pool, err := postgres.NewPool(t.Context(), connection, postgres.Options{})
		if err == nil {
			_, err = core.New(t.Context(), servertest.Cookies, postgres.New(pool, "s", postgres.Options{}))
			pool.Close()
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "4321") {
			t.Errorf("%s, later: %v", connection, err)
		}
	}
}

func TestMalformedConnectionStringShowsForm(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://me:a/b@localhost/db", "s", postgres.Options{})
	if err == nil || !strings.Contains(err.Error(), "/ ? # @ : % as %2F %3F %23 %40 %3A %25") {
		t.Errorf("got %v", err)
	}
}

func TestMalformedReplicaStringIsRejected(t *testing.T) {
	for _, replica := range []string{"postgers://me:hunter2@h/db?sslmode=disable", "postgres://me:4321/hunter2@h/db"} {
		opts := postgres.Options{Replicas: []string{replica}}
		_, opened := postgres.Open(t.Context(), pgtest.URL(t), "s", opts)
		_, bound := core.New(t.Context(), servertest.Numbered, postgres.New(servertest.Pool(t, pgtest.URL(t)), pgtest.Schema(t), opts))
		for _, err := range []error{opened, bound} {
			if err == nil || !strings.Contains(err.Error(), "replica") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "4321") {
				t.Errorf("%s: %v", replica, err)
			}
		}
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://localhost:1/db", "s", postgres.Options{})
	if !errors.Is(err, core.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestOpenSetsSessionSettings(t *testing.T) {
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE FUNCTION $S.setting(text) RETURNS text LANGUAGE sql AS 'SELECT current_setting($1)'`))
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.row (id bigserial PRIMARY KEY, a text DEFAULT $S.setting('application_name'),
		b text DEFAULT $S.setting('transaction_isolation'), c text DEFAULT $S.setting('idle_in_transaction_session_timeout'),
		d text DEFAULT $S.setting('statement_timeout'), e text DEFAULT $S.setting('jit'))`))
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "a", Type: core.Text}, {Name: "b", Type: core.Text}, {Name: "c", Type: core.Text},
		{Name: "d", Type: core.Text}, {Name: "e", Type: core.Text},
	}})
	for _, c := range []struct {
		opts postgres.Options
		url  string
		want string
	}{
		{postgres.Options{}, pgtest.URL(t), "row{id:1 a:larder b:serializable c:1min d:20s e:off}"},
		{postgres.Options{ApplicationName: "shop"}, pgtest.URL(t), "row{id:2 a:shop b:serializable c:1min d:20s e:off}"},
		{postgres.Options{Isolation: "repeatable read"}, servertest.With(t, pgtest.URL(t), "application_name", "mine"), "row{id:3 a:mine b:repeatable read c:1min d:20s e:off}"},
		{postgres.Options{Bouncer: true}, pgtest.Bouncer(t), "row{id:4 a:larder b:serializable c:0 d:20s e:on}"},
	} {
		b, err := postgres.Open(t.Context(), c.url, schema, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		store, err := core.New(t.Context(), m, b)
		if err != nil {
			t.Fatal(err)
		}
		row := m.Resource("row")
		got, err := store.Insert(t.Context(), row, servertest.Record(t, row, nil))
		if err != nil || got[0].String() != c.want {
			t.Errorf("got %v %v, want %s", got, err, c.want)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if _, err := b.Begin(context.Background(), core.BackendTxOptions{}); !errors.Is(err, core.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// The server ends a statement that exceeds the limit. The connection remains usable.
func TestStatementBeyondLimitIsTooExpensive(t *testing.T) {
	t.Parallel()
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text)`, `INSERT INTO $S.row (name) VALUES ('a'), ('b')`,
		`CREATE VIEW $S.slow AS SELECT r.id, r.name || pg_sleep(30)::text AS name FROM $S.row AS r`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	row := servertest.Numbered.Resource("row")
	for _, c := range []struct {
		name, url string
		opts      postgres.Options
		want      error
	}{
		{"direct", pgtest.URL(t), postgres.Options{StatementTimeout: time.Second}, core.QueryTooExpensive},
		{"bouncer", pgtest.Bouncer(t), postgres.Options{StatementTimeout: time.Second, Bouncer: true}, core.QueryTooExpensive},
		{"in the connection string", servertest.With(t, pgtest.URL(t), "statement_timeout", "1000"), postgres.Options{}, core.QueryTooExpensive},
		{"no limit", pgtest.URL(t), postgres.Options{StatementTimeout: -1, CallTimeout: time.Second}, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.opts.Resources = map[string]postgres.Source{"row": {Table: "row", View: "slow"}}
			b, err := postgres.Open(t.Context(), c.url, schema, c.opts)
			servertest.Must(t, err)
			store, err := core.New(t.Context(), servertest.Numbered, b)
			servertest.Must(t, err)
			t.Cleanup(func() { _ = store.Close() })
			if _, err := store.Select(t.Context(), row, core.Query{Where: core.Eq("name", "a")}); !errors.Is(err, c.want) {
				t.Errorf("select: %v, want %v", err, c.want)
			}
			err = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Count(ctx, row, core.Eq("name", "a"))
				return err
			})
			if !errors.Is(err, c.want) {
				t.Errorf("in a transaction: %v, want %v", err, c.want)
			}
			if _, err := store.Load(t.Context(), row, nil); err != nil { // pings the server
				t.Error(err)
			}
		})
	}
}

func TestRejectedLoginIsUnavailable(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	u, err := url.Parse(server.TCP())
	servertest.Must(t, err)
	for mode, want := range map[string]string{"disable": "password authentication failed", "prefer": "password authentication failed", "require": "refused TLS"} {
		u.User, u.RawQuery = url.UserPassword("postgres", "hunter2"), "sslmode="+mode
		_, err := postgres.Open(t.Context(), u.String(), "s", postgres.Options{})
		if !errors.Is(err, core.Unavailable) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", mode, err)
		}
		where := server.Address() + " "
		if text := err.Error(); strings.Contains(text, "\n") || strings.Count(text, where) != 1 || !strings.Contains(text, want) {
			t.Errorf("%s: got %q, want one line with %q and %q", mode, text, where, want)
		}
	}
}

// tenants are databases of one server, each with a pool and a backend that stays bound between transactions.
type tenants map[string]*tenant

type tenant struct {
	*postgres.Backend

	pool  *pgxpool.Pool
	bound func(ctx context.Context, m *core.Model) error
}

// Bind inspects the schema once, not in each transaction.
func (t *tenant) Bind(ctx context.Context, m *core.Model) error { return t.bound(ctx, m) }

// Close keeps the backend for later transactions.
func (t *tenant) Close() error { return nil }

// once calls fn until it has succeeded.
func once(fn func(ctx context.Context, m *core.Model) error) func(ctx context.Context, m *core.Model) error {
	var mu sync.Mutex
	done := false
	return func(ctx context.Context, m *core.Model) error {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return nil
		}
		err := fn(ctx, m)
		done = err == nil
		return err
	}
}

// open is the storage-returning function: it finds the backend of a tenant by the principal. The program itself, which
// binds the model, gets any backend.
func (ts tenants) open(ctx context.Context) (core.Backend, error) {
	p := core.PrincipalOf(ctx)
	if p.IsSystem() {
		return ts["ann"], nil
	}
	if p == nil || ts[p.ID.Text()] == nil {
		return nil, &core.Error{Code: core.Unauthorized}
	}
	return ts[p.ID.Text()], nil
}

func asTenant(ctx context.Context, name string) context.Context {
	return core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue(name)})
}

func TestSchemasShareAPool(t *testing.T) {
	pool, err := postgres.NewPool(t.Context(), servertest.With(t, pgtest.URL(t), "pool_max_conns", "2"), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	cookie := servertest.Cookies.Resource("cookie")
	var stores []*core.Store
	var wg sync.WaitGroup
	for i := range 2 {
		store, err := core.New(t.Context(), servertest.Cookies, postgres.New(pool, pgtest.Schema(t), postgres.Options{Migrate: true}))
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, store)
		wg.Go(func() {
			for range 10 * (i + 1) {
				if _, err := store.Insert(t.Context(), cookie, servertest.Record(t, cookie, map[string]any{"type": strconv.Itoa(i)})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := stores[0].Close(); err != nil { // the pool stays open
		t.Fatal(err)
	}
	if n, err := stores[1].Count(t.Context(), cookie, core.Eq("type", "1")); err != nil || n != 20 {
		t.Errorf("%d records, %v; want 20", n, err)
	}
	if got := servertest.Value[string](t, pool, "SELECT current_setting('transaction_isolation')"); got != "serializable" {
		t.Errorf("isolation %s", got)
	}
}

func TestPoolOfUnreachableServer(t *testing.T) {
	pool, err := postgres.NewPool(t.Context(), "postgres://localhost:1/db", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := core.New(t.Context(), servertest.Cookies, postgres.New(pool, "s", postgres.Options{})); !errors.Is(err, core.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestBackendFuncWithPoolPerTenant(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	admin := servertest.OwnPool(t, server.URL())
	all := tenants{}
	for _, name := range []string{"ann", "bob"} {
		if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		p := servertest.OwnPool(t, servertest.With(t, strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1), "pool_max_conns", "4"))
		b := postgres.New(p, "sweets", postgres.Options{Migrate: true})
		all[name] = &tenant{b, p, once(b.Bind)}
	}
	store, err := core.New(core.System(t.Context()), servertest.Cookies, core.BackendFunc(all.open))
	if err != nil {
		t.Fatal(err)
	}
	cookie := servertest.Cookies.Resource("cookie")
	var wg sync.WaitGroup
	for _, name := range []string{"ann", "bob", "ann", "bob", "ann", "bob"} {
		wg.Go(func() {
			for range 10 {
				_, err := store.Insert(asTenant(t.Context(), name), cookie, servertest.Record(t, cookie, map[string]any{"type": name + "'s"}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for name, tenant := range all {
		if got := servertest.Value[string](t, tenant.pool, "SELECT current_database()::text"); got != name {
			t.Fatalf("the pool of %s is on %s", name, got)
		}
		n, err := store.Count(asTenant(t.Context(), name), cookie, core.Eq("type", name+"'s"))
		if err != nil || n != 30 {
			t.Errorf("%s has %d, %v; want 30", name, n, err)
		}
		if got := servertest.Value[int64](t, tenant.pool, "SELECT count(*) FROM sweets.cookie"); got != 30 {
			t.Errorf("the database of %s holds %d", name, got)
		}
		if n := tenant.pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%d connections of %s were not given back", n, name)
		}
	}
	for _, ctx := range []context.Context{t.Context(), asTenant(t.Context(), "eve")} {
		if _, err := store.Count(ctx, cookie, core.All()); !errors.Is(err, core.Unauthorized) {
			t.Errorf("%s: %v", core.PrincipalOf(ctx), err)
		}
	}
}

func TestBackendFuncWithConnectionPerRequest(t *testing.T) {
	t.Parallel()
	schema := pgtest.Schema(t)
	p := servertest.Pool(t, pgtest.URL(t))
	if err := postgres.Migrate(t.Context(), p, schema, servertest.Cookies); err != nil {
		t.Fatal(err)
	}
	name := func(ctx context.Context) string { return fmt.Sprint("request of ", core.PrincipalOf(ctx)) }
	store, err := core.New(t.Context(), servertest.Cookies, core.BackendFunc(func(ctx context.Context) (core.Backend, error) {
		url := servertest.With(t, pgtest.URL(t), "pool_max_conns", "1")
		return postgres.Open(ctx, url, schema, postgres.Options{ApplicationName: name(ctx)})
	}))
	if err != nil {
		t.Fatal(err)
	}
	connections := func(ctx context.Context) int64 {
		return servertest.Value[int64](t, p, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name(ctx))
	}
	cookie := servertest.Cookies.Resource("cookie")
	for i := range 3 {
		ctx := asTenant(t.Context(), fmt.Sprint("client ", i))
		if _, err := store.Insert(ctx, cookie, servertest.Record(t, cookie, map[string]any{"type": "x"})); err != nil {
			t.Fatal(err)
		}
		for _, result := range []error{nil, errors.New("no")} {
			err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				for range 2 {
					if n, err := tx.Count(ctx, cookie, core.All()); n != i+1 || err != nil {
						t.Errorf("%d servertest.Cookies, %v", n, err)
					}
				}
				if n := connections(ctx); n != 1 {
					t.Errorf("%d connections in a transaction", n)
				}
				return result
			})
			if !errors.Is(err, result) {
				t.Error(err)
			}
		}
		for connections(ctx) > 0 { // until the server has noticed
		}
	}
}

func ExampleParseConfig() {
	config, err := postgres.ParseConfig("postgres://app:pass%2Fword@db/shop")
	if err != nil {
		panic(err)
	}
	config.MaxConns = 8 // and then: pgxpool.NewWithConfig, postgres.New
	_, err = postgres.ParseConfig("postgres://app:pass/word@db/shop")
	fmt.Println(config.ConnConfig.Host, config.ConnConfig.Password, err != nil)
	// Output: db pass/word true
}

func ExampleOpen() {
	ctx := context.Background()
	server, err := pgtest.Start(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Stop() }()
	pool, err := pgxpool.New(ctx, server.URL())
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	if err := postgres.Migrate(ctx, pool, "sweets", servertest.Cookies); err != nil {
		panic(err)
	}

	backend, err := postgres.Open(ctx, server.URL(), "sweets", postgres.Options{})
	if err != nil {
		panic(err)
	}
	store, err := core.New(ctx, servertest.Cookies, backend)
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	cookie := servertest.Cookies.Resource("cookie")
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin"})
	stored, err := store.Insert(ctx, cookie, muffin)
	fmt.Println(stored, err)
	// Output: [cookie{id:1 type:muffin jar:null}] <nil>
}

func ExampleDDL() {
	for _, statement := range postgres.DDL("sweets", servertest.Cookies) {
		fmt.Println(statement + ";")
	}
	// Output:
	// CREATE SCHEMA "sweets";
	// CREATE TABLE "sweets"."cookie" (
	// 	"id" bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	// 	"type" text COLLATE "C",
	// 	"jar" bigint
	// );
	// CREATE TABLE "sweets"."jar" (
	// 	"id" bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY
	// );
	// CREATE INDEX ON "sweets"."cookie" ("jar", "id");
	// ALTER TABLE "sweets"."cookie" ADD FOREIGN KEY ("jar") REFERENCES "sweets"."jar" ("id") DEFERRABLE INITIALLY DEFERRED;
}
