package file

import (
	"bytes"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhatIsNoRegularFileIsRefusedAndLeftAlone(t *testing.T) {
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
	defer l.Close() //nolint:errcheck // nobody listens
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
		if now, err := os.Stat(path); err != nil || now.Mode() != before.Mode() || now.Mode().IsRegular() {
			t.Errorf("%s is %v now, %v", path, now, err)
		}
	}
	if names, err := fs.ReadDir(os.DirFS(dir), "."); len(names) != 3 {
		t.Errorf("%v, %v", names, err)
	}
}
