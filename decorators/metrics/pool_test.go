package metrics_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

// stat is a snapshot of a pool in which every value differs.
type stat struct{}

func (stat) MaxConns() int32                     { return 1 }
func (stat) AcquiredConns() int32                { return 2 }
func (stat) IdleConns() int32                    { return 3 }
func (stat) ConstructingConns() int32            { return 4 }
func (stat) AcquireCount() int64                 { return 5 }
func (stat) AcquireDuration() time.Duration      { return 6 * time.Second }
func (stat) CanceledAcquireCount() int64         { return 7 }
func (stat) EmptyAcquireCount() int64            { return 8 }
func (stat) EmptyAcquireWaitTime() time.Duration { return 9 * time.Millisecond }
func (stat) NewConnsCount() int64                { return 10 }
func (stat) MaxLifetimeDestroyCount() int64      { return 11 }
func (stat) MaxIdleDestroyCount() int64          { return 12 }

func TestPoolCollector(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.PoolCollector(func() stat { return stat{} }))
	expect(t, registry, map[string]float64{
		"pool_connections acquired": 2, "pool_connections idle": 3, "pool_connections constructing": 4, "pool_connections_max": 1,
		"pool_acquires_total": 5, "pool_acquires_canceled_total": 7, "pool_acquires_waited_total": 8,
		"pool_acquire_duration_seconds_total": 6, "pool_acquire_wait_seconds_total": .009,
		"pool_connections_opened_total": 10, "pool_connections_closed_total lifetime": 11, "pool_connections_closed_total idle": 12,
	})
}

func TestPoolCollectorOfPgx(t *testing.T) {
	schema := pgtest.Schema(t)
	backend, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.PoolCollector(backend.Stat))
	store, err := core.New(t.Context(), model, backend)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // the end of the test
	before := values(t, registry)
	for range 5 {
		if _, err := store.Count(t.Context(), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
	}
	after := values(t, registry)
	if n := after["pool_acquires_total"] - before["pool_acquires_total"]; n != 5 {
		t.Errorf("%v acquired", n)
	}
	if after["pool_connections idle"] == 0 || after["pool_connections acquired"] != 0 || after["pool_connections_max"] == 0 || after["pool_connections_opened_total"] == 0 {
		t.Errorf("got %v", after)
	}
	if err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		_, err := tx.Count(ctx, cookie, core.All())
		if got := values(t, registry)["pool_connections acquired"]; got != 1 {
			t.Errorf("%v acquired in a transaction", got)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
