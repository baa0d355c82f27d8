package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// TestFrozenPrimaryHoldsNoCallForEver has the primary fall silent with its connections open,
// while calls without a deadline run.
func TestFrozenPrimaryHoldsNoCallForEver(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	must(t, postgres.Migrate(t.Context(), poolOf(t, primary.URL()), "ledger", ledger))
	entry := ledger.Resource("entry")
	insert := func(ctx context.Context, s core.Querier) error {
		return second(s.Insert(ctx, entry, record(t, entry, nil)))
	}
	for name, c := range map[string]struct {
		code core.Code
		do   func(store *core.Store, freeze func()) error
	}{
		"read": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return second(store.Count(context.Background(), entry, core.All()))
		}},
		"ping": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return store.Ping(context.Background())
		}},
		"keys": {core.Unavailable, func(store *core.Store, freeze func()) error {
			freeze()
			return second(store.NextIDs(context.Background(), entry, 1))
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
			store := openOn(t, with(t, r.url(t, primary), "pool_max_conns", "1"), postgres.Options{CallTimeout: time.Second})
			patient, cancel := context.WithTimeout(t.Context(), ample)
			defer cancel()
			must(t, insert(patient, store))
			if err := c.do(store, r.freeze); !errors.Is(err, c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if err := second(store.Count(context.Background(), entry, core.All())); !errors.Is(err, core.Unavailable) {
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
