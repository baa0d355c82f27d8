package file

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestCompactionKeepsOwner(t *testing.T) {
	path, _ := jarOfCookies(t)
	if err := os.Chown(path, 12345, 12346); errors.Is(err, syscall.EPERM) {
		t.Log("note: NOT TESTED: that compaction keeps the owner of a file: only root can give files away")
		return
	} else if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	store, b := openAt(t, path)
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if of := info.Sys().(*syscall.Stat_t); of.Uid != 12345 || of.Gid != 12346 || info.Mode().Perm() != 0o660 {
		t.Errorf("%d:%d %v", of.Uid, of.Gid, info.Mode())
	}
}

// The owner can then remove the stale file of a compaction that another user began.
func TestReplacementHasOwnerFromStart(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	var calls []string
	fs.onChange(func(call string) error {
		calls = append(calls, call)
		return nil
	})
	if err := b.Compact(t.Context()); err != nil || len(calls) < 2 || calls[0] != "create" || calls[1] != "copy owner" {
		t.Errorf("%v, %v", calls, err)
	}
	shut(t, store)
}

func TestCompactionFailsWithoutOwnership(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, cookie)
	before := fs.names[path]
	fs.onChange(func(call string) error {
		if call == "copy owner" {
			return syscall.EPERM
		}
		return nil
	})
	if err := b.Compact(t.Context()); !errors.Is(err, syscall.EPERM) || fs.names[path] != before || fs.names[replacementPath(path)] != nil {
		t.Errorf("%v, %v", err, fs.names)
	}
	put(t, store, cookie)
	shut(t, store)
}

func TestNewFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path, _ := jarOfCookies(t)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh, _ := jarOfCookies(t)
	if _, err := Recover(path, path+".out"); err != nil {
		t.Fatal(err)
	}
	newFile, err := newReplacement(osFilesystem{}, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{fresh, path + ".out", replacementPath(path)} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", p, info, err)
		}
	}
	if err := newFile.discard(); err != nil {
		t.Error(err)
	}
}
