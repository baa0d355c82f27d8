package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

// pair is a primary with a hot standby, and a store of cookies on them.
type pair struct {
	primary, standby *pgtest.Server
	direct, behind   *pgxpool.Pool // to each of them
	store            *core.Store
	cookie           *core.Resource
}

// replicated starts servers and opens a store on them in a mode. The servers have one cookie, with the key 1 and the
// type "old".
func replicated(t *testing.T, mode servertest.Mode, settings ...string) *pair {
	t.Helper()
	p := &pair{primary: pgtest.Own(t), cookie: servertest.Cookies.Resource("cookie")}
	p.standby = p.primary.Standby(t, settings...)
	p.direct, p.behind = servertest.OwnPool(t, p.primary.URL()), servertest.OwnPool(t, p.standby.URL())
	main, replica := p.primary.URL(), p.standby.URL()
	if mode.Options.Bouncer {
		main, replica = p.primary.Bouncer(t), p.standby.Bouncer(t)
	}
	main, replica = mode.Connection(t, main), mode.Connection(t, replica)
	opts := mode.Options
	opts.Migrate, opts.Replicas = true, []string{replica}
	p.open(t, main, opts)
	if _, err := p.store.Insert(t.Context(), p.cookie, servertest.Record(t, p.cookie, map[string]any{"id": 1, "type": "old"})); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	return p
}

func (p *pair) open(t *testing.T, url string, opts postgres.Options) {
	t.Helper()
	b, err := postgres.Open(t.Context(), url, "sweets", opts)
	if err != nil {
		t.Fatal(err)
	}
	if p.store, err = core.New(t.Context(), servertest.Cookies, b); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
}

// catchUp waits until the standby has replayed the log of the primary. Replaying may cancel the query itself (manual,
// section 27.4.2).
func (p *pair) catchUp(t *testing.T) {
	t.Helper()
	at := servertest.Value[string](t, p.direct, "SELECT pg_current_wal_flush_lsn()::text")
	for {
		rows, _ := p.behind.Query(t.Context(), "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", at)
		there, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
		server, ok := errors.AsType[*pgconn.PgError](err)
		switch {
		case ok && server.Code == "40001":
		case err != nil:
			t.Fatal(err)
		case there:
			return
		}
	}
}

// pause stops the replay of the standby.
func (p *pair) pause(t *testing.T) {
	t.Helper()
	if _, err := p.behind.Exec(t.Context(), "SELECT pg_wal_replay_pause()"); err != nil {
		t.Fatal(err)
	}
	for servertest.Value[string](t, p.behind, "SELECT pg_get_wal_replay_pause_state()") != "paused" {
	}
}

func (p *pair) resume(t *testing.T) {
	t.Helper()
	if _, err := p.behind.Exec(t.Context(), "SELECT pg_wal_replay_resume()"); err != nil {
		t.Fatal(err)
	}
}

// changeDirectly changes the cookie without the store.
func (p *pair) changeDirectly(t *testing.T, kind string) {
	t.Helper()
	if _, err := p.direct.Exec(t.Context(), `UPDATE sweets.cookie SET type = $1 WHERE id = 1`, kind); err != nil {
		t.Fatal(err)
	}
}

// session has the methods that stores and transactions share.
type session interface {
	Get(ctx context.Context, r *core.Resource, key core.Value) (core.Record, error)
}

// kind returns the type of the cookie.
func (p *pair) kind(ctx context.Context, t *testing.T, s session) string {
	t.Helper()
	rec, err := s.Get(ctx, p.cookie, core.IntValue(1))
	if err != nil {
		t.Error(err)
		return ""
	}
	return rec.Get("type").Text()
}

