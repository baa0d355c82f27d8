package memtable

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

// slowLog withholds durability from the appended changes until it is released.
type slowLog struct {
	mu        sync.Mutex
	appended  []Changes
	publish   []func()
	appendErr error // of the next Append or Reserve
	released  chan struct{}
	failure   error // of all appended changes, once released
	blocks    int64 // number of keys per reservation
	reserved  []int64
}

func newSlowLog() *slowLog { return &slowLog{released: make(chan struct{}), blocks: 10} }

func (l *slowLog) Append(c Changes, publish func()) (durable func() error, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.appendErr != nil {
		return nil, l.appendErr
	}
	l.appended = append(l.appended, c)
	l.publish = append(l.publish, publish)
	return func() error {
		<-l.released
		return l.failure
	}, nil
}

// release makes everything that was appended durable, or fails it.
func (l *slowLog) release(failure error) {
	if l.failure = failure; failure == nil {
		for _, publish := range l.publish {
			publish()
		}
	}
	close(l.released)
}

func (l *slowLog) Reserve(_ *core.Resource, atLeast int64) (upTo int64, err error) {
	if l.appendErr != nil {
		return 0, l.appendErr
	}
	l.reserved = append(l.reserved, atLeast+l.blocks-1)
	return atLeast + l.blocks - 1, nil
}

func openLogged(tb testing.TB, l Log) (*core.Store, *backend) {
	b := fresh()
	b.log = l
	return open(tb, b), b
}

var (
	errDisk           = errors.New("disk on fire")
	errWritesRejected = errors.New("no writes since the disk was on fire")
)

func (l *slowLog) Failed() error {
	if l.failure != nil {
		return errWritesRejected
	}
	return nil
}

func TestWriterBeginsOnUnpublishedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSlowLog()
		store, b := openLogged(t, l)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
					n, err := tx.Count(t.Context(), bed, core.All())
					insert(t, tx, bed, "id", string(rune('a'+n)))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if n := len(b.Dump()["bed"]); n != 0 || len(l.appended) != 3 {
			t.Errorf("%d shown of %d appended", n, len(l.appended))
		}
		l.release(nil)
		wg.Wait()
		if n := len(b.Dump()["bed"]); n != 3 {
			t.Errorf("%d shown", n)
		}
	})
}

// A transaction without changes may have read changes that are not durable yet, and its caller may report them.
func TestEndWaitsForDurabilityOfReads(t *testing.T) {
	ends := map[string]func(core.Querier) error{
		"commit of nothing": func(core.Querier) error { return nil },
		"rollback":          func(core.Querier) error { return errUndo },
		"rollback of a write": func(s core.Querier) error {
			rec, _ := bed.NewRecord(map[string]any{"id": "south"})
			_, err := s.Insert(context.Background(), bed, rec)
			return cmp.Or(err, errUndo)
		},
		"commit of no change": func(s core.Querier) error {
			rec, _ := bed.NewRecord(map[string]any{"id": "south"})
			_, err := s.Insert(context.Background(), bed, rec)
			return cmp.Or(err, s.Delete(context.Background(), bed, core.TextValue("south")))
		},
		"broken integrity": func(s core.Querier) error {
			rec, _ := plant.NewRecord(map[string]any{"bed": "nowhere"})
			_, err := s.Insert(context.Background(), plant, rec)
			return err
		},
	}
	for name, end := range ends {
		for _, failure := range []error{nil, errDisk} {
			synctest.Test(t, func(t *testing.T) {
				l := newSlowLog()
				store, _ := openLogged(t, l)
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := write(t, store, bed, "id", "north"); !errors.Is(err, failure) {
						t.Errorf("%s: first: %v, want %v", name, err, failure)
					}
				})
				synctest.Wait()
				ended := false
				wg.Go(func() {
					err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
						if _, err := tx.Get(t.Context(), bed, core.TextValue("north")); err != nil {
							t.Error(err)
						}
						return end(tx)
					})
					ended = true
					if !strings.HasPrefix(name, "rollback") && failure != nil && (!errors.Is(err, errWritesRejected) || errors.Is(err, failure)) {
						t.Errorf("%s: second: %v, want %v", name, err, errWritesRejected)
					}
				})
				synctest.Wait()
				if ended {
					t.Errorf("%s: ended before", name)
				}
				l.release(failure)
				wg.Wait()
			})
		}
	}
}

