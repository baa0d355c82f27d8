package memtable

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func TestReaderSeesItsSnapshot(t *testing.T) {
	store := open(t, with(seed.Data{"bed": {"north": {"rank": 1}, "south": {}}}))
	north := core.TextValue("north")
	err := store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(_ context.Context, reader *core.Transaction) error {
		if err := store.Delete(t.Context(), bed, core.TextValue("south")); err != nil {
			return err
		}
		if _, err := store.Update(t.Context(), bed, record(t, bed, "id", "north", "rank", 2)); err != nil {
			return err
		}
		rec, err := reader.Get(t.Context(), bed, north)
		if err != nil || rec.Get("rank").Int() != 1 {
			t.Errorf("reader: %v, %v, want rank 1", rec, err)
		}
		for where, want := range map[string]core.Filter{"all": core.All(), "rank 1": core.Eq("rank", 1), "no rank": core.Eq("rank", nil)} {
			n, err := reader.Count(t.Context(), bed, want)
			if expected := map[string]int{"all": 2, "rank 1": 1, "no rank": 1}[where]; err != nil || n != expected {
				t.Errorf("reader: %s: %d, %v, want %d", where, n, err, expected)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := store.Get(t.Context(), bed, north); err != nil || rec.Get("rank").Int() != 2 {
		t.Errorf("afterwards: %v, %v, want rank 2", rec, err)
	}
}

func TestReaderIgnoresOpenWriter(t *testing.T) {
	store := open(t, fresh())
	err := store.Tx(t.Context(), func(_ context.Context, writer *core.Transaction) error {
		insert(t, writer, bed, "id", "north", "rank", 1)
		n, err := store.Count(t.Context(), bed, core.All())
		if err != nil || n != 0 {
			t.Errorf("store: %d, %v, want none", n, err)
		}
		if n, err = writer.Count(t.Context(), bed, core.Eq("rank", 1)); err != nil || n != 1 {
			t.Errorf("writer: %d, %v, want its own", n, err)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	if n, err := store.Count(t.Context(), bed, core.All()); err != nil || n != 0 {
		t.Errorf("rolled back: %d, %v, want none", n, err)
	}
}

func TestWriterWaitsForOtherWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := fresh()
		store := open(t, b)
		first, err := b.Begin(t.Context(), core.BackendTxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		began, inserted := false, false
		wg.Go(func() {
			second, err := b.Begin(t.Context(), core.BackendTxOptions{})
			if began = true; err != nil {
				t.Error(err)
				return
			}
			if err := second.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			insert(t, store, bed, "id", "north")
			inserted = true
		})
		synctest.Wait()
		if began || inserted {
			t.Errorf("went on beside another writer: began %t, inserted %t", began, inserted)
		}
		if err := first.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestWaitingWriterEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := fresh()
		store := open(t, b)
		first, err := b.Begin(t.Context(), core.BackendTxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := b.Begin(ctx, core.BackendTxOptions{}); !errors.Is(err, context.Canceled) {
				t.Errorf("Begin: %v", err)
			}
		})
		wg.Go(func() {
			if err := store.Delete(ctx, bed, core.TextValue("north")); !errors.Is(err, context.Canceled) {
				t.Errorf("Delete: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if err := first.Commit(t.Context()); err != nil {
			t.Error(err)
		}
		insert(t, store, bed, "id", "north") // the canceled writers hold no lock
	})
}

func TestFailedCommitReleasesWriteLock(t *testing.T) {
	store := open(t, fresh())
	if err := write(t, store, plant, "bed", "north"); !errors.Is(err, core.NotFound) {
		t.Fatal(err)
	}
	insert(t, store, bed, "id", "north")
}

func TestCanceledContextFailsEveryMethod(t *testing.T) {
	b := with(seed.Data{"bed": {"north": {}}})
	open(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	op := &core.Op{Resource: plant, N: 1}
	calls := map[string]func(core.BackendTx) error{
		"Read":    func(tx core.BackendTx) error { _, err := tx.Read(ctx, op); return err },
		"Count":   func(tx core.BackendTx) error { _, err := tx.Count(ctx, op); return err },
		"Insert":  func(tx core.BackendTx) error { _, err := tx.Insert(ctx, op); return err },
		"Update":  func(tx core.BackendTx) error { _, err := tx.Update(ctx, op); return err },
		"Delete":  func(tx core.BackendTx) error { return tx.Delete(ctx, op) },
		"NextIDs": func(tx core.BackendTx) error { _, err := tx.NextIDs(ctx, op); return err },
		"Commit":  func(tx core.BackendTx) error { return tx.Commit(ctx) },
	}
	for _, opts := range []core.BackendTxOptions{{}, {Single: true}, {ReadOnly: true}} {
		if _, err := b.Begin(ctx, opts); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v: Begin: %v", opts, err)
		}
		for name, call := range calls {
			if opts.ReadOnly && name != "Read" && name != "Count" && name != "Commit" {
				continue
			}
			tx, err := b.Begin(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := call(tx); !errors.Is(err, context.Canceled) {
				t.Errorf("%+v: %s: %v", opts, name, err)
			}
			if name != "Commit" {
				_ = tx.Rollback(t.Context())
			}
		}
	}
	if err := fresh().Bind(ctx, garden); !errors.Is(err, context.Canceled) {
		t.Errorf("Bind: %v", err)
	}
}

func TestCommitWithCanceledContextWritesNothing(t *testing.T) {
	b := fresh()
	store := open(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	err := store.Tx(ctx, func(_ context.Context, tx *core.Transaction) error {
		insert(t, tx, bed, "id", "north")
		cancel()
		return nil
	})
	if n, _ := store.Count(t.Context(), bed, core.All()); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestReadOnlyTransactionRejectsWrites(t *testing.T) {
	b := fresh()
	open(t, b)
	tx, err := b.Begin(t.Context(), core.BackendTxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	op := &core.Op{Resource: bed, N: 1, Records: []core.Record{record(t, bed, "id", "north")}}
	_, insert := tx.Insert(t.Context(), op)
	_, update := tx.Update(t.Context(), op)
	_, next := tx.NextIDs(t.Context(), op)
	for name, err := range map[string]error{
		"Insert": insert, "Update": update, "Delete": tx.Delete(t.Context(), op), "NextIDs": next,
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := len(b.Dump()["bed"]); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestConcurrentTransfersKeepSum(t *testing.T) {
	const sum, writers, transfers = 100, 4, 50
	store := open(t, with(seed.Data{"bed": {"a": {"rank": sum}, "b": {"rank": 0}}}))
	ranks := func(s core.Querier) (a, b int64) {
		records, err := s.Load(t.Context(), bed, []core.Value{core.TextValue("a"), core.TextValue("b")})
		if err != nil || len(records) != 2 {
			t.Errorf("%v, %v", records, err)
			return 0, sum
		}
		return records[0].Get("rank").Int(), records[1].Get("rank").Int()
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range transfers {
				err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
					a, b := ranks(tx)
					_, err := tx.Update(t.Context(), bed,
						record(t, bed, "id", "a", "rank", a-1), record(t, bed, "id", "b", "rank", b+1))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range transfers {
				if a, b := ranks(store); a+b != sum {
					t.Errorf("%d and %d", a, b)
				}
				if n, err := store.Count(t.Context(), bed, core.Ge("rank", -1000)); err != nil || n != 2 {
					t.Errorf("by index: %d, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	if a, b := ranks(store); a != sum-writers*transfers || a+b != sum {
		t.Errorf("in the end %d and %d", a, b)
	}
}