// kindIn returns the type of the cookie in a transaction.
func (p *pair) kindIn(t *testing.T, opts core.TxOptions) (kind string) {
	t.Helper()
	err := p.store.TxWith(t.Context(), opts, func(ctx context.Context, tx *core.Transaction) error {
		kind = p.kind(ctx, t, tx)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return kind
}

// await reads until the store returns a type that only the standby has, or until enough reads came from the primary.
func (p *pair) await(t *testing.T, kind string) {
	t.Helper()
	if !p.returnsKind(t, kind, 50_000) {
		t.Fatalf("no read returned %q", kind)
	}
}

// returnsKind reports whether one of n reads returns the type.
func (p *pair) returnsKind(t *testing.T, kind string, n int) bool {
	t.Helper()
	for range n {
		if p.kind(t.Context(), t, p.store) == kind {
			return true
		} else if t.Failed() {
			t.FailNow()
		}
	}
	return false
}

// servedByStandby ensures that the store reads from the standby, and leaves the standby paused. After a commit of
// unknown position the store queries the primary; if it does so after the change that the standby lacks, only the next
// round can succeed.
func (p *pair) servedByStandby(t *testing.T) {
	t.Helper()
	for round := range 100 {
		p.kind(t.Context(), t, p.store)
		p.pause(t)
		old := p.kindOfStandby(t)
		p.changeDirectly(t, fmt.Sprint("round ", round))
		if p.returnsKind(t, old, 500) {
			return
		}
		p.resume(t)
		p.catchUp(t)
	}
	t.Fatal("no read was served by the standby")
}

func TestReadsGoToReplica(t *testing.T) {
	t.Parallel()
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			p := replicated(t, mode)
			p.pause(t)
			p.changeDirectly(t, "new")
			p.await(t, "old")
			if got := p.kindIn(t, core.TxOptions{ReadOnly: true}); got != "old" {
				t.Errorf("a read-only transaction saw %q, not what the replica has", got)
			}
			n, err := p.store.Count(t.Context(), p.cookie, core.Eq("type", "old"))
			if err != nil || n != 1 {
				t.Errorf("a count saw %d old ones, %v: not what the replica has", n, err)
			}
			page, err := p.store.Select(t.Context(), p.cookie, core.Query{Where: core.Eq("type", "old")})
			if err != nil || len(page.Records) != 1 {
				t.Errorf("a page has %d old ones, %v: not what the replica has", len(page.Records), err)
			}
			if got := p.kindIn(t, core.TxOptions{}); got != "new" {
				t.Errorf("a transaction that may write saw %q, not what the primary has", got)
			}
		})
	}
}

func TestStoreReadsItsWrites(t *testing.T) {
	t.Parallel()
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			p := replicated(t, mode)
			change := func(kind string) core.Record {
				return servertest.Record(t, p.cookie, map[string]any{"id": 1, "type": kind})
			}
			inTx := func(fn func(ctx context.Context, tx *core.Transaction) error) error {
				return p.store.Tx(t.Context(), fn)
			}
			for name, write := range map[string]func(ctx context.Context, kind string) error{
				"an update": func(ctx context.Context, kind string) error {
					_, err := p.store.Update(ctx, p.cookie, change(kind))
					return err
				},
				"a delete and an insert": func(ctx context.Context, kind string) error {
					_, err := p.store.Insert(ctx, p.cookie, change(kind))
					return err
				},
				"a transaction": func(_ context.Context, kind string) error {
					return inTx(func(ctx context.Context, tx *core.Transaction) error {
						_, err := tx.Update(ctx, p.cookie, change(kind))
						return err
					})
				},
				"the final operation of a transaction": func(_ context.Context, kind string) error {
					return inTx(func(ctx context.Context, tx *core.Transaction) error {
						p.kind(ctx, t, tx)
						_, err := tx.Final().Update(ctx, p.cookie, change(kind))
						return err
					})
				},
			} {
				p.pause(t)
				if strings.Contains(name, "delete") {
					if err := p.store.Delete(t.Context(), p.cookie, core.IntValue(1)); err != nil {
						t.Fatal(err)
					}
					if n, err := p.store.Count(t.Context(), p.cookie, core.All()); n != 0 || err != nil {
						t.Errorf("after the delete: %d servertest.Cookies, %v", n, err)
					}
				}
				if err := write(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				if got := p.kind(t.Context(), t, p.store); got != name {
					t.Errorf("after %s, a read saw %q", name, got)
				}
				if got := p.kindIn(t, core.TxOptions{ReadOnly: true}); got != name {
					t.Errorf("after %s, a read-only transaction saw %q", name, got)
				}
				p.resume(t)
				p.catchUp(t)
			}
			p.servedByStandby(t)
		})
	}
}