func TestFailedLogRejectsWritesAndServesReads(t *testing.T) {
	l := newSlowLog()
	store, b := openLogged(t, l)
	l.release(errDisk)
	if err := write(t, store, bed, "id", "north"); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if err := write(t, store, bed, "id", "south"); !errors.Is(err, errWritesRejected) || errors.Is(err, errDisk) {
		t.Error(err)
	}
	if _, err := b.Begin(t.Context(), core.BackendTxOptions{}); !errors.Is(err, errWritesRejected) {
		t.Error(err)
	}
	if n, err := store.Count(t.Context(), bed, core.All()); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if len(l.appended) != 1 {
		t.Errorf("%d appended", len(l.appended))
	}
}

// silentLog fails, but reports no failure.
type silentLog struct{ *slowLog }

func (silentLog) Failed() error { return nil }

func TestLogThatHidesItsFailureRejectsWrites(t *testing.T) {
	l := newSlowLog()
	store, b := openLogged(t, silentLog{l})
	l.release(errDisk)
	if err := write(t, store, bed, "id", "north"); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if err := write(t, store, bed, "id", "south"); !errors.Is(err, core.Unavailable) {
		t.Error(err)
	}
	if _, err := b.Begin(t.Context(), core.BackendTxOptions{}); !errors.Is(err, core.Unavailable) {
		t.Error(err)
	}
}

func TestAppendErrorUndoesOnlyItsTransaction(t *testing.T) {
	l := newSlowLog()
	store, b := openLogged(t, l)
	l.appendErr = errDisk
	if err := write(t, store, bed, "id", "north"); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	l.appendErr = nil
	close(l.released)
	if err := write(t, store, bed, "id", "north"); err != nil {
		t.Error(err)
	}
	if n := len(b.Dump()["bed"]); n != 0 || len(l.appended) != 1 {
		t.Errorf("%d shown, %d appended", n, len(l.appended))
	}
}

