package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// TestEndedContextsLeaveTheBouncerRunning ends contexts while statements run behind a
// PgBouncer. The bouncer of the test reports when it ends, with its log.
func TestEndedContextsLeaveTheBouncerRunning(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	admin := poolOf(t, server.URL())
	for _, sql := range []string{
		`CREATE SCHEMA s`,
		`CREATE FUNCTION s.slow() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pg_sleep(3600)::text $$`,
		`CREATE TABLE s.row (id bigserial PRIMARY KEY, name text DEFAULT s.slow())`,
	} {
		_, err := admin.Exec(t.Context(), sql)
		must(t, err)
	}
	b, err := postgres.Open(t.Context(), server.Bouncer(t), "s", postgres.Options{Bouncer: true})
	must(t, err)
	store, err := core.New(t.Context(), numbered, b)
	must(t, err)
	defer func() { _ = store.Close() }()
	row := numbered.Resource("row")
	for round := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := store.Insert(ctx, row, record(t, row, nil))
			ended <- err
		}()
		const sleeping = `SELECT count(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
		for one[int](t, admin, sleeping) == 0 && len(ended) == 0 {
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, core.OutcomeUnknown) {
			t.Errorf("round %d: got %v", round, err)
		}
		if _, err := store.Insert(t.Context(), row, record(t, row, map[string]any{"name": "x"})); err != nil {
			t.Errorf("round %d, the next statement: %v", round, err)
		}
		one[int](t, admin, `SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)
	}
	if n, err := store.Count(t.Context(), row, core.All()); n != 5 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
