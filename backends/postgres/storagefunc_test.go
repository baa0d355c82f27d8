package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// tenants are databases of one server, each with a pool and a backend that stays
// bound between transactions.
type tenants map[string]*tenant

type tenant struct {
	*postgres.Backend

	pool  *pgxpool.Pool
	bound func(ctx context.Context, m *core.Model) error
}

// Bind looks at the schema once, not in each transaction.
func (t *tenant) Bind(ctx context.Context, m *core.Model) error { return t.bound(ctx, m) }

// Close leaves the backend to those who come after.
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

// open is the storage-returning function: a tenant's backend is found by the
// principal. The program itself, which asks whether the model fits, gets any.
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

func as(ctx context.Context, name string) context.Context {
	return core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue(name)})
}

func TestStorageFunctionWithAPoolPerTenant(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	admin := poolOf(t, server.URL())
	all := tenants{}
	for _, name := range []string{"ann", "bob"} {
		if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		p := poolOf(t, with(t, strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1), "pool_max_conns", "4"))
		b := postgres.New(p, "sweets", postgres.Options{Migrate: true})
		all[name] = &tenant{b, p, once(b.Bind)}
	}
	store, err := core.New(core.System(t.Context()), cookies, core.BackendFunc(all.open))
	if err != nil {
		t.Fatal(err)
	}
	cookie := cookies.Resource("cookie")
	var wg sync.WaitGroup
	for _, name := range []string{"ann", "bob", "ann", "bob", "ann", "bob"} {
		wg.Go(func() {
			for range 10 {
				_, err := store.Insert(as(t.Context(), name), cookie, record(t, cookie, map[string]any{"type": name + "'s"}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for name, tenant := range all {
		if got := one[string](t, tenant.pool, "SELECT current_database()::text"); got != name {
			t.Fatalf("the pool of %s is on %s", name, got)
		}
		n, err := store.Count(as(t.Context(), name), cookie, core.Eq("type", name+"'s"))
		if err != nil || n != 30 {
			t.Errorf("%s has %d, %v; want 30", name, n, err)
		}
		if got := one[int64](t, tenant.pool, "SELECT count(*) FROM sweets.cookie"); got != 30 {
			t.Errorf("the database of %s holds %d", name, got)
		}
		if n := tenant.pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%d connections of %s were not given back", n, name)
		}
	}
	for _, ctx := range []context.Context{t.Context(), as(t.Context(), "eve")} {
		if _, err := store.Count(ctx, cookie, core.All()); !errors.Is(err, core.Unauthorized) {
			t.Errorf("%s: %v", core.PrincipalOf(ctx), err)
		}
	}
}

func TestStorageFunctionWithAConnectionPerRequest(t *testing.T) {
	t.Parallel()
	schema := pgtest.Schema(t)
	p := pool(t, pgtest.URL(t))
	if err := postgres.Migrate(t.Context(), p, schema, cookies); err != nil {
		t.Fatal(err)
	}
	name := func(ctx context.Context) string { return fmt.Sprint("request of ", core.PrincipalOf(ctx)) }
	store, err := core.New(t.Context(), cookies, core.BackendFunc(func(ctx context.Context) (core.Backend, error) {
		url := with(t, pgtest.URL(t), "pool_max_conns", "1")
		return postgres.Open(ctx, url, schema, postgres.Options{ApplicationName: name(ctx)})
	}))
	if err != nil {
		t.Fatal(err)
	}
	connections := func(ctx context.Context) int64 {
		return one[int64](t, p, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name(ctx))
	}
	cookie := cookies.Resource("cookie")
	for i := range 3 {
		ctx := as(t.Context(), fmt.Sprint("client ", i))
		if _, err := store.Insert(ctx, cookie, record(t, cookie, map[string]any{"type": "x"})); err != nil {
			t.Fatal(err)
		}
		for _, result := range []error{nil, errors.New("no")} {
			err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				for range 2 {
					if n, err := tx.Count(ctx, cookie, core.All()); n != i+1 || err != nil {
						t.Errorf("%d cookies, %v", n, err)
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
		for connections(ctx) > 0 { // the server takes its time to notice
		}
	}
}
