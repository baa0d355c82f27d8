package faulttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// waitingPrimary is a primary whose synchronous standby is down, so that commits wait.
type waitingPrimary struct {
	*pgtest.Server

	admin *pgxpool.Pool
}

// startWaitingPrimary starts the servers. The function prepare runs while commits still succeed.
func startWaitingPrimary(t *testing.T, prepare func(primary *pgtest.Server)) *waitingPrimary {
	t.Helper()
	f := &waitingPrimary{Server: pgtest.Own(t)}
	f.admin = servertest.OwnPool(t, f.URL())
	standby := f.Standby(t)
	servertest.Must(t, postgres.Migrate(t.Context(), f.admin, "ledger", ledger))
	prepare(f.Server)
	servertest.Must(t, f.Follow(t.Context()))
	servertest.Must(t, standby.Shutdown(t.Context(), pgtest.Fast))
	return f
}

// interrupted runs a function until its commit waits for the standby, interrupts it and returns its error.
func (f *waitingPrimary) interrupted(t *testing.T, do func(ctx context.Context) error, interrupt func(cancel func(), pid int32)) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const waiting = " FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
	for servertest.Value[int](t, f.admin, "SELECT count(pg_cancel_backend(pid))"+waiting) > 0 { // left by another
	}
	ended := make(chan error, 1)
	go func() { ended <- do(ctx) }()
	for {
		select {
		case err := <-ended:
			t.Error("the commit did not wait for the standby")
			return err
		default:
		}
		pid := servertest.Value[int32](t, f.admin, "SELECT coalesce(max(pid), 0)"+waiting)
		if pid != 0 {
			interrupt(cancel, pid)
			return <-ended
		}
	}
}

// requestsCancel configures a pool like many programs do: the end of a context cancels the statement on the server.
func requestsCancel(config *pgxpool.Config) {
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Minute}
	}
}

// TestCancelledWaitForSyncStandby commits on the primary only. The primary may be lost before any standby has the
// commit.
func TestCancelledWaitForSyncStandby(t *testing.T) {
	t.Parallel()
	stores := make(map[string]*core.Store)
	f := startWaitingPrimary(t, func(primary *pgtest.Server) {
		stores["Open"] = open(t, primary.TCP(), postgres.Options{})
		stores["Open, simple protocol"] = open(t, servertest.With(t, primary.TCP(), "default_query_exec_mode", "simple_protocol"), postgres.Options{})
		stores["Open, bouncer"] = open(t, primary.Bouncer(t), postgres.Options{Bouncer: true})
		stores["Open, replicas"] = open(t, primary.TCP(), postgres.Options{Replicas: []string{"postgres://nobody@127.0.0.1:1/nowhere"}})
		config, err := postgres.ParseConfig(primary.TCP())
		servertest.Must(t, err)
		stores["New, ParseConfig"] = ledgerOf(t, config)
		config, err = pgxpool.ParseConfig(primary.TCP())
		servertest.Must(t, err)
		requestsCancel(config)
		stores["New, pgxpool.ParseConfig"] = ledgerOf(t, config)
	})
	entry := ledger.Resource("entry")
	for name, store := range stores {
		for way, do := range map[string]func(ctx context.Context) error{
			"single": func(ctx context.Context) error {
				_, err := store.Insert(ctx, entry, servertest.Record(t, entry, nil))
				return err
			},
			"commit": func(ctx context.Context) error {
				return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
					_, err := tx.Insert(ctx, entry, servertest.Record(t, entry, nil))
					return err
				})
			},
			"final": func(ctx context.Context) error {
				return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
					if _, err := tx.Insert(ctx, entry, servertest.Record(t, entry, nil)); err != nil {
						return err
					}
					_, err := tx.Final().Insert(ctx, entry, servertest.Record(t, entry, nil))
					return err
				})
			},
		} {
			for how, interrupt := range map[string]func(cancel func(), pid int32){
				"context":              func(cancel func(), _ int32) { cancel() },
				"pg_cancel_backend":    func(_ func(), pid int32) { servertest.Value[bool](t, f.admin, "SELECT pg_cancel_backend($1)", pid) },
				"pg_terminate_backend": func(_ func(), pid int32) { servertest.Value[bool](t, f.admin, "SELECT pg_terminate_backend($1)", pid) },
			} {
				switch {
				case how == "pg_cancel_backend" && name == "New, pgxpool.ParseConfig": // documented: the backend does not see it
					continue
				case how == "pg_terminate_backend" && name != "Open":
					continue
				}
				t.Run(name+"/"+way+"/"+how, func(t *testing.T) {
					err := f.interrupted(t, do, interrupt)
					if !errors.Is(err, core.ErrCommitUnknown) || !errors.Is(err, core.OutcomeUnknown) {
						t.Errorf("got %v, want %v", err, core.OutcomeUnknown)
					}
					if _, err := store.Count(t.Context(), entry, core.All()); err != nil {
						t.Errorf("afterwards: %v", err)
					}
				})
			}
		}
	}
}

