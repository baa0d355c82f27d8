package faulttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// expectStandbyError verifies that the error of an operation on a standby contains the advice.
func expectStandbyError(t *testing.T, name string, err error) {
	t.Helper()
	if !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) || !strings.Contains(err.Error(), "target_session_attrs=read-write") {
		t.Errorf("%s: got %v", name, err)
	}
}

// TestConnectionsRecoverFromStandby makes the address of the primary lead to a standby while every connection breaks,
// and then to the primary again.
func TestConnectionsRecoverFromStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	entry := ledger.Resource("entry")
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.OwnPool(t, primary.URL()), "ledger", ledger))
	awaitReplay(t, primary, standby)
	r := relayTo(t, primary)
	address := servertest.With(t, r.url(t, primary), "pool_max_conns", "3")
	stores := map[string]*core.Store{
		"serializable":    openExisting(t, address, postgres.Options{}),
		"read committed":  openExisting(t, address, postgres.Options{Isolation: pgx.ReadCommitted}),
		"simple protocol": openExisting(t, servertest.With(t, address, "default_query_exec_mode", "simple_protocol"), postgres.Options{}),
		"pool of the caller's": func() *core.Store {
			config, err := pgxpool.ParseConfig(address)
			servertest.Must(t, err)
			return ledgerOf(t, config)
		}(),
	}
	cut := func() {
		servertest.Query(t, primary.URL(), `SELECT count(pg_terminate_backend(pid, 60000))::text FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			operations := map[string]func() error{
				"insert": func() error {
					_, err := store.Insert(t.Context(), entry, servertest.Record(t, entry, nil))
					return err
				},
				"read": func() error { return errOf(store.Count(t.Context(), entry, core.All())) },
				"ping": func() error { return store.Ping(t.Context()) },
				"keys": func() error { return errOf(store.NextIDs(t.Context(), entry, 1)) },
				"transaction": func() error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
						return errOf(tx.Insert(ctx, entry, servertest.Record(t, entry, nil)))
					})
				},
				"final": func() error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
						if err := errOf(tx.Get(ctx, entry, core.IntValue(1))); err != nil && !errors.Is(err, core.NotFound) {
							return err
						}
						return errOf(tx.Final().Insert(ctx, entry, servertest.Record(t, entry, nil)))
					})
				},
			}
			r.redirect(standby)
			cut()
			for range 4 { // one for each broken connection
				_, _ = store.Count(t.Context(), entry, core.All())
			}
			for name, do := range operations {
				expectStandbyError(t, name, do())
			}
			r.redirect(primary)
			begun, failures := time.Now(), 0
			for failures < 10 && operations["insert"]() != nil {
				failures++
			}
			t.Logf("healed in %v", time.Since(begun).Round(time.Millisecond))
			if failures > 3 {
				t.Errorf("%d failures once the address was right, with 3 connections", failures)
			}
			for name, do := range operations {
				if err := do(); err != nil {
					t.Errorf("%s, once healed: %v", name, err)
				}
			}
		})
	}
}

func errOf[T any](_ T, err error) error { return err }

// openExisting returns a store on an existing schema.
func openExisting(t *testing.T, url string, opts postgres.Options) *core.Store {
	t.Helper()
	b, err := postgres.Open(t.Context(), url, "ledger", opts)
	servertest.Must(t, err)
	store, err := core.New(t.Context(), ledger, b)
	servertest.Must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// TestStoreOnStandbyDoesNotStart makes stores with the connection string of a standby.
func TestStoreOnStandbyDoesNotStart(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.OwnPool(t, primary.URL()), "ledger", ledger))
	standby := primary.Standby(t)
	for name, c := range map[string]struct {
		url  string
		opts postgres.Options
	}{
		"serializable":   {standby.TCP(), postgres.Options{}},
		"read committed": {standby.TCP(), postgres.Options{Isolation: pgx.ReadCommitted}},
		"migrate":        {standby.TCP(), postgres.Options{Migrate: true}},
		"bouncer":        {standby.Bouncer(t), postgres.Options{Bouncer: true}},
		"any of several": {primaryOf(t, standby, primary) + "&target_session_attrs=any", postgres.Options{}},
	} {
		b, err := postgres.Open(t.Context(), c.url, "ledger", c.opts)
		servertest.Must(t, err)
		_, err = core.New(t.Context(), ledger, b)
		expectStandbyError(t, name, err)
		_ = b.Close()
	}
	store := openExisting(t, primaryOf(t, standby, primary), postgres.Options{})
	if _, err := store.Insert(t.Context(), ledger.Resource("entry"), servertest.Record(t, ledger.Resource("entry"), nil)); err != nil {
		t.Errorf("several hosts, the standby first: %v", err)
	}
}