// kindOfStandby returns the type of the cookie on the standby.
func (p *pair) kindOfStandby(t *testing.T) string {
	t.Helper()
	return servertest.Value[string](t, p.behind, "SELECT type FROM sweets.cookie WHERE id = 1")
}

func TestNewStoreReadsEarlierWrites(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	p.pause(t)
	p.changeDirectly(t, "new")
	p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{p.standby.URL()}})
	if got := p.kind(t.Context(), t, p.store); got != "new" {
		t.Errorf("got %q", got)
	}
}

func TestConcurrentClientsReadTheirWrites(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				recs, err := p.store.Insert(t.Context(), p.cookie, servertest.Record(t, p.cookie, map[string]any{"type": "x"}))
				if err == nil {
					_, err = p.store.Get(t.Context(), p.cookie, recs[0].Key())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestReplicaTransactionSeesOneSnapshot(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	p.changeDirectly(t, "first")
	p.catchUp(t)
	err := p.store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
		before := p.kind(ctx, t, tx)
		p.changeDirectly(t, "second")
		p.catchUp(t)
		if after := p.kind(ctx, t, tx); after != before {
			t.Errorf("saw %q, then %q", before, after)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestFrozenReplicaCausesNoError freezes the standby while connections to it are open: no read may wait for its answer.
func TestFrozenReplicaCausesNoError(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	r := relayTo(t, p.standby)
	p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{r.url(t, p.standby)}})
	p.servedByStandby(t)
	want := servertest.Value[string](t, p.direct, "SELECT type FROM sweets.cookie WHERE id = 1")
	p.resume(t)
	p.catchUp(t)
	r.freeze()
	for range 3 {
		if got := p.kind(t.Context(), t, p.store); got != want {
			t.Errorf("a read saw %q, want %q", got, want)
		}
		if got := p.kindIn(t, core.TxOptions{ReadOnly: true}); got != want {
			t.Errorf("a read-only transaction saw %q, want %q", got, want)
		}
	}
}

// TestSlowReadStaysOnReplica reads for longer than a standby may take to answer the question whether it works.
func TestSlowReadStaysOnReplica(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	p.open(t, p.primary.URL(), postgres.Options{
		Replicas:  []string{p.standby.URL()},
		Resources: map[string]postgres.Source{"cookie": {Query: "SELECT c.* FROM sweets.cookie c, pg_sleep(2)", Table: "cookie"}},
	})
	p.catchUp(t)
	p.pause(t)
	p.changeDirectly(t, "new")
	if got := p.kind(t.Context(), t, p.store); got != "old" {
		t.Errorf("a slow read saw %q, not what the replica has", got)
	}
}

// TestFailedReplicaCausesNoError makes clients read continuously while the standby is killed and restarted.
func TestFailedReplicaCausesNoError(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				if i%2 == 0 {
					p.kind(t.Context(), t, p.store)
					continue
				}
				err := p.store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
					for range 3 {
						if _, err := tx.Get(ctx, p.cookie, core.IntValue(1)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, how := range []pgtest.Shutdown{pgtest.Kill, pgtest.Fast} {
		if err := p.standby.Shutdown(t.Context(), how); err != nil {
			t.Error(err)
		}
		for range 20 {
			p.kind(t.Context(), t, p.store)
		}
		if err := p.standby.Resume(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
	p.behind.Reset()
	p.catchUp(t)
	p.servedByStandby(t)
}

func TestPromotedReplicaIsNotRead(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	if err := p.standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.behind.Exec(t.Context(), "UPDATE sweets.cookie SET type = 'torn'"); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if got := p.kind(t.Context(), t, p.store); got != "old" {
			t.Errorf("got %q", got)
		}
	}
}

// TestTransactionEndedByReplicaIsRepeated makes the standby replay the removal of rows that the transaction may still
// need (manual, section 27.4.2).
func TestTransactionEndedByReplicaIsRepeated(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0], "max_standby_streaming_delay=0")
	tries := 0
	err := p.store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
		tries++
		if _, err := tx.Get(ctx, p.cookie, core.IntValue(1)); err != nil {
			return err
		}
		if tries == 1 {
			p.changeDirectly(t, "new")
			if _, err := p.direct.Exec(ctx, "VACUUM sweets.cookie"); err != nil {
				t.Error(err)
			}
			p.changeDirectly(t, "newer") // its commit takes the log of VACUUM along
			p.catchUp(t)
		}
		_, err := tx.Get(ctx, p.cookie, core.IntValue(1))
		return err
	})
	if err != nil || tries < 2 {
		t.Errorf("%d tries: %v", tries, err)
	}
}

func TestMissingReplicaCausesNoError(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{"postgres://nobody@127.0.0.1:1/nowhere"}})
	for range 3 {
		p.kind(t.Context(), t, p.store)
		p.kindIn(t, core.TxOptions{ReadOnly: true})
	}
}

