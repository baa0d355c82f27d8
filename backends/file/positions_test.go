package file

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// keys uses up keys of cookies, and remembers the largest.
type keys struct {
	t       *testing.T
	store   *core.Store
	backend *Backend
	largest int64
}

func (k *keys) use(key int64) { k.largest = max(k.largest, key) }

// next has n keys handed out, for records that never come.
func (k *keys) next(n int) {
	k.t.Helper()
	out, err := k.store.NextIDs(k.t.Context(), cookie, n)
	if err != nil {
		k.t.Fatal(err)
	}
	k.use(out[n-1].Int())
}

// passing gives a key and deletes its record in one transaction, beside a record that
// stays if there is one.
func (k *keys) passing(key int64, beside ...any) {
	k.t.Helper()
	err := k.store.Tx(k.t.Context(), func(_ context.Context, tx *core.Transaction) error {
		put(k.t, tx, cookie, "id", key)
		if len(beside) > 0 {
			put(k.t, tx, cookie, beside...)
		}
		return tx.Delete(k.t.Context(), cookie, core.IntValue(key))
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.use(key)
}

// lapsing gives a key and deletes its record in the next transaction.
func (k *keys) lapsing(key int64) {
	k.t.Helper()
	put(k.t, k.store, cookie, "id", key)
	if err := k.store.Delete(k.t.Context(), cookie, core.IntValue(key)); err != nil {
		k.t.Fatal(err)
	}
	k.use(key)
}

// undone has a key handed out by a transaction that is rolled back.
func (k *keys) undone() {
	k.t.Helper()
	err := k.store.Tx(k.t.Context(), func(_ context.Context, tx *core.Transaction) error {
		k.use(put(k.t, tx, cookie).Key().Int())
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		k.t.Fatal(err)
	}
}

func (k *keys) compact() {
	k.t.Helper()
	if err := k.backend.Compact(k.t.Context()); err != nil {
		k.t.Fatal(err)
	}
}

func (k *keys) reopen(fs filesystem, opts Options) {
	k.t.Helper()
	shut(k.t, k.store)
	k.store, k.backend = openStore(k.t, fs, opts)
}

// Whatever became of their records, keys are not handed out again by who opens the
// file after the process was killed or, where commits are synced, after a power cut
// that takes all that was not.
func TestNoKeyComesAgainAfterACrash(t *testing.T) {
	for name, use := range map[string]func(k *keys, reopen func()){
		"handed out alone":                 func(k *keys, _ func()) { k.next(1) },
		"handed out to the end of a block": func(k *keys, _ func()) { k.next(1); k.next(reservedAtOnce - 1) },
		"handed out beyond a block":        func(k *keys, _ func()) { k.next(reservedAtOnce); k.next(3 * reservedAtOnce) },
		"handed out one by one": func(k *keys, _ func()) {
			for range 37 {
				k.next(1)
			}
		},
		"handed out in growing blocks":       func(k *keys, _ func()) { k.next(1); k.next(5); k.undone(); k.next(2) },
		"handed out behind a given one":      func(k *keys, _ func()) { k.next(2); k.passing(50); k.next(1); k.next(1) },
		"handed out and rolled back":         func(k *keys, _ func()) { k.undone() },
		"handed out and compacted":           func(k *keys, _ func()) { k.next(3); k.compact() },
		"handed out from what was returned":  func(k *keys, reopen func()) { k.next(3); reopen(); k.next(1); k.next(1) },
		"given and gone at once":             func(k *keys, _ func()) { k.passing(7) },
		"given and gone beside another":      func(k *keys, _ func()) { k.passing(7, "type", "oat") },
		"given and gone beside a given one":  func(k *keys, _ func()) { k.passing(7, "id", 3) },
		"given and gone beyond a block":      func(k *keys, _ func()) { k.next(1); k.passing(reservedAtOnce + 7); k.next(1) },
		"given and gone later":               func(k *keys, _ func()) { k.lapsing(7) },
		"given and gone, and then a smaller": func(k *keys, _ func()) { k.lapsing(7); k.compact(); k.passing(3) },
		"given and gone before compaction":   func(k *keys, _ func()) { k.passing(7); k.compact() },
		"given and gone before a block":      func(k *keys, _ func()) { k.passing(7); k.next(1) },
		"given and gone before closing":      func(k *keys, reopen func()) { k.passing(7); reopen(); k.passing(5) },
	} {
		for _, every := range []time.Duration{0, NoSync} {
			fs := newStrictFilesystem()
			opts := quiet()
			opts.SyncEvery = every
			k := &keys{t: t}
			k.store, k.backend = openStore(t, fs, opts)
			use(k, func() { k.reopen(fs, opts) })
			left := map[string]*strictFilesystem{"a kill": fs.kill()}
			if every == 0 {
				left["a power cut"] = fs.crash(func(int) int { return 0 })
			}
			for crash, fs := range left {
				_, b := openStore(t, fs, quiet())
				if next := nextID(t, b); next <= k.largest {
					t.Errorf("%s: after %s, with a sync every %v: key %d again, after %d", name, crash, every, next, k.largest)
				}
			}
		}
	}
}

// The gap that a crash leaves is smaller than the number of keys that were handed out
// since the file was opened, and at most a block.
func TestTheGapInTheKeysAfterACrashIsSmall(t *testing.T) {
	for _, n := range []int64{1, 2, 3, 10, 100, 1000, 5000} {
		fs := newStrictFilesystem()
		last := int64(0)
		for range 3 {
			k := &keys{t: t}
			k.store, k.backend = openStore(t, fs, quiet())
			before := k.backend.journal.number
			for range n {
				k.next(1)
			}
			if k.largest-last >= 2*n+1 || k.largest-last > n+reservedAtOnce {
				t.Errorf("%d keys after %d: the last one is %d", n, last, k.largest)
			}
			if lines := k.backend.journal.number - before; lines > 11+n/reservedAtOnce {
				t.Errorf("%d keys take %d lines of reservations", n, lines)
			}
			last, fs = k.largest, fs.kill()
		}
	}
}
