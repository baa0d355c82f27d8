package faulttest

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// TestCallTimeoutEndsWaitForFrozenPrimary freezes the primary with open connections while calls without a deadline run.
func TestCallTimeoutEndsWaitForFrozenPrimary(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.OwnPool(t, primary.URL()), "ledger", ledger))
	entry := ledger.Resource("entry")
	insert := func(ctx context.Context, s core.Querier) error {
		return errOf(s.Insert(ctx, entry, servertest.Record(t, entry, nil)))
	}
	for name, c := range map[string]struct {
		code core.Code
		do   func(store *core.Store, freeze func()) error
	}{
		"read": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return errOf(store.Count(context.Background(), entry, core.All()))
		}},
		"ping": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return store.Ping(context.Background())
		}},
		"keys": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return errOf(store.NextIDs(context.Background(), entry, 1))
		}},
		"single insert": {core.OutcomeUnknown, func(store *core.Store, freeze func()) error {
			freeze()
			return insert(context.Background(), store)
		}},
		"commit": {core.OutcomeUnknown, func(store *core.Store, freeze func()) error {
			return store.Tx(context.Background(), func(ctx context.Context, tx *core.Transaction) error {
				defer freeze()
				return insert(ctx, tx)
			})
		}},
		"rollback": {core.Forbidden, func(store *core.Store, freeze func()) error {
			return store.Tx(context.Background(), func(ctx context.Context, tx *core.Transaction) error {
				defer freeze()
				return errors.Join(core.Forbidden, insert(ctx, tx))
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := relayTo(t, primary)
			store := openExisting(t, servertest.With(t, r.url(t, primary), "pool_max_conns", "1"), postgres.Options{CallTimeout: time.Second})
			patient, cancel := context.WithTimeout(t.Context(), hangTimeout)
			defer cancel()
			servertest.Must(t, insert(patient, store))
			if err := c.do(store, r.freeze); !errors.Is(err, c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if err := errOf(store.Count(context.Background(), entry, core.All())); !errors.Is(err, core.Unavailable) {
				t.Errorf("the next call got %v, want %s", err, core.Unavailable)
			}
			r.thaw()
			for n := 0; ; n++ {
				err := insert(patient, store)
				if err == nil {
					break
				}
				if n == 5 {
					t.Fatalf("once the primary goes on: %v", err)
				}
			}
		})
	}
}

func TestPingNoticesStoppedServer(t *testing.T) {
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	servertest.Must(t, err)
	var down atomic.Bool
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if down.Load() {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	servertest.Must(t, err)
	t.Cleanup(pool.Close)
	model := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	store, err := core.New(t.Context(), model, postgres.New(pool, pgtest.Schema(t), postgres.Options{Migrate: true}))
	servertest.Must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	ask := func() map[string]error {
		_, load := store.Load(t.Context(), model.Resource("cookie"), nil)
		return map[string]error{"ping": store.Ping(t.Context()), "load of nothing": load}
	}
	for what, err := range ask() {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	down.Store(true)
	pool.Reset()
	for what, err := range ask() {
		if !errors.Is(err, core.Unavailable) {
			t.Errorf("%s with the server down: got %v", what, err)
		}
	}
	down.Store(false)
	for what, err := range ask() {
		if err != nil {
			t.Errorf("%s when it is back: %v", what, err)
		}
	}
}
