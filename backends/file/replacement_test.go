package file

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// openAt returns a store on the file at the path.
func openAt(tb testing.TB, path string) (*core.Store, *Backend) {
	tb.Helper()
	b := New(path, quiet())
	store, err := core.New(tb.Context(), cookies, b)
	if err != nil {
		tb.Fatal(err)
	}
	return store, b
}

func TestForeignFilesAreNotChanged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cookies.db")
	names := []string{"cookies.db.new", "cookies.db.tmp", ".cookies.db", "cookies.db~"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		store, b := openAt(t, path)
		put(t, store, cookie)
		if err := b.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		shut(t, store)
	}
	for _, name := range names {
		if content, err := os.ReadFile(filepath.Join(dir, name)); string(content) != "mine" {
			t.Errorf("%s is %q, %v", name, content, err)
		}
	}
	if entries, err := os.ReadDir(dir); len(entries) != len(names)+1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestStaleReplacementIsRemovedByOpen(t *testing.T) {
	path, lines := jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("partial"), 0o600); err != nil {
		t.Fatal(err)
	}
	replaceLine(t, path, lines, `"red"`, zeros)
	if err := New(path, quiet()).Bind(t.Context(), cookies); err == nil {
		t.Fatal("opened a damaged file")
	}
	if left, err := os.ReadFile(replacementPath(path)); string(left) != "partial" {
		t.Errorf("after a file that cannot be read: %q, %v", left, err)
	}
	path, _ = jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("partial"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, b := openAt(t, path)
	if _, err := os.Lstat(replacementPath(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after opening: %v", err)
	}
	if err := b.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	shut(t, store)
}

func TestUnremovableReplacementFailsOnlyCompaction(t *testing.T) {
	path, _ := jarOfCookies(t)
	if err := os.Mkdir(replacementPath(path), 0o700); err != nil { // even root cannot open it as a file
		t.Fatal(err)
	}
	var log bytes.Buffer
	store, err := core.New(t.Context(), cookies, New(path, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), replacementPath(path)) {
		t.Errorf("log: %s", log.String())
	}
	put(t, store, cookie)
	shut(t, store)
}

func TestReservedNameAsDanglingLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cookies.db")
	if err := os.Symlink("nowhere", replacementPath(path)); err != nil {
		t.Fatal(err)
	}
	if err := New(path, quiet()).Bind(t.Context(), cookies); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), replacementPath(path)) {
		t.Error(err)
	}
}

// Another process has the file open under its former name.
func TestLockedReplacementIsNotRemoved(t *testing.T) {
	path, _ := jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("partial"), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := osFilesystem{}.Open(replacementPath(path), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	store, b := openAt(t, path)
	if err := b.Compact(t.Context()); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), replacementPath(path)) {
		t.Errorf("compaction: %v", err)
	}
	if left, err := os.ReadFile(replacementPath(path)); string(left) != "partial" {
		t.Errorf("left %q, %v", left, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, store, cookie)
	shut(t, store)
}

// Another process that opens the path locks or removes the replacement before the compaction locks it.
func TestCompactionFailsIfReplacementIsTaken(t *testing.T) {
	for name, meddle := range map[string]func(fs *strictFilesystem) error{
		"locked": func(fs *strictFilesystem) error {
			h, _ := fs.Open(replacementPath(path), os.O_RDWR, 0)
			return h.Lock()
		},
		"removed": func(fs *strictFilesystem) error { return fs.Remove(replacementPath(path)) },
	} {
		strict := newStrictFilesystem()
		m := &hookedFilesystem{strict, nil}
		store, b := openStore(t, m, quiet())
		put(t, store, cookie)
		before := bytes.Clone(strict.names[path].data)
		m.afterOpen = func() {
			if err := meddle(strict); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Compact(t.Context()); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
		if (strict.names[replacementPath(path)] != nil) != (name == "locked") || !bytes.Equal(strict.names[path].data, before) {
			t.Errorf("%s: the new file is %v", name, strict.names[replacementPath(path)])
		}
		put(t, store, cookie)
		shut(t, store)
	}
}

// rewrittenJournals returns journals that consist of their initial snapshot.
func rewrittenJournals(t *testing.T) map[string][]byte {
	t.Helper()
	strict := newStrictFilesystem()
	created := func(data seed.Data) []byte {
		fs := newStrictFilesystem()
		opts := quiet()
		opts.Data = data
		openStore(t, fs, opts)
		return fs.names[path].data
	}
	store, b := openStore(t, strict, quiet())
	for range 200 {
		put(t, store, cookie, "type", strings.Repeat("oat", 30))
	}
	put(t, store, jar, "id", "blue")
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	compacted := bytes.Clone(strict.names[path].data)
	var copied bytes.Buffer
	if err := b.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	damaged, _ := jarOfCookies(t)
	if _, err := Recover(damaged, damaged+".out"); err != nil {
		t.Fatal(err)
	}
	recovered, err := os.ReadFile(damaged + ".out")
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"new": created(nil), "with data": created(seed.Data{"jar": {"blue": {}}}),
		"compacted": compacted, "backup": copied.Bytes(), "recovered": recovered,
	}
}