func TestKeysAreReservedBeforeGeneration(t *testing.T) {
	l := newSlowLog()
	store, b := openLogged(t, l)
	next := func(n int) []core.Value {
		t.Helper()
		keys, err := store.NextIDs(t.Context(), plant, n)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	next(1)
	next(9)
	next(1)
	next(20)
	if want := []int64{10, 20, 40}; !slices.Equal(l.reserved, want) {
		t.Errorf("reserved %v, want %v", l.reserved, want)
	}
	l.appendErr = errDisk
	next(9)
	if keys, err := store.NextIDs(t.Context(), plant, 1); !errors.Is(err, errDisk) {
		t.Errorf("%v, %v", keys, err)
	}
	if want := []int64{40, 0, 0}; !slices.Equal(b.Positions(), want) {
		t.Errorf("positions %v, want %v", b.Positions(), want)
	}
	b.Store.Close()
	b.Store.Close()
	if want := []int64{40, 0, 0}; !slices.Equal(b.Positions(), want) {
		t.Errorf("closed, positions %v, want %v", b.Positions(), want)
	}
}

func TestLogReceivesKeysOfDeletedRecords(t *testing.T) {
	l := newSlowLog()
	store, _ := openLogged(t, l)
	l.release(nil)
	insertAndDelete := func(kept, deleted int, end error) {
		t.Helper()
		err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
			if kept > 0 {
				insert(t, tx, plant, "id", kept)
			}
			insert(t, tx, plant, "id", deleted)
			return errors.Join(tx.Delete(t.Context(), plant, core.IntValue(int64(deleted))), end)
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	insertAndDelete(0, 5, nil)
	insertAndDelete(9, 7, nil)
	insertAndDelete(0, 20, errUndo)
	insertAndDelete(12, 3, nil) // 20 was never committed
	if _, err := store.NextIDs(t.Context(), plant, 1); err != nil {
		t.Fatal(err)
	}
	insertAndDelete(0, 22, nil) // already reserved
	want := [][]int64{{5, 0, 0}, {9, 0, 0}, {12, 0, 0}}
	logged := make([][]int64, len(l.appended))
	for i, c := range l.appended {
		logged[i] = c.Positions
	}
	if !slices.EqualFunc(logged, want, slices.Equal) {
		t.Errorf("logged %v, want %v", logged, want)
	}
}

func TestCommitAfterCloseFails(t *testing.T) {
	l := newSlowLog()
	_, b := openLogged(t, l)
	tx, err := b.Begin(t.Context(), core.BackendTxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	op := &core.Op{Kind: core.Insert, Resource: bed, Records: []core.Record{record(t, bed, "id", "north")}, Check: core.All()}
	if _, err := tx.Insert(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	b.Store.Close()
	if _, err := tx.NextIDs(t.Context(), &core.Op{Kind: core.NextID, Resource: plant, N: 1}); !errors.Is(err, core.ErrClosed) {
		t.Errorf("next id: %v, want %v", err, core.ErrClosed)
	}
	if err := tx.Commit(t.Context()); !errors.Is(err, core.ErrClosed) || len(l.appended) != 0 {
		t.Errorf("%v, %d appended", err, len(l.appended))
	}
}

func TestLogOmitsUnchangedRecords(t *testing.T) {
	l := newSlowLog()
	store, _ := openLogged(t, l)
	l.release(nil)
	insert(t, store, bed, "id", "north", "rank", 1)
	err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		_, forth := tx.Update(t.Context(), bed, record(t, bed, "id", "north", "rank", 2))
		_, back := tx.Update(t.Context(), bed, record(t, bed, "id", "north", "rank", 1))
		insert(t, tx, bed, "id", "south")
		return errors.Join(forth, back)
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := l.appended[1]; len(c.Removed)+len(c.Updated) > 0 || len(c.Inserted) != 1 || c.Inserted[0].Key() != core.TextValue("south") {
		t.Errorf("logged %v", c)
	}
}

// instantLog applies changes to a map.
type instantLog struct{ content content }

func (l *instantLog) Append(c Changes, publish func()) (durable func() error, err error) {
	for _, old := range c.Removed {
		if rec, exists := l.content[old.Resource()][old.Key()]; !exists || !rec.Equal(old) {
			return nil, errors.New("removed a record that does not exist")
		}
		delete(l.content[old.Resource()], old.Key())
	}
	for _, rec := range c.Inserted {
		if _, exists := l.content[rec.Resource()][rec.Key()]; exists {
			return nil, errors.New("inserted a record that exists")
		}
		l.content[rec.Resource()][rec.Key()] = rec
	}
	for _, u := range c.Updated {
		if old, exists := l.content[u.Before.Resource()][u.Before.Key()]; !exists || !old.Equal(u.Before) {
			return nil, errors.New("updated a record that does not exist")
		}
		if u.After.Equal(u.Before) || u.After.Key() != u.Before.Key() {
			return nil, errors.New("updated nothing, or the key")
		}
		l.content[u.After.Resource()][u.After.Key()] = u.After
	}
	if len(c.Inserted)+len(c.Updated)+len(c.Removed) == 0 && !slices.ContainsFunc(c.Positions, func(n int64) bool { return n > 0 }) {
		return nil, errors.New("nothing changed")
	}
	publish()
	return func() error { return nil }, nil
}

func (l *instantLog) Failed() error { return nil }

func (l *instantLog) Reserve(_ *core.Resource, atLeast int64) (int64, error) { return atLeast, nil }

func TestLogReceivesNetChanges(t *testing.T) {
	resources := []*core.Resource{plant, bed}
	rapid.Check(t, func(t *rapid.T) {
		l := &instantLog{content{plant: {}, bed: {}, sensor: {}}}
		b := fresh()
		b.log = l
		store, err := core.New(t.Context(), garden, b)
		if err != nil {
			t.Fatal(err)
		}
		want := content{plant: {}, bed: {}, sensor: {}}
		for range rapid.IntRange(1, 6).Draw(t, "transactions") {
			next := want.clone()
			err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				for range rapid.IntRange(0, 8).Draw(t, "operations") {
					step(t, tx, next, rapid.SampledFrom(resources).Draw(t, "resource"))
				}
				return nil
			})
			broken := reference.CheckIntegrity(garden, next.of)
			if (err == nil) != (broken == nil) {
				t.Fatalf("commit: %v, want %v", err, broken)
			}
			if err == nil {
				want = next
			}
			for r, records := range want {
				if !maps.EqualFunc(records, l.content[r], core.Record.Equal) {
					t.Fatalf("the log knows %v, want %v", l.content[r], records)
				}
			}
			holds(t, store, want)
		}
	})
}
