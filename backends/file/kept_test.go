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

	"github.com/larder-go/larder/core"
)

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
