package file

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/core"
)

// pathLosses has ways in which a path loses an open file.
var pathLosses = map[string]func(path string) error{
	"moved":   func(path string) error { return os.Rename(path, path+".bak") },
	"removed": os.Remove,
	"replaced": func(path string) error {
		return errors.Join(os.Rename(path, path+".bak"), os.WriteFile(path, []byte("other content"), 0o600))
	},
	"linked to": func(path string) error {
		return errors.Join(os.Rename(path, path+".bak"), os.Symlink(path+".bak", path))
	},
}

func TestCompactionReplacesOnlyOpenFile(t *testing.T) {
	for name, lose := range pathLosses {
		t.Run(name, func(t *testing.T) {
			path, _ := jarOfCookies(t)
			store, b := openAt(t, path)
			if err := lose(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			if err := b.Compact(t.Context()); !errors.Is(err, errMoved) || !strings.Contains(err.Error(), path) {
				t.Errorf("compaction: %v", err)
			}
			if after, _ := os.Lstat(path); (before == nil) != (after == nil) || before != nil && !os.SameFile(before, after) {
				t.Errorf("before %v, after %v", before, after)
			}
			if _, err := os.Lstat(replacementPath(path)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the new file: %v", err)
			}
			rec, _ := jar.NewRecord(map[string]any{"id": "green"})
			if _, err := store.Insert(t.Context(), jar, rec); !errors.Is(err, core.Unavailable) || !errors.Is(err, errMoved) {
				t.Errorf("a write after that was noticed: %v", err)
			}
			if n, err := store.Count(t.Context(), cookie, core.All()); n != 2 || err != nil {
				t.Errorf("%d cookies, %v", n, err)
			}
			if err := store.Close(); !errors.Is(err, errMoved) {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// unreadablePath is a file whose path cannot be read.
type unreadablePath struct{ handle }

func (unreadablePath) IsAt(string) (bool, error) { return false, syscall.EIO }

func TestUnreadablePathFailsOneCompaction(t *testing.T) {
	store, b := openStore(t, newStrictFilesystem(), quiet())
	seen := b.journal.file
	b.journal.file = unreadablePath{seen}
	if err := b.Compact(t.Context()); !errors.Is(err, syscall.EIO) || errors.Is(err, core.Unavailable) {
		t.Errorf("compaction: %v", err)
	}
	put(t, store, jar, "id", "green")
	b.journal.file = seen
	if err := b.Compact(t.Context()); err != nil {
		t.Errorf("the next compaction: %v", err)
	}
	shut(t, store)
}

func TestCloseReportsMovedFile(t *testing.T) {
	for name, lose := range pathLosses {
		path, _ := jarOfCookies(t)
		store, _ := openAt(t, path)
		if err := lose(path); err != nil {
			t.Fatal(err)
		}
		put(t, store, jar, "id", "green")
		if err := store.Close(); !errors.Is(err, errMoved) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := Verify(path + ".bak"); name != "removed" && (err != nil || left.Records != 5) {
			t.Errorf("%s: %+v, %v", name, left, err)
		}
	}
}

func TestBackgroundCompactionLogsMovedFile(t *testing.T) {
	path, _ := jarOfCookies(t)
	var log bytes.Buffer
	b := New(path, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	store, err := core.New(t.Context(), cookies, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, letter := range []string{"a", "b", "c", "d", "e"} {
		update(t, store, "id", 1, "type", strings.Repeat(letter, minBackgroundSize))
	}
	b.background.Wait()
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), errMoved.Error()) {
		t.Errorf("log: %.400s", log.String())
	}
	_ = store.Close()
}

func TestIrregularFilesAreRejected(t *testing.T) {
	dir := t.TempDir()
	journal, _ := jarOfCookies(t)
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only the socket file matters
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, socket, link, dir, "/dev/null", "/dev/zero"} {
		own, err := filepath.EvalSymlinks(path)
		if err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		_, verify := Verify(path)
		_, recovered := Recover(path, filepath.Join(dir, "out"))
		_, recoverTo := Recover(journal, path)
		_, model := Model(path)
		for call, err := range map[string]error{
			"Bind": New(path, quiet()).Bind(t.Context(), cookies), "Verify": verify, "Recover": recovered, "Recover to": recoverTo,
			"Model": model, "Dump": Dump(path, new(bytes.Buffer)),
		} {
			if err == nil || call != "Recover to" && !strings.Contains(err.Error(), "is not a regular file") ||
				!strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), own) {
				t.Errorf("%s of %s: %v", call, path, err)
			}
		}
		if after, err := os.Stat(path); err != nil || after.Mode() != before.Mode() || after.Mode().IsRegular() {
			t.Errorf("%s is %v now, %v", path, after, err)
		}
	}
	if names, err := fs.ReadDir(os.DirFS(dir), "."); len(names) != 3 {
		t.Errorf("%v, %v", names, err)
	}
}
