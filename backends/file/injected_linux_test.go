package file_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// injectedCalls is at how many calls of fdatasync a failure is injected.
const injectedCalls = 50

// The kernel lets fdatasync fail, each of the first calls in turn, alone or with all
// that follow, under a program that knows nothing of it.
func TestAnInjectedSyncFailureFailsTheTransactionAndIsNotRetried(t *testing.T) {
	strace := needs(t, "strace", "strace")
	if out, err := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Logf("note: NOT TESTED: failures of fdatasync: %v: %v: %s", errImpossible, err, bytes.ReplaceAll(out, []byte("\n"), []byte("; ")))
		return
	}
	for _, cause := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		name := map[syscall.Errno]string{syscall.EIO: "EIO", syscall.ENOSPC: "ENOSPC"}[cause]
		for suffix, how := range map[string]string{"": "once", "+": "for good"} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				where := make(map[string]int)
				for n := 1; n <= injectedCalls; n++ {
					// The calls of each thread are counted by themselves; all are those of one.
					where[injected(t, cause, []string{
						strace, "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync",
						"-e", fmt.Sprintf("inject=fdatasync:error=%s:when=%d%s", name, n, suffix),
					})]++
				}
				if where["open"] == 0 || where["write"] < injectedCalls/2 || where["compact"] == 0 {
					t.Errorf("the failures were in %v", where)
				}
				t.Logf("note: fdatasync failed with %s %s at each of the first %d calls, first in %v", name, how, injectedCalls, where)
			})
		}
	}
}

// injected runs the program under the launcher, and opens the file that it left. It
// returns where the failure was.
func injected(t *testing.T, cause error, launcher []string) (where string) {
	t.Helper()
	c := newNoteWriter(filepath.Join(t.TempDir(), "notes.db"))
	cmd := program(t, "keep-notes", c.path, launcher...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(launcher, " "), err, out, stderr.Bytes())
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var id int64
		switch kind, rest, _ := strings.Cut(lines.Text(), " "); kind {
		case "acknowledged":
			if _, err := fmt.Sscan(rest, &id); err != nil {
				t.Fatal(err)
			}
			c.acknowledged[id] = fmt.Sprint("note ", len(c.acknowledged))
		case "open", "write", "compact":
			if !strings.Contains(rest, cause.Error()) {
				t.Errorf("failed to %s: %s", kind, rest)
			}
			where = cmp.Or(where, kind)
		}
	}
	if err := c.checkReopened(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(launcher, " "), err, out)
	}
	return where
}

// keepNotes is the program: it tells what was acknowledged, and in what the failure
// was that it checked the consequences of.
func keepNotes(path string) error {
	runtime.LockOSThread()
	c := newNoteWriter(path)
	if err := c.open(); err != nil {
		return tell("open", err)
	}
	for i := range injectedCalls + 10 {
		if i == 20 {
			if err := c.backend.Compact(context.Background()); err != nil {
				if err := errors.Join(tell("compact", err), c.checkMemory(), c.checkFile()); err != nil {
					return err
				}
			}
		}
		ids := len(c.acknowledged)
		if err := c.write(fmt.Sprint("note ", i)); err != nil {
			return errors.Join(tell("write", err), c.checkFailure(err))
		}
		if len(c.acknowledged) != ids+1 {
			return fmt.Errorf("a key twice, of note %d", i)
		}
		for id, text := range c.acknowledged {
			if text == fmt.Sprint("note ", i) {
				fmt.Println("acknowledged", id)
			}
		}
	}
	return c.store.Close()
}

func tell(where string, err error) error {
	_, failed := fmt.Fprintf(os.Stdout, "%s %s\n", where, strings.ReplaceAll(err.Error(), "\n", "; "))
	return failed
}
