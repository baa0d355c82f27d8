package faulttest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// clients write and read through one store while its servers fail over. Each client has a counter, and adds an entry
// for each value of the counter.
type clients struct {
	t     *testing.T
	store *core.Store
	wg    sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	stopped bool
	each    [4]client
}

// client is the record of one client.
type client struct {
	acked   []int // acknowledged values of the counter
	failed  int
	unknown int
	back    int // reads of older values than the last acknowledged one
}

func serve(t *testing.T, store *core.Store) *clients {
	t.Helper()
	c := &clients{t: t, store: store}
	c.changed = sync.NewCond(&c.mu)
	counter := ledger.Resource("counter")
	for i := range c.each {
		servertest.Must(t, errOf(store.Insert(t.Context(), counter, servertest.Record(t, counter, map[string]any{"id": i + 1, "n": 0}))))
	}
	for i := range c.each {
		c.wg.Go(func() { c.run(i) })
	}
	t.Cleanup(c.stop)
	return c
}

func (c *clients) run(i int) {
	for n := 1; c.note(i, n, c.write(i, n), c.read(i)); n++ {
	}
}

func (c *clients) write(i, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	entry, counter := ledger.Resource("entry"), ledger.Resource("counter")
	return c.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(ctx, entry, entry.RecordOf([]core.Value{{}, core.TextValue(fmt.Sprint(i, "-", n))})); err != nil {
			return err
		}
		_, err := tx.Final().Update(ctx, counter, counter.RecordOf([]core.Value{core.IntValue(int64(i + 1)), core.IntValue(int64(n))}))
		return err
	})
}

// read returns the counter; -1 if no server answers.
func (c *clients) read(i int) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	rec, err := c.store.Get(ctx, ledger.Resource("counter"), core.IntValue(int64(i+1)))
	if err != nil {
		return -1
	}
	return int(rec.Get("n").Int())
}

// note records a write and the read after it, and reports whether to continue.
func (c *clients) note(i, n int, err error, read int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := &c.each[i]
	switch {
	case err == nil:
		own.acked = append(own.acked, n)
	case errors.Is(err, core.ErrCommitUnknown):
		own.unknown++
	case errors.Is(err, core.Unavailable):
		own.failed++
	default:
		c.t.Errorf("client %d: %v", i, err)
		c.stopped = true
	}
	if last := len(own.acked) - 1; read >= 0 && last >= 0 && read < own.acked[last] {
		own.back++
	}
	c.changed.Broadcast()
	return !c.stopped
}

// awaitEach waits until a count has grown by n for every client.
func (c *clients) awaitEach(n int, count func(*client) int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.each
	for i := range c.each {
		for count(&c.each[i]) < count(&before[i])+n && !c.stopped {
			c.changed.Wait()
		}
	}
}

func (c *clients) failures() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.each {
		n += c.each[i].failed + c.each[i].unknown
	}
	return n
}

func (c *clients) stop() {
	c.mu.Lock()
	c.stopped = true
	c.changed.Broadcast()
	c.mu.Unlock()
	c.wg.Wait()
}

// check compares the records of the clients with the data of a server.
func (c *clients) check(url string) {
	c.t.Helper()
	c.stop()
	stored := make(map[string]bool)
	conn, err := pgx.Connect(c.t.Context(), url)
	servertest.Must(c.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	var name string
	rows, err := conn.Query(c.t.Context(), `SELECT name FROM ledger.entry`)
	servertest.Must(c.t, err)
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error { stored[name] = true; return nil })
	servertest.Must(c.t, err)
	for i, own := range c.each {
		lost := 0
		for _, n := range own.acked {
			if !stored[fmt.Sprint(i, "-", n)] {
				lost++
			}
		}
		c.t.Logf("client %d: %d acknowledged, %d failed, %d unknown", i, len(own.acked), own.failed, own.unknown)
		if lost > 0 || own.back > 0 {
			c.t.Errorf("client %d: %d acknowledged writes are lost, %d reads went back", i, lost, own.back)
		}
	}
}

// TestFailover stops the synchronous standby, then the primary. The standby returns and is promoted; it lacks the last
// commits of the primary. Another standby has these commits and stays on the old timeline. During the failover, the
// address of the primary leads to that other standby.
func TestFailover(t *testing.T) {
	t.Parallel()
	const connections = 3
	a := pgtest.Own(t)
	b, c := a.Standby(t, "cluster_name=b"), a.Standby(t, "cluster_name=c")
	admin := servertest.OwnPool(t, a.URL())
	for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'b'", "SELECT pg_reload_conf()"} {
		_, err := admin.Exec(t.Context(), sql)
		servertest.Must(t, err)
	}
	for servertest.Value[string](t, admin, "SELECT coalesce(max(sync_state), '') FROM pg_stat_replication WHERE application_name = 'b'") != "sync" {
	}
	r := relayTo(t, a)
	store := open(t, servertest.With(t, r.url(t, a), "pool_max_conns", strconv.Itoa(connections)), postgres.Options{Replicas: []string{c.URL()}})
	clients := serve(t, store)
	clients.awaitEach(10, func(own *client) int { return len(own.acked) })

	servertest.Must(t, b.Shutdown(t.Context(), pgtest.Fast))
	clients.awaitEach(2, func(own *client) int { return len(own.acked) + own.failed + own.unknown })
	servertest.Must(t, a.Shutdown(t.Context(), pgtest.Kill))
	r.redirect(c)
	clients.awaitEach(3, func(own *client) int { return own.failed + own.unknown })
	servertest.Must(t, b.Resume(t.Context()))
	servertest.Must(t, b.Promote(t.Context()))

	r.redirect(b)
	begun, before := time.Now(), clients.failures()
	clients.awaitEach(1, func(own *client) int { return len(own.acked) })
	failures := clients.failures() - before
	t.Logf("healed in %v, after %d failures", time.Since(begun).Round(time.Millisecond), failures)
	if most := 2 * len(clients.each); failures > most { // one running operation and one on an old connection
		t.Errorf("%d failures of %d clients once the address was right, want at most %d", failures, len(clients.each), most)
	}
	clients.awaitEach(20, func(own *client) int { return len(own.acked) })
	clients.check(b.URL())
}
