package faulttest

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// serverModes lists the ways to connect to a server of the test's own. The field trouble is the least number of writes
// that fail when connections break: a bouncer may make its clients wait for the server.
var serverModes = []struct {
	name    string
	url     func(tb testing.TB, s *pgtest.Server) string
	opts    postgres.Options
	trouble int
}{
	{"direct", func(tb testing.TB, s *pgtest.Server) string {
		tb.Helper()
		return servertest.With(tb, s.TCP(), "pool_max_conns", "6")
	}, postgres.Options{}, 6},
	{"bouncer", func(tb testing.TB, s *pgtest.Server) string {
		tb.Helper()
		return s.Bouncer(tb)
	}, postgres.Options{Bouncer: true}, 0},
}

func TestWritersSurviveRestart(t *testing.T) {
	t.Parallel()
	for _, way := range serverModes {
		for _, how := range []pgtest.Shutdown{pgtest.Fast, pgtest.Kill} {
			t.Run(way.name+"/"+string(how), func(t *testing.T) {
				t.Parallel()
				server := pgtest.Own(t)
				w := startWriters(t, open(t, way.url(t, server), way.opts))
				for range 2 {
					w.progress(5)
					w.during(
						func() { servertest.Must(t, server.Shutdown(t.Context(), how)) }, way.trouble,
						func() { servertest.Must(t, server.Resume(t.Context())) },
					)
					w.progress(5)
				}
				w.check(server.URL())
			})
		}
	}
}

func TestWritersSurviveKilledSessions(t *testing.T) {
	t.Parallel()
	for _, way := range serverModes {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Own(t)
			w := startWriters(t, open(t, way.url(t, server), way.opts))
			for range 5 {
				w.progress(3)
				w.during(func() {
					servertest.Query(t, server.URL(), `SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
						WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
				}, way.trouble/6, func() {})
			}
			w.progress(3)
			w.check(server.URL())
		})
	}
}

func TestWritersFollowPromotedStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	servertest.Must(t, primary.Follow(t.Context()))
	both, err := url.Parse(servertest.With(t, servertest.With(t, primary.TCP(), "target_session_attrs", "read-write"), "pool_max_conns", "6"))
	servertest.Must(t, err)
	both.Host = standby.Address() + "," + primary.Address()
	w := startWriters(t, open(t, both.String(), postgres.Options{}))
	w.progress(5)
	w.during(
		func() { servertest.Must(t, primary.Shutdown(t.Context(), pgtest.Kill)) }, 6,
		func() { servertest.Must(t, standby.Promote(t.Context())) },
	)
	w.progress(5)
	w.check(standby.URL())
}

// expectFailure verifies that an operation failed temporarily and had no effect.
func expectFailure(t *testing.T, err error, sqlstate string) {
	t.Helper()
	if !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("got %v", err)
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); sqlstate != "" && (!ok || server.Code != sqlstate) {
		t.Errorf("got %v, want SQLSTATE %s", err, sqlstate)
	}
}

func TestTransactionOfKilledSessionIsUndone(t *testing.T) {
	schema := pgtest.Schema(t)
	b, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{Migrate: true, ApplicationName: schema})
	servertest.Must(t, err)
	store, err := core.New(t.Context(), servertest.Numbered, b)
	servertest.Must(t, err)
	defer func() { _ = store.Close() }()
	row := servertest.Numbered.Resource("row")
	insert := func(ctx context.Context, s core.Querier) error {
		_, err := s.Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "x"}))
		return err
	}
	err = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if err := insert(ctx, tx); err != nil {
			return err
		}
		servertest.Query(t, pgtest.URL(t), `SELECT pg_terminate_backend(pid, 60000)::text FROM pg_stat_activity
			WHERE application_name = $1 AND state = 'idle in transaction'`, schema)
		return insert(ctx, tx)
	})
	expectFailure(t, err, "")
	servertest.Must(t, insert(t.Context(), store))
	if n, err := store.Count(t.Context(), row, core.All()); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestWaitForExhaustedPoolEndsWithContext(t *testing.T) {
	t.Parallel()
	store := open(t, servertest.With(t, pgtest.Own(t).TCP(), "pool_max_conns", "1"), postgres.Options{})
	entry := ledger.Resource("entry")
	got := make(chan error)
	servertest.Must(t, store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(ctx, entry, servertest.Record(t, entry, nil)); err != nil {
			return err
		}
		brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := store.Insert(brief, entry, servertest.Record(t, entry, nil))
		expectFailure(t, err, "")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		go func() {
			_, err := store.Insert(t.Context(), entry, servertest.Record(t, entry, nil))
			got <- err
		}()
		return nil
	}))
	servertest.Must(t, <-got)
	if n, err := store.Count(t.Context(), entry, core.All()); n != 2 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

func TestTooManyConnectionsIsUnavailable(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	admin, err := pgx.Connect(t.Context(), server.URL())
	servertest.Must(t, err)
	defer func() { _ = admin.Close(context.Background()) }()
	_, err = admin.Exec(t.Context(), `CREATE ROLE app LOGIN PASSWORD 'secret' CONNECTION LIMIT 1; GRANT CREATE ON DATABASE postgres TO app`)
	servertest.Must(t, err)
	u, err := url.Parse(server.TCP())
	servertest.Must(t, err)
	u.User = url.UserPassword("app", "secret")
	store := open(t, servertest.With(t, u.String(), "pool_max_conns", "3"), postgres.Options{})
	entry := ledger.Resource("entry")
	servertest.Must(t, store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(ctx, entry, servertest.Record(t, entry, nil)); err != nil {
			return err
		}
		_, err := store.Insert(t.Context(), entry, servertest.Record(t, entry, nil))
		expectFailure(t, err, "53300")
		return nil
	}))
	_, err = store.Insert(t.Context(), entry, servertest.Record(t, entry, nil))
	servertest.Must(t, err)
	if n, err := store.Count(t.Context(), entry, core.All()); n != 2 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}
