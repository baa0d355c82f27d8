package faulttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/core"
)

// ledger is the model of the writers: entries with unique names, and counters.
var ledger = core.MustModel("ledger",
	core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text},
	}},
	core.ResourceSpec{Name: "counter", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int},
	}},
)

// writers write continuously while servers fail, and record the outcome of each operation: acknowledged, failed, or
// unknown.
type writers struct {
	t     *testing.T
	store *core.Store
	wg    sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	down     bool // the server is down; writers wait after some failures
	stopped  bool
	acks     [8]int
	outcomes map[string]outcome // by name of entry
	counted  [4]struct{ acked, unknown int }
	total    map[outcome]int
	wrong    []error
}

type outcome string

const (
	acked   outcome = "acknowledged"
	failed  outcome = "failed"
	unknown outcome = "unknown"
)

// hangTimeout is the time after which an operation counts as hanging. No test waits for it.
const hangTimeout = 2 * time.Minute

// open returns a store of the ledger on a schema that is created if necessary.
func open(t *testing.T, url string, opts postgres.Options) *core.Store {
	t.Helper()
	opts.Migrate = true
	b, err := postgres.Open(t.Context(), url, "ledger", opts)
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), ledger, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// startWriters starts the writers. They stop with the test or at [writers.check].
func startWriters(t *testing.T, store *core.Store) *writers {
	t.Helper()
	w := &writers{t: t, store: store, outcomes: make(map[string]outcome), total: make(map[outcome]int)}
	w.changed = sync.NewCond(&w.mu)
	counter := ledger.Resource("counter")
	for i := range w.counted {
		if _, err := store.Insert(t.Context(), counter, servertest.Record(t, counter, map[string]any{"id": i + 1, "n": 0})); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout)
	t.Cleanup(func() { cancel(); w.stop() })
	for i := range w.acks {
		w.wg.Go(func() { w.writer(ctx, i) })
	}
	return w
}

func (w *writers) writer(ctx context.Context, i int) {
	ways := []func(ctx context.Context, i int, names [2]string) error{w.single, w.transaction, w.final, w.count}
	failures := 0
	for n := 0; w.awaitServer(failures); n++ {
		names := [2]string{fmt.Sprintf("%d-%d", i, n), fmt.Sprintf("%d-%d'", i, n)}
		way := n % len(ways)
		err := ways[way](ctx, i, names)
		if failures++; err == nil {
			failures = 0
		}
		w.note(i, names, err, way == len(ways)-1)
	}
}

// awaitServer waits for the server after several failures.
func (w *writers) awaitServer(failures int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.down && failures > 10 && !w.stopped {
		w.changed.Wait()
	}
	return !w.stopped
}

func (w *writers) note(i int, names [2]string, err error, counts bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := failed
	switch {
	case err == nil:
		o = acked
		w.acks[i]++
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), !errors.Is(err, core.Unavailable) && !errors.Is(err, core.OutcomeUnknown):
		w.wrong = append(w.wrong, err)
		w.stopped = true
	case errors.Is(err, core.ErrCommitUnknown):
		o = unknown
	}
	w.total[o]++
	for _, name := range names {
		w.outcomes[name] = o
	}
	if c := &w.counted[i/2]; counts && o == acked {
		c.acked++
	} else if counts && o == unknown {
		c.unknown++
	}
	w.changed.Broadcast()
}

func (w *writers) entries(names [2]string) []core.Record {
	entry := ledger.Resource("entry")
	recs := make([]core.Record, len(names))
	for i, name := range names {
		recs[i] = entry.RecordOf([]core.Value{{}, core.TextValue(name)})
	}
	return recs
}

// single writes with a statement that is a transaction of its own.
func (w *writers) single(ctx context.Context, _ int, names [2]string) error {
	_, err := w.store.Insert(ctx, ledger.Resource("entry"), w.entries(names)...)
	return err
}

// transaction writes with statements and a separate commit.
func (w *writers) transaction(ctx context.Context, _ int, names [2]string) error {
	return w.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		for _, rec := range w.entries(names) {
			if _, err := tx.Insert(ctx, rec.Resource(), rec); err != nil {
				return err
			}
		}
		return nil
	})
}

