package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// cutter breaks connections right behind the next message that has some text in
// it, so that the server gets it and the answer is lost.
type cutter struct {
	mu   sync.Mutex
	text []byte // nil: none
}

func (c *cutter) behind(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = []byte(text)
}

type cuttable struct {
	net.Conn

	cutter *cutter
	cut    bool
}

func (c *cuttable) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.cutter.mu.Lock()
	defer c.cutter.mu.Unlock()
	if c.cutter.text != nil && bytes.Contains(b, c.cutter.text) {
		c.cutter.text, c.cut = nil, true
	}
	return n, err
}

func (c *cuttable) Read(b []byte) (int, error) {
	if !c.cut {
		return c.Conn.Read(b)
	}
	for { // until the server has done what it was asked for, and waits
		if n, err := c.Conn.Read(b); err != nil || bytes.Contains(b[:n], []byte{'Z', 0, 0, 0, 5}) {
			return 0, errors.Join(io.ErrUnexpectedEOF, c.Conn.Close())
		}
	}
}

func TestLostAnswersAreToldFromWhatDidNotHappen(t *testing.T) {
	schema := pgtest.Schema(t)
	if err := postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, numbered); err != nil {
		t.Fatal(err)
	}
	// The simple protocol has the text of statements in every message.
	url := with(t, with(t, pgtest.URL(t), "default_query_exec_mode", "simple_protocol"), "default_transaction_isolation", "serializable")
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var c cutter
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &cuttable{Conn: conn, cutter: &c}, err
	}
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	store, err := core.New(t.Context(), numbered, postgres.New(p, schema, postgres.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	row := numbered.Resource("row")
	insert := func(ctx context.Context, s core.Session) error {
		_, err := s.Insert(ctx, row, record(t, row, map[string]any{"name": "x"}))
		return err
	}
	for _, k := range []struct {
		name, cut string
		unknown   bool
		stored    int // by this one
		run       func(ctx context.Context) error
	}{
		{"read", "SELECT", false, 0, func(ctx context.Context) error { _, err := store.Count(ctx, row, core.All()); return err }},
		{"single write", "INSERT", true, 1, func(ctx context.Context) error { return insert(ctx, store.Session) }},
		{"write in a transaction", "INSERT", false, 0, func(ctx context.Context) error {
			return store.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Session) })
		}},
		{"commit", "COMMIT", true, 1, func(ctx context.Context) error {
			return store.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Session) })
		}},
		{"commit along with the last operation", "COMMIT", true, 1, func(ctx context.Context) error {
			return store.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Final()) })
		}},
		{"commit of reads", "COMMIT", false, 0, func(ctx context.Context) error {
			return store.Tx(ctx, core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Count(ctx, row, core.All())
				return err
			})
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			before, err := store.Count(t.Context(), row, core.All())
			if err != nil {
				t.Fatal(err)
			}
			c.behind(k.cut)
			err = k.run(t.Context())
			if !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) != k.unknown {
				t.Errorf("got %v, unknown should be %v", err, k.unknown)
			}
			after, err := store.Count(t.Context(), row, core.All()) // on a connection that works
			if err != nil || after-before != k.stored {
				t.Errorf("%d more are stored, want %d; %v", after-before, k.stored, err)
			}
		})
	}
}

func TestEndedContextCancelsTheStatement(t *testing.T) {
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE FUNCTION $S.slow() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pg_sleep(3600)::text $$`,
		`CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text DEFAULT $S.slow())`,
	} {
		execute(t, inSchema(schema, sql))
	}
	name := "slow " + t.Name()
	b, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{ApplicationName: name})
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), numbered, b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	sleeping := func() (n int) {
		t.Helper()
		const query = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'`
		if err := pool(t, pgtest.URL(t)).QueryRow(t.Context(), query, name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		row := numbered.Resource("row")
		_, err := store.Insert(ctx, row, row.RecordOf(make([]core.Value, 2)))
		failed <- err
	}()
	for sleeping() == 0 {
	}
	cancel()
	err = <-failed
	if !errors.Is(err, context.Canceled) || !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("got %v", err)
	}
	if n := sleeping(); n != 0 {
		t.Errorf("%d statements still run", n)
	}
	if n, err := store.Count(t.Context(), numbered.Resource("row"), core.All()); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
