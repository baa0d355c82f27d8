package limit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/limit"
)

func TestErrorsOfTheTime(t *testing.T) {
	for name, c := range map[string]struct {
		role string
		time time.Duration // of the caller
		call func(ctx context.Context, s *core.Store) error
		want error
	}{
		"read":               {"guest", time.Hour, readStore, core.QueryTooExpensive},
		"write":              {"guest", time.Hour, insertStore, core.Unavailable},
		"in a transaction":   {"guest", time.Hour, inTx(1, read), core.QueryTooExpensive},
		"another role":       {"user", time.Hour, readStore, nil},
		"time of the caller": {"guest", time.Millisecond, readStore, core.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rules := limit.New(
					limit.Rule{Name: "guests", Roles: []string{"guest"}, Time: time.Second / 2},
					limit.Rule{Name: "all", Time: time.Minute})
				store := open(t, memory.New(), rules, new(slow).decorator())
				ctx, cancel := context.WithTimeout(as(t, 1, c.role), c.time)
				defer cancel()
				start := time.Now()
				err := c.call(ctx, store)
				if !errors.Is(err, c.want) || err != nil && (!errors.Is(err, context.DeadlineExceeded) || time.Since(start) != min(c.time, time.Second/2)) {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
}

// The statement of a visitor waits for a lock, and PostgreSQL cancels it.
func TestTimeReachesPostgres(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	schema := pgtest.Schema(t)
	backend, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, backend, limit.New(limit.Rule{Name: "guests", Roles: []string{"guest"}, Time: 20 * time.Millisecond}))
	blocker, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	table := pgx.Identifier{schema, "cookie"}.Sanitize()
	if _, err := blocker.Exec(t.Context(), "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if err := read(as(t, 1, "guest"), store); !errors.Is(err, core.QueryTooExpensive) {
		t.Errorf("a read that waits: %v", err)
	}
	for waiting := 1; waiting > 0; { // the server needs a moment to end the statement
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()`, schema).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := read(as(t, 1, "user"), store); err != nil {
		t.Error(err)
	}
}