// final writes with statements and a commit that is sent along with the last one.
func (w *writers) final(ctx context.Context, _ int, names [2]string) error {
	recs := w.entries(names)
	return w.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(ctx, recs[0].Resource(), recs[0]); err != nil {
			return err
		}
		_, err := tx.Final().Insert(ctx, recs[1].Resource(), recs[1])
		return err
	})
}

// count increments a counter that another writer also uses, so that conflicts occur and transactions are repeated.
func (w *writers) count(ctx context.Context, i int, names [2]string) error {
	counter := ledger.Resource("counter")
	recs := w.entries(names)
	return w.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		c, err := tx.Get(ctx, counter, core.IntValue(int64(i/2+1)))
		if err != nil {
			return err
		}
		if _, err := tx.Insert(ctx, recs[0].Resource(), recs...); err != nil {
			return err
		}
		_, err = tx.Final().Update(ctx, counter, c.With(counter.Field("n").Column(), core.IntValue(c.Get("n").Int()+1)))
		return err
	})
}

// progress waits until each writer has had a number of further acknowledged writes.
func (w *writers) progress(more int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.acks
	for i := range w.acks {
		for w.acks[i] < before[i]+more && !w.stopped {
			w.changed.Wait()
		}
	}
	if len(w.wrong) > 0 {
		w.t.Fatalf("a writer was told: %v", w.wrong[0])
	}
}

// during runs f, while the server may be down. It waits until some writes have failed or are unknown, and calls then,
// which restarts the server.
func (w *writers) during(f func(), some int, then func()) {
	before := w.away(true)
	f()
	w.mu.Lock()
	for w.trouble() < before+some && !w.stopped {
		w.changed.Wait()
	}
	w.mu.Unlock()
	then()
	w.away(false)
}

func (w *writers) away(is bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = is
	w.changed.Broadcast()
	return w.trouble()
}

// trouble returns the number of writes that failed or are unknown.
func (w *writers) trouble() int { return w.total[failed] + w.total[unknown] }

func (w *writers) stop() {
	w.mu.Lock()
	w.stopped = true
	w.changed.Broadcast()
	w.mu.Unlock()
	w.wg.Wait()
}

// check stops the writers and compares their records with the data of the server at a connection string.
func (w *writers) check(url string) {
	w.t.Helper()
	w.stop()
	w.t.Logf("%d acknowledged, %d failed, %d unknown", w.total[acked], w.total[failed], w.total[unknown])
	for _, err := range w.wrong {
		w.t.Errorf("a writer was told: %v", err)
	}
	c, err := pgx.Connect(w.t.Context(), url)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	w.checkEntries(c)
	w.checkCounters(c)
}

func (w *writers) checkEntries(c *pgx.Conn) {
	w.t.Helper()
	stored := make(map[string]int)
	var name string
	rows, err := c.Query(w.t.Context(), `SELECT name FROM ledger.entry`)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := pgx.ForEachRow(rows, []any{&name}, func() error { stored[name]++; return nil }); err != nil {
		w.t.Fatal(err)
	}
	for name, o := range w.outcomes {
		switch n := stored[name]; {
		case n > 1, o == acked && n != 1, o == failed && n != 0:
			w.t.Errorf("entry %s, %s, is stored %d times", name, o, n)
		case stored[name] != stored[name+"'"] && w.outcomes[name+"'"] != "":
			w.t.Errorf("entry %s, %s: half of the transaction is stored", name, o)
		}
	}
	for name := range stored {
		if w.outcomes[name] == "" {
			w.t.Errorf("entry %s is stored but was not written", name)
		}
	}
}

func (w *writers) checkCounters(c *pgx.Conn) {
	w.t.Helper()
	for i, told := range w.counted {
		var n int
		if err := c.QueryRow(w.t.Context(), `SELECT n FROM ledger.counter WHERE id = $1`, i+1).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		if n < told.acked || n > told.acked+told.unknown {
			w.t.Errorf("counter %d is %d after %d acknowledged and %d unknown additions", i+1, n, told.acked, told.unknown)
		}
	}
}
