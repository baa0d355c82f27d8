package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// keys uses keys of cookies, and remembers the largest.
type keys struct {
	t       *testing.T
	store   *core.Store
	backend *Backend
	largest int64
}

func (k *keys) use(key int64) { k.largest = max(k.largest, key) }

// next generates n keys and does not use them.
func (k *keys) next(n int) {
	k.t.Helper()
	out, err := k.store.NextIDs(k.t.Context(), cookie, n)
	if err != nil {
		k.t.Fatal(err)
	}
	k.use(out[n-1].Int())
}

// insertAndDelete inserts a record with an explicit key and deletes it in the same transaction, optionally beside
// another record.
func (k *keys) insertAndDelete(key int64, beside ...any) {
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

// insertThenDelete inserts a record with an explicit key and deletes it in the next transaction.
func (k *keys) insertThenDelete(key int64) {
	k.t.Helper()
	put(k.t, k.store, cookie, "id", key)
	if err := k.store.Delete(k.t.Context(), cookie, core.IntValue(key)); err != nil {
		k.t.Fatal(err)
	}
	k.use(key)
}

// rollBack generates a key in a transaction that rolls back.
func (k *keys) rollBack() {
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

// Used keys are not generated again after the process was killed or, if commits are synced, after a power failure that
// loses everything else, whether or not their records still exist.
func TestKeysAreUniqueAfterCrash(t *testing.T) {
	for name, use := range map[string]func(k *keys, reopen func()){
		"generated alone":                    func(k *keys, _ func()) { k.next(1) },
		"generated up to the end of a block": func(k *keys, _ func()) { k.next(1); k.next(reservedAtOnce - 1) },
		"generated beyond a block":           func(k *keys, _ func()) { k.next(reservedAtOnce); k.next(3 * reservedAtOnce) },
		"generated one by one": func(k *keys, _ func()) {
			for range 37 {
				k.next(1)
			}
		},
		"generated in growing blocks":              func(k *keys, _ func()) { k.next(1); k.next(5); k.rollBack(); k.next(2) },
		"generated after an explicit key":          func(k *keys, _ func()) { k.next(2); k.insertAndDelete(50); k.next(1); k.next(1) },
		"generated and rolled back":                func(k *keys, _ func()) { k.rollBack() },
		"generated and compacted":                  func(k *keys, _ func()) { k.next(3); k.compact() },
		"generated from a released block":          func(k *keys, reopen func()) { k.next(3); reopen(); k.next(1); k.next(1) },
		"explicit, deleted at once":                func(k *keys, _ func()) { k.insertAndDelete(7) },
		"explicit, deleted beside another":         func(k *keys, _ func()) { k.insertAndDelete(7, "type", "oat") },
		"explicit, deleted beside an explicit one": func(k *keys, _ func()) { k.insertAndDelete(7, "id", 3) },
		"explicit, deleted, beyond a block":        func(k *keys, _ func()) { k.next(1); k.insertAndDelete(reservedAtOnce + 7); k.next(1) },
		"explicit, deleted later":                  func(k *keys, _ func()) { k.insertThenDelete(7) },
		"explicit, deleted, then a smaller one":    func(k *keys, _ func()) { k.insertThenDelete(7); k.compact(); k.insertAndDelete(3) },
		"explicit, deleted before compaction":      func(k *keys, _ func()) { k.insertAndDelete(7); k.compact() },
		"explicit, deleted before a block":         func(k *keys, _ func()) { k.insertAndDelete(7); k.next(1) },
		"explicit, deleted before closing":         func(k *keys, reopen func()) { k.insertAndDelete(7); reopen(); k.insertAndDelete(5) },
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
				left["a power failure"] = fs.crash(func(int) int { return 0 })
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

// The gap that a crash leaves is smaller than the number of keys generated since the file was opened, and at most a
// block.
func TestCrashLeavesSmallKeyGap(t *testing.T) {
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

// withDeletedLargestKey returns a store on a strict file system with a deleted record that had the largest key, 5000.
func withDeletedLargestKey(t *testing.T) (*strictFilesystem, *core.Store, *Backend) {
	t.Helper()
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, jar, "id", "blue")
	put(t, store, cookie, "id", 5000)
	put(t, store, cookie, "id", 7, "jar", "blue")
	if err := store.Delete(t.Context(), cookie, core.IntValue(5000)); err != nil {
		t.Fatal(err)
	}
	return fs, store, b
}

func TestCopyKeepsKeyPositions(t *testing.T) {
	strict, store, b := withDeletedLargestKey(t)
	if err := b.Compact(t.Context()); err != nil { // so that only the positions contain the key
		t.Fatal(err)
	}
	var copied bytes.Buffer
	if err := b.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	if _, err := recoverIn(strict, path, "recovered.db"); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"backup": copied.Bytes(), "recovered": strict.names["recovered.db"].data} {
		if _, b := openStore(t, filesystemWith(data), quiet()); nextID(t, b) <= 5000 {
			t.Errorf("%s: key %d", name, nextID(t, b))
		}
	}
}

func TestBackupEndsWithContext(t *testing.T) {
	store, b := openStore(t, newStrictFilesystem(), quiet())
	for range 20 {
		put(t, store, cookie, "type", strings.Repeat("x", lineSize))
	}
	ctx, cancel := context.WithCancel(t.Context())
	written := 0
	err := b.Backup(ctx, writerFunc(func(p []byte) (int, error) {
		cancel()
		written += len(p)
		return len(p), nil
	}))
	if !errors.Is(err, context.Canceled) || written > 2*writeBufferSize {
		t.Errorf("%d bytes written, %v", written, err)
	}
	if err := b.Backup(t.Context(), writerFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
	shut(t, store)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRecoveredFileSurvivesCrash(t *testing.T) {
	strict, store, b := withDeletedLargestKey(t)
	want := text(b.store.Snapshot())
	shut(t, store)
	random, crashes := newRandom(6), 0
	found := func(left *strictFilesystem) (string, bool) {
		crashes++
		if left.names["recovered.db"] == nil {
			return "", false
		}
		b := newBackend(left, "recovered.db", quiet())
		if err := b.Bind(context.Background(), cookies); err != nil {
			t.Fatal(err)
		}
		return text(b.store.Snapshot()), true
	}
	strict.onChange(func(call string) error {
		possibilities(random, 50, func(choose func(int) int) {
			if got, exists := found(strict.crash(choose)); exists && got != want {
				t.Errorf("crash at %s: partial content: %s", call, got)
			}
		})
		return nil
	})
	if _, err := recoverIn(strict, path, "recovered.db"); err != nil {
		t.Fatal(err)
	}
	possibilities(random, 50, func(choose func(int) int) {
		if got, _ := found(strict.crash(choose)); got != want {
			t.Errorf("crash afterwards: found %q", got)
		}
	})
	if crashes < 10 {
		t.Errorf("only %d crashes", crashes)
	}
}

// The file has the content before or after the change: both models can open it, and it is never partial.
func TestCrashWhileModelChangesLosesNothing(t *testing.T) {
	strict := newStrictFilesystem()
	store, _ := openStore(t, strict, quiet())
	for range 50 {
		put(t, store, cookie, "type", strings.Repeat("7", 300))
	}
	shut(t, store)
	m := core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	opts := quiet()
	opts.DropLost = true
	random, crashes := newRandom(4), 0
	strict.onChange(func(call string) error {
		possibilities(random, 50, func(choose func(int) int) {
			crashes++
			b := newBackend(strict.crash(choose), path, quiet())
			err := b.Bind(context.Background(), cookies) // this model can read both contents
			if n := strings.Count(text(b.store.Snapshot()), strings.Repeat("7", 300)); err == nil && b.size() == 50 && (n == 50 || n == 0) {
				return
			}
			t.Errorf("crash at %s: %v", call, err)
		})
		return nil
	})
	if err := newBackend(strict, path, opts).Bind(t.Context(), m); err != nil || crashes < 10 {
		t.Errorf("%v, %d crashes", err, crashes)
	}
}

func TestEachLineIsJSON(t *testing.T) {
	strict, store, b := withDeletedLargestKey(t)
	put(t, store, jar, "id", "a \"quoted\"\n\u2028 <name>")
	passing := keys{t: t, store: store, backend: b}
	passing.insertAndDelete(9000, "type", "oat")
	journals := map[string][]byte{"journal": bytes.Clone(strict.names[path].data)}
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	journals["compacted"] = strict.names[path].data
	for name, data := range journals {
		for i, line := range slices.Collect(bytes.Lines(data)) {
			var fields map[string]any
			err := json.Unmarshal(line, &fields)
			_, crc := fields["crc"].(string)
			_, kind := fields["larder"].(string)
			if n, ok := fields["n"].(float64); err != nil || !crc || kind != (i == 0) || ok && int(n) != i {
				t.Errorf("%s: %v in %s", name, err, line)
			}
		}
	}
}