func TestReplicaStringErrorContainsNoPassword(t *testing.T) {
	t.Parallel()
	backend := postgres.New(servertest.Pool(t, pgtest.URL(t)), pgtest.Schema(t), postgres.Options{
		Migrate: true, Replicas: []string{"postgres://u:se cret@h:port/"},
	})
	_, err := core.New(t.Context(), servertest.Cookies, backend)
	if err == nil || strings.Contains(err.Error(), "cret") || !strings.Contains(err.Error(), "replica") {
		t.Errorf("got %v", err)
	}
}

func TestWritingTransactionUsesPrimary(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	p.pause(t)
	for i := range 10 {
		kind := fmt.Sprint("kind ", i)
		p.changeDirectly(t, kind)
		if got := p.kindIn(t, core.TxOptions{}); got != kind {
			t.Errorf("got %q, want %q", got, kind)
		}
	}
}

// TestRulesWithReplica runs the kit and the REST suite on a primary and its standby, except the families on
// serializability. Without LARDER_SOAK it runs the families that depend on the server that executes an operation; the others
// depend on the statements, which are those of a primary.
func TestRulesWithReplica(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	p := servertest.OwnPool(t, servertest.With(t, primary.URL(), "pool_max_conns", "16"))
	var made int
	schemas := servertest.NewSchemas(p, func(m *core.Model) string {
		made++
		schema := fmt.Sprint("s", made)
		if err := postgres.Migrate(t.Context(), p, schema, m); err != nil {
			t.Fatal(err)
		}
		return schema
	})
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, p, postgres.Options{Replicas: []string{standby.URL()}})
	}
	t.Run("kit", func(t *testing.T) {
		for _, c := range storetest.Cases() {
			switch c.Family {
			case "isolation", "concurrency", "random", "durability":
			case "cursor", "types", "filter", "order", "aggregate", "integrity", "validation", "key parts":
				if os.Getenv("LARDER_SOAK") == "" {
					continue
				}
				fallthrough
			default:
				t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, storetest.Options{}) })
			}
		}
	})
	t.Run("REST", func(t *testing.T) {
		for _, c := range resttest.Cases() {
			switch c.Name {
			case "pages", "related records", "errors":
			default:
				if os.Getenv("LARDER_SOAK") == "" { // the kit covers what a replica changes
					continue
				}
			}
			t.Run(c.Name, func(t *testing.T) { c.Check(t, open) })
		}
	})
}

// TestReplicaIsReadWithinMaxLag makes another program change a record that the standby does not receive.
func TestReplicaIsReadWithinMaxLag(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	for _, c := range []struct {
		most time.Duration
		want string
	}{{0, "old"}, {time.Hour, "old"}, {time.Nanosecond, "new"}} {
		t.Run(c.most.String(), func(t *testing.T) {
			p.changeDirectly(t, "old")
			p.catchUp(t)
			p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{p.standby.URL()}, MaxLag: c.most})
			p.pause(t)
			defer p.resume(t)
			p.changeDirectly(t, "new")
			p.await(t, c.want)
			if got := p.kindIn(t, core.TxOptions{ReadOnly: true}); c.want == "new" && got != "new" {
				t.Errorf("a read-only transaction saw %q", got)
			}
		})
	}
	p.catchUp(t)
	p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{p.standby.URL()}, MaxLag: time.Nanosecond})
	for range 10 {
		p.changeDirectly(t, "one")
		if got := p.kind(t.Context(), t, p.store); got != "one" {
			t.Errorf("saw %q", got)
		}
		p.changeDirectly(t, "two")
		if got := p.kind(t.Context(), t, p.store); got != "two" {
			t.Errorf("saw %q", got)
		}
	}
}
