package faulttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// breaker breaks connections at one of the next messages: right after it, so that the server receives the message and
// the answer is lost, or right before it.
type breaker struct {
	mu   sync.Mutex
	left int  // messages until then; 0 to break nothing
	sent bool // break after the message
}

func (c *breaker) breakAt(message int, sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.sent = message, sent
}

// next reports whether to break at this message, and whether to send it.
func (c *breaker) next(message []byte) (cut, sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || bytes.Contains(message, []byte("-- ping")) { // pgxpool's own messages
		return false, true
	}
	c.left--
	return c.left == 0, c.sent
}

type breakableConn struct {
	net.Conn

	cutter *breaker
	broken atomic.Bool
}

func (c *breakableConn) Write(b []byte) (int, error) {
	cut, sent := c.cutter.next(b)
	if cut && !sent {
		return len(b), c.Close()
	}
	n, err := c.Conn.Write(b)
	if cut {
		c.broken.Store(true)
	}
	return n, err
}

func (c *breakableConn) Read(b []byte) (int, error) {
	if !c.broken.Load() {
		return c.Conn.Read(b)
	}
	for { // until the server has done what it was asked for, and waits
		if n, err := c.Conn.Read(b); err != nil || bytes.Contains(b[:n], []byte{'Z', 0, 0, 0, 5}) {
			return 0, errors.Join(io.ErrUnexpectedEOF, c.Close())
		}
	}
}

// breakablePool returns a pool with connections that the breaker breaks.
func breakablePool(t *testing.T, url string, c *breaker) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	servertest.Must(t, err)
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &breakableConn{Conn: conn, cutter: c}, err
	}
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	servertest.Must(t, err)
	t.Cleanup(p.Close)
	return p
}

// TestLostMessageHasUnknownOutcomeOnlyIfCommitted loses the request or the answer of operations with prepared
// statements, so that each takes as many messages as round trips.
func TestLostMessageHasUnknownOutcomeOnlyIfCommitted(t *testing.T) {
	modes := []servertest.Mode{
		{Name: "statements kept", Server: pgtest.URL, ExecMode: "cache_statement", Options: postgres.Options{}},
		{Name: "descriptions kept", Server: pgtest.URL, ExecMode: "cache_describe", Options: postgres.Options{}},
		{Name: "nothing kept", Server: pgtest.URL, ExecMode: "exec", Options: postgres.Options{}},
		{Name: "simple protocol", Server: pgtest.URL, ExecMode: "simple_protocol", Options: postgres.Options{}},
		{Name: "bouncer", Server: pgtest.Bouncer, ExecMode: "cache_describe", Options: postgres.Options{Bouncer: true}},
	}
	for _, mode := range modes {
		t.Run(mode.Name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, servertest.Numbered))
			url := servertest.With(t, servertest.With(t, mode.Server(t), "default_query_exec_mode", mode.ExecMode), "pool_max_conns", "1")
			if !mode.Options.Bouncer {
				url = servertest.With(t, url, "default_transaction_isolation", "serializable")
			}
			var c breaker
			mode.Options.CheckSchema = -1 // its messages would count
			store, err := core.New(t.Context(), servertest.Numbered, postgres.New(breakablePool(t, url, &c), schema, mode.Options))
			servertest.Must(t, err)
			loseMessages(t, store, &c)
			if mode.ExecMode == "cache_statement" {
				loseDeallocation(t, store, &c)
			}
		})
	}
}