func TestTruncatedInitialSnapshotIsDamage(t *testing.T) {
	for name, data := range rewrittenJournals(t) {
		p := filepath.Join(t.TempDir(), "cookies.db")
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(p); err != nil {
			t.Errorf("%s: complete: %v", name, err)
		}
		for _, size := range truncations(data) {
			if err := os.WriteFile(p, data[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			_, verified := Verify(p)
			for call, err := range map[string]error{"Verify": verified, "Bind": New(p, quiet()).Bind(t.Context(), cookies)} {
				if corrupt, ok := errors.AsType[*CorruptError](err); !ok || int(corrupt.Offset) > size {
					t.Errorf("%s of %s cut to %d of %d bytes: %v", call, name, size, len(data), err)
				}
			}
			if left, err := os.ReadFile(p); !bytes.Equal(left, data[:size]) {
				t.Fatalf("%s cut to %d bytes was changed: %v", name, size, err)
			}
			r, err := Recover(p, p+".out")
			if err == nil && len(r.Lost) == 0 {
				t.Errorf("Recover of %s cut to %d bytes: %+v, %v", name, size, r, err)
			}
			_ = os.Remove(p + ".out")
		}
	}
}

// truncations returns sizes to truncate a file to: at the end of each line and within it.
func truncations(data []byte) (sizes []int) {
	for _, begin := range (history{data: data}).offsets() {
		if begin < len(data) {
			sizes = append(sizes, begin, begin+30)
		}
	}
	return append(sizes, len(data)-1)
}

func TestDamagedEndOfInitialSnapshotIsDamage(t *testing.T) {
	for name, data := range rewrittenJournals(t) {
		data[len(data)-5] ^= 1
		err := newBackend(filesystemWith(data), path, quiet()).Bind(t.Context(), cookies)
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEmptyFileIsRejected(t *testing.T) {
	p := filepath.Join(t.TempDir(), "cookies.db")
	if err := os.WriteFile(p, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opts := quiet()
	opts.Data = seed.Data{"jar": {"blue": {}}}
	if err := New(p, opts).Bind(t.Context(), cookies); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Error(err)
	}
	if info, err := os.Stat(p); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// The creation crashes at every call, and the next process continues with the remaining file.
func TestCrashDuringCreation(t *testing.T) {
	strict := newStrictFilesystem()
	opts := quiet()
	opts.Data = seed.Data{"jar": {"blue": {}, "red": {}}}
	random, crashes := newRandom(5), 0
	check := func(left *strictFilesystem, call string) {
		crashes++
		if _, b := openStore(t, left, opts); text(b.store.Snapshot()) != "jar{id:blue}jar{id:red}" {
			t.Errorf("crash at %s: found %s", call, text(b.store.Snapshot()))
		}
	}
	strict.onChange(func(call string) error {
		check(strict.kill(), call)
		possibilities(random, 50, func(choose func(int) int) { check(strict.crash(choose), call) })
		return nil
	})
	store, _ := openStore(t, strict, opts)
	shut(t, store)
	if crashes < 20 {
		t.Errorf("only %d crashes", crashes)
	}
}

func TestCreationOverwritesNothing(t *testing.T) {
	strict := newStrictFilesystem()
	other := filesystemWith([]byte("of another process")).names[path]
	strict.onChange(func(call string) error {
		if call == "sync" { // the replacement is written, but another process was faster
			strict.onChange(func(string) error { return nil })
			strict.names[path] = other
		}
		return nil
	})
	if err := newBackend(strict, path, quiet()).Bind(t.Context(), cookies); err == nil {
		t.Error("opened a file that is no journal")
	}
	if strict.names[path] != other || string(other.data) != "of another process" || strict.names[replacementPath(path)] != nil {
		t.Error("the file of another process was overwritten, or the new one left behind")
	}
}

func TestCreationFollowsLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"one": "two", "two": filepath.Join(dir, "a", "b", "three"), "a/b/three": "../four"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	store, _ := openAt(t, filepath.Join(dir, "one"))
	shut(t, store)
	if info, err := os.Lstat(filepath.Join(dir, "a", "four")); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := New(filepath.Join(dir, "none", "cookies.db"), quiet()).Bind(t.Context(), cookies); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := New(filepath.Join(dir, "loop"), quiet()).Bind(t.Context(), cookies); err == nil {
		t.Error("created a loop")
	}
}
