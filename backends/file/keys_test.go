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

// withDeletedLargestKey is a strict file system with a file whose largest key, 5000, is of a record
// that is gone.
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

func TestACopyHandsOutNoKeyAgain(t *testing.T) {
	strict, store, b := withDeletedLargestKey(t)
	if err := b.Compact(t.Context()); err != nil { // so that positions alone tell of the key
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

func TestABackupEndsWithTheContext(t *testing.T) {
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

func TestWhatRecoverHasReturnedSurvivesACrash(t *testing.T) {
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
			if got, there := found(strict.crash(choose)); there && got != want {
				t.Errorf("crash at %s: half of it: %s", call, got)
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

// Before the crash or after it: never a file that neither model opens, or half of it.
func TestACrashWhileAFileIsAdoptedLosesNothing(t *testing.T) {
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
			err := b.Bind(context.Background(), cookies) // which has a place for either
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
	passing.passing(9000, "type", "oat")
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
