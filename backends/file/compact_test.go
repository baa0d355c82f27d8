package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestCompactionKeepsRecordsAndFreesSpace(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "cookies.db"), filepath.Join(dir, "link.db")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	b := New(link, quiet())
	store, err := core.New(t.Context(), cookies, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o640); err != nil {
		t.Fatal(err)
	}
	rec := put(t, store, cookie)
	for i := range 50 {
		if _, err := store.Update(t.Context(), cookie, rec.With(1, core.TextValue(strings.Repeat("x", 1000+i)))); err != nil {
			t.Fatal(err)
		}
	}
	last := put(t, store, cookie).Key().Int()
	if err := store.Delete(t.Context(), cookie, core.IntValue(last)); err != nil {
		t.Fatal(err)
	}
	want := text(b.store.Snapshot())
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Size() > 3000 || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	shut(t, store)
	b = New(link, quiet())
	if store, err = core.New(t.Context(), cookies, b); err != nil {
		t.Fatal(err)
	}
	if found := text(b.store.Snapshot()); found != want {
		t.Errorf("found %s, want %s", found, want)
	}
	if next := put(t, store, cookie).Key().Int(); next <= last {
		t.Errorf("key %d again", next)
	}
	shut(t, store)
}

func TestCompactionAndBackupBesideWriters(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				err := store.Tx(context.Background(), func(_ context.Context, tx *core.Transaction) error {
					put(t, tx, cookie, "type", "one of two")
					put(t, tx, cookie, "type", "the other")
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		if err := b.Compact(t.Context()); err != nil {
			t.Error(err)
		}
		var copied bytes.Buffer
		if err := b.Backup(t.Context(), &copied); err != nil {
			t.Error(err)
		}
		backup, _ := openStore(t, filesystemWith(copied.Bytes()), quiet())
		n, err := backup.Count(t.Context(), cookie, core.Eq("type", "one of two"))
		all, failed := backup.Count(t.Context(), cookie, core.All())
		if err != nil || failed != nil || all != 2*n {
			t.Errorf("backup of %d records, %d first ones, %v, %v", all, n, err, failed)
		}
	}
	wg.Wait()
	want := text(b.store.Snapshot())
	shut(t, store)
	store, b = openStore(t, fs, quiet())
	if found := text(b.store.Snapshot()); found != want {
		t.Errorf("found %s, want %s", found, want)
	}
	shut(t, store)
}

func TestBackgroundCompactionRatio(t *testing.T) {
	for ratio, compacts := range map[float64]bool{0: true, 20: true, 100: false, -1: false} {
		fs := newStrictFilesystem()
		opts := quiet()
		opts.CompactRatio = ratio
		store, b := openStore(t, fs, opts)
		rec := put(t, store, cookie)
		for i := range 30 {
			if _, err := store.Update(t.Context(), cookie, rec.With(1, core.TextValue(strings.Repeat(string(rune('a'+i)), 100_000)))); err != nil {
				t.Fatal(err)
			}
		}
		want := text(b.store.Snapshot())
		b.background.Wait()
		shut(t, store)
		if size := len(fs.names[path].data); compacts != (size < 2_500_000) {
			t.Errorf("ratio %v: %d bytes", ratio, size)
		}
		store, b = openStore(t, fs, opts)
		if text(b.store.Snapshot()) != want {
			t.Errorf("ratio %v: found something else", ratio)
		}
		shut(t, store)
	}
}

func TestCompactionEndsWithContext(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, cookie)
	ctx, cancel := context.WithCancel(t.Context())
	fs.onChange(func(call string) error {
		cancel()
		return nil
	})
	if err := b.Compact(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if fs.names[replacementPath(path)] != nil {
		t.Error("the new file was left behind")
	}
	put(t, store, cookie)
	shut(t, store)
}

func TestCompactionAfterFailedCleanup(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	fs.onChange(func(call string) error {
		if call == "rename" || call == "remove" {
			return syscall.EIO
		}
		return nil
	})
	if err := b.Compact(t.Context()); !errors.Is(err, syscall.EIO) || fs.names[replacementPath(path)] == nil {
		t.Errorf("%v, %v", err, fs.names)
	}
	fs.onChange(func(string) error { return nil })
	if err := b.Compact(t.Context()); err != nil || fs.names[replacementPath(path)] != nil {
		t.Errorf("%v, %v", err, fs.names)
	}
	shut(t, store)
}

// update updates a cookie.
func update(tb testing.TB, store *core.Store, fields ...any) {
	tb.Helper()
	named := make(map[string]any)
	for i := 0; i < len(fields); i += 2 {
		named[fields[i].(string)] = fields[i+1]
	}
	rec, err := cookie.NewRecord(named)
	if err == nil {
		_, err = store.Update(context.Background(), cookie, rec)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// The cost of an update on disk depends on the changed columns, not on the record.
func TestUpdateWritesChangedColumns(t *testing.T) {
	const updates, large, perUpdate = 500, 1 << 20, 120
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, jar, "id", "blue")
	put(t, store, cookie, "type", strings.Repeat("x", large))
	before := fs.appended
	for i := range updates {
		update(t, store, "id", 1, "jar", []any{"blue", nil}[i%2])
	}
	b.background.Wait()
	if n := fs.appended - before; n > updates*perUpdate || fs.compacted > large {
		t.Errorf("%d updates append %d bytes, and compaction writes %d", updates, n, fs.compacted)
	}
	want := text(b.store.Snapshot())
	shut(t, store)
	store, b = openStore(t, fs, quiet())
	if text(b.store.Snapshot()) != want {
		t.Error("found something else")
	}
	shut(t, store)
}

// A compaction writes at most the bytes that were appended since the previous one.
func TestCompactionWritesAtMostAppendedBytes(t *testing.T) {
	const size = 64 << 10
	for name, step := range map[string]func(t *testing.T, store *core.Store, i int){
		"replaced values": func(t *testing.T, store *core.Store, i int) {
			update(t, store, "id", 1+i%5, "type", strings.Repeat(string(rune('a'+i%26)), size))
		},
		"inserted and deleted": func(t *testing.T, store *core.Store, _ int) {
			key := put(t, store, cookie, "type", strings.Repeat("x", size)).Key()
			if err := store.Delete(t.Context(), cookie, key); err != nil {
				t.Fatal(err)
			}
		},
		"escaped values": func(t *testing.T, store *core.Store, i int) {
			update(t, store, "id", 1, "type", strings.Repeat(string(rune('\x01'+i%8)), size/6))
		},
		"small transactions": func(t *testing.T, store *core.Store, _ int) {
			for range 80 {
				put(t, store, cookie)
			}
		},
	} {
		for _, ratio := range []float64{0, 0.1} {
			fs := newStrictFilesystem()
			opts := quiet()
			opts.CompactRatio = ratio
			store, b := openStore(t, fs, opts)
			for range 5 {
				put(t, store, cookie)
			}
			before := fs.compacted
			for i := range 200 {
				step(t, store, i)
				b.background.Wait()
			}
			if written := fs.compacted - before; written > fs.appended || written == 0 {
				t.Errorf("%s, ratio %v: %d bytes are appended, compaction writes %d", name, ratio, fs.appended, written)
			}
			shut(t, store)
		}
	}
}

// A file of version 1 keeps its version until it is compacted.
func TestOpenVersion1(t *testing.T) {
	const head = `{"larder":"journal","version":1,"model":"cookies","resources":[` +
		`{"name":"cookie","fields":[{"name":"id","type":"int","key":true},{"name":"type","type":"text"},{"name":"jar","type":"text","to":"jar"}]},` +
		`{"name":"jar","fields":[{"name":"id","type":"text","key":true}]}]`
	fs := filesystemWith(withChecksums([]byte(head + "\n" + `{"n":1,"synced":0,"seq":{}` + "\n" +
		`{"n":2,"synced":0,"put":{"cookie":[{"id":1,"type":"muffin","jar":"blue"}],"jar":[{"id":"blue"}]}` + "\n")))
	store, b := openStore(t, fs, quiet())
	update(t, store, "id", 1, "type", "oat")
	if last := lastLine(fs); !strings.Contains(last, `"put":{"cookie":[{"id":1,"type":"oat","jar":"blue"}]}`) {
		t.Errorf("a line that programs of version 1 cannot read: %s", last)
	}
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, store, "id", 1, "jar", nil)
	if last := lastLine(fs); !strings.Contains(last, `"set":{"cookie":[{"id":1,"jar":null}]}`) {
		t.Errorf("after the compaction the complete record is written: %s", last)
	}
	var header struct{ Version int }
	first, _, _ := strings.Cut(string(fs.names[path].data), "\n")
	if err := json.Unmarshal([]byte(first), &header); err != nil || header.Version != 2 {
		t.Errorf("compacted to version %d, %v", header.Version, err)
	}
	shut(t, store)
	store, b = openStore(t, fs, quiet())
	if found := text(b.store.Snapshot()); found != "cookie{id:1 type:oat jar:null}jar{id:blue}" {
		t.Errorf("found %s", found)
	}
	shut(t, store)
}

func lastLine(fs *strictFilesystem) string {
	lines := strings.Split(strings.TrimSuffix(string(fs.names[path].data), "\n"), "\n")
	return lines[len(lines)-1]
}
