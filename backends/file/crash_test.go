package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

var cookies = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Text, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var cookie, jar = cookies.Resource("cookie"), cookies.Resource("jar")

const path = "cookies.db"

// quiet returns options for backends that may find torn files.
func quiet() Options { return Options{Logger: slog.New(slog.DiscardHandler)} }

// openStore returns a store with a backend on the file system.
func openStore(tb testing.TB, fs filesystem, opts Options) (*core.Store, *Backend) {
	tb.Helper()
	b := newBackend(fs, path, opts)
	store, err := core.New(context.Background(), cookies, b)
	if err != nil {
		tb.Fatal(err)
	}
	return store, b
}

// text returns the content of a snapshot in a comparable form.
func text(s *memtable.Snapshot) string {
	var b strings.Builder
	for _, r := range cookies.Resources() {
		for rec := range s.Records(r) {
			b.WriteString(rec.String())
		}
	}
	return b.String()
}

// crasher runs a random program on a strict file system. Before each change of a file it simulates the possible
// crashes, and checks the content that a new process finds.
type crasher struct {
	tb         testing.TB
	fs         *strictFilesystem
	random     *rand.Rand
	opts       Options
	store      *core.Store
	backend    *Backend
	allowed    []string // acceptable contents after a crash
	largestKey int64    // the largest generated key
	crashes    int
	last       string // the last step of the program
}

// limitAtOnce is the number of outcomes of one crash to check.
const limitAtOnce = 24

