package postgres_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// turns counts how often a connection reads after it has written: round trips.
type turns struct {
	net.Conn

	wrote bool
	count *atomic.Int64
}

func (c *turns) Write(b []byte) (int, error) {
	c.wrote = true
	return c.Conn.Write(b)
}

func (c *turns) Read(b []byte) (int, error) {
	if c.wrote {
		c.wrote = false
		c.count.Add(1)
	}
	return c.Conn.Read(b)
}

// counted returns a store whose only connection counts its round trips.
func counted(t *testing.T, url string, opts postgres.Options) (*core.Store, *atomic.Int64) {
	t.Helper()
	schema := pgtest.Schema(t)
	if err := postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, numbered); err != nil {
		t.Fatal(err)
	}
	return countedIn(t, url, schema, numbered, opts)
}

// countedIn is counted for a schema that is there.
func countedIn(t *testing.T, url, schema string, m *core.Model, opts postgres.Options) (*core.Store, *atomic.Int64) {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	config.MaxConns = 1
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &turns{Conn: conn, count: &count}, err
	}
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	opts.CheckSchema = -1 // its round trips would count too
	store, err := core.New(t.Context(), m, postgres.New(p, schema, opts))
	if err != nil {
		t.Fatal(err)
	}
	return store, &count
}

func TestOperationsTakeOneRoundTrip(t *testing.T) {
	row := numbered.Resource("row")
	one, two, gone := core.IntValue(1), core.IntValue(2), core.IntValue(3)
	rec := func(fields map[string]any) core.Record { return record(t, row, fields) }
	type tx = *core.Transaction
	cases := []struct {
		name string
		want int64
		fn   func(ctx context.Context, s *core.Store) error
	}{
		{"get", 1, func(ctx context.Context, s *core.Store) error { _, err := s.Get(ctx, row, one); return err }},
		{"load", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Load(ctx, row, []core.Value{one, two, gone})
			return err
		}},
		{"select", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Select(ctx, row, core.Query{Where: core.Eq("name", "a"), Limit: 3})
			return err
		}},
		{"count", 1, func(ctx context.Context, s *core.Store) error { _, err := s.Count(ctx, row, core.All()); return err }},
		{"insert", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, rec(nil))
			return err
		}},
		{"insert several", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, rec(nil), rec(map[string]any{"name": "x"}))
			return err
		}},
		{"update", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Update(ctx, row, rec(map[string]any{"id": 1, "name": "c"}))
			return err
		}},
		{"update several", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Update(ctx, row, rec(map[string]any{"id": 1, "name": "c"}), rec(map[string]any{"id": 2, "name": "d"}))
			return err
		}},
		{"delete nothing", 1, func(ctx context.Context, s *core.Store) error {
			if err := s.Delete(ctx, row, core.IntValue(1_000_000)); !errors.Is(err, core.NotFound) {
				return errors.New("deleted")
			}
			return nil
		}},
		{"next ids", 1, func(ctx context.Context, s *core.Store) error { _, err := s.NextIDs(ctx, row, 3); return err }},
		{"empty transaction", 0, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(context.Context, tx) error { return nil })
		}},
		{"read, modify, write", 2, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(ctx context.Context, tx tx) error {
				if _, err := tx.Get(ctx, row, one); err != nil {
					return err
				}
				_, err := tx.Final().Update(ctx, row, rec(map[string]any{"id": 1, "name": "e"}))
				return err
			})
		}},
		{"read twice", 2, func(ctx context.Context, s *core.Store) error {
			return s.TxWith(ctx, core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx tx) error {
				if _, err := tx.Get(ctx, row, one); err != nil {
					return err
				}
				_, err := tx.Final().Get(ctx, row, two)
				return err
			})
		}},
		{"write twice and commit", 3, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(ctx context.Context, tx tx) error {
				if _, err := tx.Insert(ctx, row, rec(nil)); err != nil {
					return err
				}
				_, err := tx.Update(ctx, row, rec(map[string]any{"id": 1, "name": "f"}))
				return err
			})
		}},
	}
	serializable := with(t, pgtest.URL(t), "default_transaction_isolation", "serializable")
	for _, way := range []struct {
		name, url string
		opts      postgres.Options
	}{
		{"serializable by default", serializable, postgres.Options{}},
		{"read committed by default", pgtest.URL(t), postgres.Options{}},
		{"simple protocol", with(t, pgtest.URL(t), "default_query_exec_mode", "simple_protocol"), postgres.Options{}},
		{"bouncer", with(t, pgtest.Bouncer(t), "default_query_exec_mode", "cache_describe"), postgres.Options{Bouncer: true}},
	} {
		t.Run(way.name, func(t *testing.T) {
			store, count := counted(t, way.url, way.opts)
			if _, err := store.Insert(t.Context(), row, rec(map[string]any{"name": "a"}), rec(map[string]any{"name": "b"})); err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				if err := c.fn(t.Context(), store); err != nil { // the first time it may be prepared
					t.Fatalf("%s: %v", c.name, err)
				}
				before := count.Load()
				if err := c.fn(t.Context(), store); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if got := count.Load() - before; got != c.want {
					t.Errorf("%s: %d round trips, want %d", c.name, got, c.want)
				}
			}
		})
	}
}
