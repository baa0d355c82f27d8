package postgres_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestAServerThatIsDownIsNoticedWithoutAnythingToDo(t *testing.T) {
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	must(t, err)
	var down atomic.Bool
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if down.Load() {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(pool.Close)
	model := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	store, err := core.New(t.Context(), model, postgres.New(pool, pgtest.Schema(t), postgres.Options{Migrate: true}))
	must(t, err)
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
