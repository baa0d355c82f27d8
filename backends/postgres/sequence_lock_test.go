package postgres_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Whoever moves a sequence by setval has looked at it before. An ALTER SEQUENCE that is
// not over lets everybody look and nobody move it.
func TestSequenceIsNotMovedBackByWhoLookedAtItTooEarly(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, `CREATE SEQUENCE $S.s`))
	execute(t, inSchema(schema, `CREATE TABLE $S.row (id bigint PRIMARY KEY DEFAULT nextval('$S.s'::regclass), name text)`))
	p := pool(t, with(t, pgtest.URL(t), "application_name", "movers"))
	store, err := core.New(t.Context(), numbered, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	if err != nil {
		t.Fatal(err)
	}
	watcher := pool(t, pgtest.URL(t))
	blocker, err := watcher.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocker.Exec(t.Context(), inSchema(schema, `ALTER SEQUENCE $S.s CACHE 1`)); err != nil {
		t.Fatal(err)
	}
	row, done := numbered.Resource("row"), make(chan error)
	for waiting, key := range []int{5_000_000, 50_000} {
		go func() {
			_, err := store.Insert(t.Context(), row, record(t, row, map[string]any{"id": key}))
			done <- err
		}()
		for n := 0; n <= waiting; {
			err := watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND application_name = 'movers'`).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if keys, err := store.NextIDs(t.Context(), row, 1); err != nil || keys[0].Int() <= 5_000_000 {
		t.Errorf("got %v %v", keys, err)
	}
}
