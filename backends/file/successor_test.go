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
)

// openAt opens the file of that path in a store.
func openAt(tb testing.TB, path string) (*core.Store, *Backend) {
	tb.Helper()
	b := New(path, quiet())
	store, err := core.New(tb.Context(), cookies, b)
	if err != nil {
		tb.Fatal(err)
	}
	return store, b
}

func TestOpeningAndCompactionLeaveFilesOfOthersAlone(t *testing.T) {
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

func TestWhatACrashedCompactionLeftIsRemovedOnceTheFileWasRead(t *testing.T) {
	path, lines := jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	replaceLine(t, path, lines, `"red"`, zeros)
	if err := New(path, quiet()).Bind(t.Context(), cookies); err == nil {
		t.Fatal("opened a damaged file")
	}
	if left, err := os.ReadFile(replacementPath(path)); string(left) != "half of it" {
		t.Errorf("after a file that cannot be read: %q, %v", left, err)
	}
	path, _ = jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("half of it"), 0o600); err != nil {
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

func TestALeftoverThatCannotBeRemovedHindersOnlyCompaction(t *testing.T) {
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

func TestANewFileBesideALinkThatLeadsNowhereIsNotCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cookies.db")
	if err := os.Symlink("nowhere", replacementPath(path)); err != nil {
		t.Fatal(err)
	}
	if err := New(path, quiet()).Bind(t.Context(), cookies); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), replacementPath(path)) {
		t.Error(err)
	}
}

// Whoever has the file open under the name that it had before it was moved.
func TestANewFileThatAnotherProcessWritesIsLeftAlone(t *testing.T) {
	path, _ := jarOfCookies(t)
	if err := os.WriteFile(replacementPath(path), []byte("half of it"), 0o600); err != nil {
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
	if left, err := os.ReadFile(replacementPath(path)); string(left) != "half of it" {
		t.Errorf("left %q, %v", left, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, store, cookie)
	shut(t, store)
}

// A process that opens the path finds the new one of a compaction before that has
// the lock.
func TestACompactionWhoseNewFileIsTakenAwayFails(t *testing.T) {
	for name, meddle := range map[string]func(fs *strictFilesystem) error{
		"locked": func(fs *strictFilesystem) error {
			h, _ := fs.Open(replacementPath(path), os.O_RDWR, 0)
			return h.Lock()
		},
		"removed": func(fs *strictFilesystem) error { return fs.Remove(replacementPath(path)) },
	} {
		strict := newStrictFilesystem()
		m := &meddling{strict, nil}
		store, b := openStore(t, m, quiet())
		put(t, store, cookie)
		before := bytes.Clone(strict.names[path].data)
		m.meddle = func() {
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