// ledgerOf returns a store of the ledger on a pool of the test.
func ledgerOf(t *testing.T, config *pgxpool.Config) *core.Store {
	t.Helper()
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	servertest.Must(t, err)
	t.Cleanup(p.Close)
	store, err := core.New(t.Context(), ledger, postgres.New(p, "ledger", postgres.Options{}))
	servertest.Must(t, err)
	return store
}

// TestUnreplicatedKeysAreNotReturned generates keys from a sequence. Only the primary has the new position: a promoted
// standby would generate the same keys again.
func TestUnreplicatedKeysAreNotReturned(t *testing.T) {
	t.Parallel()
	var store *core.Store
	f := startWaitingPrimary(t, func(primary *pgtest.Server) { store = open(t, primary.TCP(), postgres.Options{}) })
	var keys []core.Value
	err := f.interrupted(t, func(ctx context.Context) (err error) {
		keys, err = store.NextIDs(ctx, ledger.Resource("entry"), 100)
		return err
	}, func(_ func(), pid int32) { servertest.Value[bool](t, f.admin, "SELECT pg_cancel_backend($1)", pid) })
	if len(keys) > 0 || !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("got %d keys, %v", len(keys), err)
	}
}

// TestRecalledAnswerWaitsForSyncStandby repeats a write whose wait for the standby was cancelled. Only the primary has the
// remembered answer: a promoted standby would lack the write that the repetition acknowledges.
func TestRecalledAnswerWaitsForSyncStandby(t *testing.T) {
	t.Parallel()
	var store *core.Store
	f := startWaitingPrimary(t, func(primary *pgtest.Server) {
		b, err := postgres.Open(t.Context(), primary.TCP(), "remembered", postgres.Options{Migrate: true})
		servertest.Must(t, err)
		model, err := core.NewModel("remembered",
			core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
			core.ResourceSpec{Name: core.AnswersName})
		servertest.Must(t, err)
		store, err = core.New(t.Context(), model, b)
		servertest.Must(t, err)
		t.Cleanup(func() { _ = store.Close() })
	})
	once := func(ctx context.Context) error {
		ctx = core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue("alice")})
		return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			_, found, err := tx.Recall(ctx, "key")
			if err != nil || found {
				return err
			}
			return tx.Remember(ctx, "key", "answer", time.Now().Add(time.Hour))
		})
	}
	cancelled := func(cancel func(), _ int32) { cancel() }
	for _, attempt := range []string{"first", "second", "third"} {
		if err := f.interrupted(t, once, cancelled); !errors.Is(err, core.OutcomeUnknown) {
			t.Errorf("%s attempt: got %v, want %v", attempt, err, core.OutcomeUnknown)
		}
	}
}

func TestCancelledReadIsNoUnknownCommit(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	servertest.Must(t, err)
	requestsCancel(config)
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	servertest.Must(t, err)
	t.Cleanup(p.Close)
	store, err := core.New(t.Context(), ledger, postgres.New(p, pgtest.Schema(t), postgres.Options{Migrate: true}))
	servertest.Must(t, err)
	entry := ledger.Resource("entry")
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Count(ctx, entry, core.All())
			return err
		})
		if errors.Is(err, core.ErrCommitUnknown) {
			t.Errorf("got %v", err)
		}
	}
}