func loseMessages(t *testing.T, store *core.Store, c *breaker) {
	t.Helper()
	row := servertest.Numbered.Resource("row")
	insert := func(ctx context.Context, s core.Querier) error {
		_, err := s.Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "x"}))
		return err
	}
	in := func(do func(ctx context.Context, tx *core.Transaction) error) func(context.Context) error {
		return func(ctx context.Context) error { return store.Tx(ctx, do) }
	}
	write := in(func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx) })
	read := func(ctx context.Context) error { _, err := store.Count(ctx, row, core.All()); return err }
	for _, k := range []struct {
		name    string
		message int
		unknown bool
		stored  int // if only the answer is lost
		run     func(ctx context.Context) error
	}{
		{"read", 1, false, 0, read},
		{"single write", 1, true, 1, func(ctx context.Context) error { return insert(ctx, store) }},
		{"write in a transaction", 1, false, 0, write},
		{"commit", 2, true, 1, write},
		{"commit along with the last operation", 1, true, 1, in(func(ctx context.Context, tx *core.Transaction) error {
			return insert(ctx, tx.Final())
		})},
		{"commit along with the last of several", 2, true, 2, in(func(ctx context.Context, tx *core.Transaction) error {
			if err := insert(ctx, tx); err != nil {
				return err
			}
			return insert(ctx, tx.Final())
		})},
		{"commit of reads", 2, false, 0, func(ctx context.Context) error {
			return store.TxWith(ctx, core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Count(ctx, row, core.All())
				return err
			})
		}},
	} {
		for lost, sent := range map[string]bool{"answer": true, "request": false} {
			t.Run(k.name+"/"+lost, func(t *testing.T) {
				servertest.Must(t, k.run(t.Context()))
				servertest.Must(t, read(t.Context()))
				before, err := store.Count(t.Context(), row, core.All())
				servertest.Must(t, err)
				c.breakAt(k.message, sent)
				err = k.run(t.Context())
				code := core.Unavailable
				if k.unknown {
					code = core.OutcomeUnknown
				}
				if !errors.Is(err, code) || errors.Is(err, core.ErrCommitUnknown) != k.unknown {
					t.Errorf("got %v, want %s", err, code)
				}
				stored := 0
				if sent {
					stored = k.stored
				}
				after, err := store.Count(t.Context(), row, core.All()) // on a connection that works
				if err != nil || after-before != stored {
					t.Errorf("%d more are stored, want %d; %v", after-before, stored, err)
				}
			})
		}
	}
}

// loseDeallocation loses the message by which pgx deallocates a failed statement before it sends the next one.
func loseDeallocation(t *testing.T, store *core.Store, c *breaker) {
	t.Helper()
	row := servertest.Numbered.Resource("row")
	insert := func() error {
		return errOf(store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "name": "x"})))
	}
	_ = insert() // unless it is there
	for lost, sent := range map[string]bool{"answer": true, "request": false} {
		t.Run("deallocation/"+lost, func(t *testing.T) {
			before, err := store.Count(t.Context(), row, core.All())
			servertest.Must(t, err)
			servertest.Must(t, errOf(store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "x"}))))
			if err := insert(); !errors.Is(err, core.AlreadyExists) {
				t.Fatalf("got %v", err)
			}
			c.breakAt(1, sent)
			err = errOf(store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "y"})))
			if !errors.Is(err, core.Unavailable) || errors.Is(err, core.ErrCommitUnknown) {
				t.Errorf("got %v, want %s", err, core.Unavailable)
			}
			after, err := store.Count(t.Context(), row, core.All())
			if err != nil || after != before+1 {
				t.Errorf("%d are stored, want %d; %v", after, before+1, err)
			}
		})
	}
}

func TestCancelledContextCancelsStatement(t *testing.T) {
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE FUNCTION $S.slow() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pg_sleep(3600)::text $$`,
		`CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text DEFAULT $S.slow())`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	name := "slow " + t.Name()
	b, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{ApplicationName: name})
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), servertest.Numbered, b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	sleeping := func() (n int) {
		t.Helper()
		const query = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'`
		if err := servertest.Pool(t, pgtest.URL(t)).QueryRow(t.Context(), query, name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		row := servertest.Numbered.Resource("row")
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
	if n, err := store.Count(t.Context(), servertest.Numbered.Resource("row"), core.All()); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestCancelledContextKeepsBouncerRunning cancels contexts while statements run behind a PgBouncer. The test fails with
// its log if the bouncer ends.
func TestCancelledContextKeepsBouncerRunning(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	admin := servertest.OwnPool(t, server.URL())
	for _, sql := range []string{
		`CREATE SCHEMA s`,
		`CREATE FUNCTION s.slow() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pg_sleep(3600)::text $$`,
		`CREATE TABLE s.row (id bigserial PRIMARY KEY, name text DEFAULT s.slow())`,
	} {
		_, err := admin.Exec(t.Context(), sql)
		servertest.Must(t, err)
	}
	b, err := postgres.Open(t.Context(), server.Bouncer(t), "s", postgres.Options{Bouncer: true})
	servertest.Must(t, err)
	store, err := core.New(t.Context(), servertest.Numbered, b)
	servertest.Must(t, err)
	defer func() { _ = store.Close() }()
	row := servertest.Numbered.Resource("row")
	for round := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := store.Insert(ctx, row, servertest.Record(t, row, nil))
			ended <- err
		}()
		const sleeping = `SELECT count(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
		for servertest.Value[int](t, admin, sleeping) == 0 && len(ended) == 0 {
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, core.OutcomeUnknown) {
			t.Errorf("round %d: got %v", round, err)
		}
		if _, err := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "x"})); err != nil {
			t.Errorf("round %d, the next statement: %v", round, err)
		}
		servertest.Value[int](t, admin, `SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)
	}
	if n, err := store.Count(t.Context(), row, core.All()); n != 5 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
