package memtable

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func TestKeysContinueAfterCommittedKeys(t *testing.T) {
	b := with(seed.Data{"plant": {-7: {}, 3: {}}})
	store := open(t, b)
	next := func(want int64) {
		t.Helper()
		if key := insert(t, store, plant); key.Int() != want {
			t.Errorf("key %s, want %d", key, want)
		}
	}
	next(4)
	insert(t, store, plant, "id", 10)
	next(11)
	insert(t, store, plant, "id", 7)
	next(12)
	if err := store.Delete(t.Context(), plant, core.IntValue(12)); err != nil {
		t.Fatal(err)
	}
	next(13)
	err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		insert(t, tx, plant)
		insert(t, tx, plant, "id", 20)
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	next(15)
	if keys, err := store.NextIDs(t.Context(), plant, 3); err != nil || len(keys) != 3 || keys[0].Int() != 16 || keys[2].Int() != 18 {
		t.Errorf("keys %v, %v, want 16 to 18", keys, err)
	}
	next(19)
}

func TestFirstKeyIsOne(t *testing.T) {
	store := open(t, with(seed.Data{"plant": {-7: {}}}))
	if key := insert(t, store, plant); key != core.IntValue(1) {
		t.Errorf("key %s", key)
	}
}

func TestKeysEndAtLargestInteger(t *testing.T) {
	store := open(t, with(seed.Data{"plant": {math.MaxInt64 - 2: {}}}))
	if keys, err := store.NextIDs(t.Context(), plant, 3); err == nil {
		t.Errorf("three keys where two are left: %v", keys)
	}
	keys, err := store.NextIDs(t.Context(), plant, 2)
	if want := []core.Value{core.IntValue(math.MaxInt64 - 1), core.IntValue(math.MaxInt64)}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("keys %v, %v, want %v", keys, err, want)
	}
	if err := write(t, store, plant); err == nil {
		t.Error("a key behind the largest")
	}
	insert(t, store, plant, "id", 5)
}

func TestTextKeysAreNotGenerated(t *testing.T) {
	store := open(t, fresh())
	if keys, err := store.NextIDs(t.Context(), bed, 1); !errors.Is(err, core.BadRequest) {
		t.Errorf("NextIDs: %v, %v", keys, err)
	}
	if err := write(t, store, bed); !errors.Is(err, core.BadRequest) {
		t.Errorf("Insert: %v", err)
	}
}

func TestUUIDKeysAreGenerated(t *testing.T) {
	store := open(t, fresh())
	a, b := insert(t, store, sensor), insert(t, store, sensor)
	if a == b || a.Type() != core.UUID || b.Type() != core.UUID {
		t.Errorf("keys %s and %s", a, b)
	}
}

func TestKeyGenerationDoesNotWaitForWriter(t *testing.T) {
	store := open(t, fresh())
	err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		mine := insert(t, tx, plant)
		other, err := store.NextIDs(t.Context(), plant, 1)
		if err != nil || other[0].Int() <= mine.Int() {
			t.Errorf("%v, %v, want one behind %s", other, err, mine)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeysAreUnique(t *testing.T) {
	store := open(t, fresh())
	var mu sync.Mutex
	seen := make(map[core.Value]bool)
	see := func(key core.Value) {
		mu.Lock()
		defer mu.Unlock()
		if seen[key] {
			t.Errorf("%s again", key)
		}
		seen[key] = true
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				keys, err := store.NextIDs(t.Context(), plant, 2)
				if err != nil {
					t.Error(err)
					return
				}
				see(keys[0])
				see(keys[1])
				see(insert(t, store, plant))
			}
		})
	}
	wg.Wait()
}