func newCrasher(tb testing.TB, seed uint64, opts Options) *crasher {
	c := &crasher{
		tb: tb, fs: newStrictFilesystem(), random: newRandom(seed), opts: opts,
		allowed: []string{""},
	}
	c.fs.onChange(c.crashEveryWay)
	c.open()
	return c
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func (c *crasher) open() {
	c.last = "open"
	c.store, c.backend = openStore(c.tb, c.fs, c.opts)
}

// crashEveryWay checks the possible outcomes of a crash before the call.
func (c *crasher) crashEveryWay(call string) error {
	c.kill(call)
	possibilities(c.random, limitAtOnce, func(choose func(int) int) {
		c.crashes++
		left := c.fs.crash(choose)
		if c.random.IntN(16) == 0 { // and a second crash during recovery
			left.onChange(func(again string) error {
				possibilities(c.random, 4, func(choose func(int) int) {
					c.crashes++
					c.checkNextProcess(left.crash(choose), call+", then "+again)
				})
				return nil
			})
		}
		c.checkNextProcess(left, call)
	})
	return nil
}

// kill ends only the process. The content that the next process finds, and its own commits, must then survive a power
// failure.
func (c *crasher) kill(call string) {
	left := c.fs.kill()
	b, _ := c.findContent(left, call+" (killed)")
	commitAfterKill(c.tb, b)
	found := text(b.store.Snapshot())
	c.allowed = append(c.allowed, found)
	defer func() { c.allowed = c.allowed[:len(c.allowed)-1] }()
	possibilities(c.random, 4, func(choose func(int) int) {
		c.crashes++
		if _, again := c.findContent(left.crash(choose), call+" (killed, and then a power failure)"); again != found {
			c.tb.Fatalf("killed at %s in %s: found\n%s\nand after a power failure\n%s", call, c.last, found, again)
		}
	})
}

// findContent opens the remaining file and returns its content.
func (c *crasher) findContent(left *strictFilesystem, call string) (b *Backend, content string) {
	b = newBackend(left, path, quiet())
	if err := b.Bind(context.Background(), cookies); err != nil {
		c.tb.Fatalf("crash at %s in %s: %v", call, c.last, err)
	}
	if content = text(b.store.Snapshot()); !slices.Contains(c.allowed, content) {
		c.tb.Fatalf("crash at %s in %s: found\n%s\nwant one of\n%s", call, c.last, content, strings.Join(c.allowed, "\n"))
	}
	return b, content
}

// checkNextProcess opens the remaining file and continues with it.
func (c *crasher) checkNextProcess(left *strictFilesystem, call string) {
	b, _ := c.findContent(left, call)
	left.onChange(func(string) error { return nil })
	if next := nextID(c.tb, b); next <= c.largestKey {
		c.tb.Fatalf("crash at %s in %s: key %d again, after %d", call, c.last, next, c.largestKey)
	}
}

// commitAfterKill commits a record to the file of a killed process.
func commitAfterKill(tb testing.TB, b *Backend) {
	tb.Helper()
	ctx := context.Background()
	rec, err := jar.NewRecord(map[string]any{"id": "of the next process"})
	if err != nil {
		tb.Fatal(err)
	}
	tx, err := b.Begin(ctx, core.BackendTxOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	op := &core.Op{Kind: core.Insert, Resource: jar, Records: []core.Record{rec}, Check: core.All()}
	if _, err := tx.Insert(ctx, op); err != nil {
		tb.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil {
		tb.Fatal(err)
	}
}

// nextID generates a key of a cookie.
func nextID(tb testing.TB, b *Backend) int64 {
	tb.Helper()
	tx, err := b.Begin(context.Background(), core.BackendTxOptions{Single: true})
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := tx.NextIDs(context.Background(), &core.Op{Kind: core.NextID, Resource: cookie, N: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return keys[0].Int()
}

// step runs a random step.
func (c *crasher) step() {
	steps := []struct {
		name string
		do   func()
	}{
		{"insert", c.insert},
		{"transaction", c.transaction},
		{"transaction", c.transaction},
		{"rollback", c.rollback},
		{"insert and delete", c.insertAndDelete},
		{"next ids", c.nextIDs},
		{"compact", c.compact},
		{"reopen", c.reopen},
	}
	s := steps[c.random.IntN(len(steps))]
	c.last = s.name
	s.do()
}

func (c *crasher) tx(fn func(tx *core.Transaction) error) {
	ctx := context.Background()
	err := c.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		if err := fn(tx); err != nil {
			return err
		}
		c.allowed = append(c.allowed[:1:1], contentOf(c.tb, tx))
		return nil
	})
	if err != nil && !errors.Is(err, errUndo) {
		c.tb.Fatalf("%s: %v", c.last, err)
	}
	c.allowed = c.allowed[len(c.allowed)-1:]
	if found := text(c.backend.store.Snapshot()); found != c.allowed[0] {
		c.tb.Fatalf("%s: found\n%s\nwant\n%s", c.last, found, c.allowed[0])
	}
}

// contentOf returns the content that a transaction sees.
func contentOf(tb testing.TB, tx *core.Transaction) string {
	var all strings.Builder
	for _, r := range cookies.Resources() {
		page, err := tx.Select(context.Background(), r, core.Query{})
		if err != nil {
			tb.Fatal(err)
		}
		for _, rec := range page.Records {
			all.WriteString(rec.String())
		}
	}
	return all.String()
}

var errUndo = errors.New("undo")

// anyText returns a string of up to several sectors.
func (c *crasher) anyText() string {
	return strings.Repeat(string(rune('a'+c.random.IntN(26))), 1<<c.random.IntN(11))
}

func (c *crasher) add(tx *core.Transaction, fields map[string]any) error {
	rec, err := cookie.NewRecord(fields)
	if err != nil {
		return err
	}
	stored, err := tx.Insert(context.Background(), cookie, rec)
	if err == nil && rec.Key().IsAbsent() {
		c.largestKey = stored[0].Key().Int()
	}
	return err
}

func (c *crasher) insert() {
	c.tx(func(tx *core.Transaction) error { return c.add(tx, map[string]any{"type": c.anyText()}) })
}

func (c *crasher) transaction() {
	var explicit int64
	c.tx(func(tx *core.Transaction) error {
		ctx := context.Background()
		page, err := tx.Select(ctx, cookie, core.Query{})
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			switch c.random.IntN(5) {
			case 0:
				err = tx.Delete(ctx, cookie, rec.Key())
			case 1:
				_, err = tx.Update(ctx, cookie, rec.With(1, core.TextValue(c.anyText())))
			case 2:
				_, err = tx.Update(ctx, cookie, rec.With(1+c.random.IntN(2), core.Null))
			}
			if err != nil {
				return err
			}
		}
		name := fmt.Sprint("jar ", c.random.IntN(3))
		if found, err := tx.Load(ctx, jar, []core.Value{core.TextValue(name)}); err != nil {
			return err
		} else if len(found) == 0 {
			rec, err := jar.NewRecord(map[string]any{"id": name})
			if err != nil {
				return err
			}
			if _, err = tx.Insert(ctx, jar, rec); err != nil {
				return err
			}
		}
		explicit = c.largestKey + 1 + c.random.Int64N(3)
		return c.add(tx, map[string]any{"id": explicit, "jar": name})
	})
	c.largestKey = max(c.largestKey, explicit) // after the commit
}

// insertAndDelete inserts a record with an explicit key and deletes it in the same transaction, with or without another
// insert. The used key is its only effect.
func (c *crasher) insertAndDelete() {
	explicit := c.largestKey + 1 + c.random.Int64N(3)
	beside := c.random.IntN(2) == 0
	c.tx(func(tx *core.Transaction) error {
		if beside {
			name := fmt.Sprint("jar of ", explicit)
			rec, err := jar.NewRecord(map[string]any{"id": name})
			if err != nil {
				return err
			}
			if _, err := tx.Insert(context.Background(), jar, rec); err != nil {
				return err
			}
		}
		return errors.Join(
			c.add(tx, map[string]any{"id": explicit}),
			tx.Delete(context.Background(), cookie, core.IntValue(explicit)))
	})
	c.largestKey = max(c.largestKey, explicit) // after the commit
}

func (c *crasher) rollback() {
	c.tx(func(tx *core.Transaction) error {
		return errors.Join(c.add(tx, map[string]any{"type": c.anyText()}), errUndo)
	})
}

func (c *crasher) nextIDs() {
	keys, err := c.store.NextIDs(context.Background(), cookie, 1+c.random.IntN(700))
	if err != nil {
		c.tb.Fatal(err)
	}
	c.largestKey = keys[len(keys)-1].Int()
}

// compact runs a compaction with concurrent writes.
func (c *crasher) compact() {
	busy := false
	c.fs.onChange(func(call string) error {
		if call == "sync" && !busy { // after the snapshot is written
			busy = true
			c.insert()
			c.insertAndDelete()
		}
		return c.crashEveryWay(call)
	})
	if err := c.backend.Compact(context.Background()); err != nil {
		c.tb.Fatal(err)
	}
	c.fs.onChange(c.crashEveryWay)
}

func (c *crasher) reopen() {
	if err := c.store.Close(); err != nil {
		c.tb.Fatal(err)
	}
	c.open()
}

// crashPoints is the number of crashes to try, before make soak multiplies it.
const crashPoints = 20_000

func TestCrashAnywhereKeepsAcknowledgedTransactions(t *testing.T) {
	want := crashPoints * soakFactor()
	crashes := 0
	for seed := uint64(1); crashes < want; seed++ {
		c := newCrasher(t, seed, quiet())
		for range 20 {
			c.step()
		}
		c.reopen()
		crashes += c.crashes
	}
	t.Logf("note: %d crash points, no acknowledged transaction lost, none partially visible", crashes)
}

// Crashes at every call while transactions are synced together.
func TestCrashInBatchKeepsPrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(10) {
			c := newCrasher(t, seed, quiet())
			for c.backend.journal.reserved[cookie.Index()] < c.largestKey+5 { // so that no reservation waits for the write lock
				c.insert()
			}
			c.last = "group"
			c.backend.journal.writeLock <- struct{}{} // so that the transactions gather in one batch
			ended := make(chan error)
			for range 5 {
				go func() {
					ended <- c.store.Tx(context.Background(), func(_ context.Context, tx *core.Transaction) error {
						err := c.add(tx, map[string]any{"type": c.anyText()})
						c.allowed = append(c.allowed, contentOf(t, tx))
						return err
					})
				}()
			}
			synctest.Wait()
			if shown := text(c.backend.store.Snapshot()); len(c.allowed) != 6 || shown != c.allowed[0] {
				t.Fatalf("%d transactions, shown %s", len(c.allowed)-1, shown)
			}
			syncs := 0
			c.fs.onChange(func(call string) error {
				if call == "sync" {
					syncs++
				}
				return c.crashEveryWay(call)
			})
			<-c.backend.journal.writeLock
			for range 5 {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			if syncs != 1 {
				t.Errorf("%d syncs for one group", syncs)
			}
			c.allowed = c.allowed[5:]
			if shown := text(c.backend.store.Snapshot()); shown != c.allowed[0] {
				t.Errorf("shown %s", shown)
			}
			c.reopen()
		}
	})
}

// soakFactor returns the factor of the test length.
func soakFactor() int {
	if n, err := strconv.Atoi(os.Getenv("LARDER_SOAK")); err == nil && n > 0 {
		return n
	}
	return 1
}
