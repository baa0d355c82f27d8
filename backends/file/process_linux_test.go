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

// A disk of 64 kB is full, in each round at a different byte.
func TestFullDiskFailsTransaction(t *testing.T) {
	out, possible := mounting(t, "fill-disk", t.TempDir())
	if !possible {
		t.Logf("note: NOT TESTED: a full tmpfs: %s", out)
		return
	}
	t.Logf("note: %s", out)
}

// fillDisk is the program.
func fillDisk(dir string) error {
	if err := ownMounts(); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		return errors.Join(errImpossible, os.NewSyscallError("mount", err))
	}
	rounds, notes := 20*soakFactor(), 0
	for round := range rounds {
		n, err := fillOnce(dir, round)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		notes += n
	}
	_, err := fmt.Printf("a tmpfs of 64 kB was full %d times, %d transactions acknowledged, none lost", rounds, notes)
	return errors.Join(err, syscall.Unmount(dir, 0))
}

// fillOnce writes notes until the disk is full, opens the file on the full disk, frees space and opens the file again.
func fillOnce(dir string, round int) (notes int, err error) {
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<10), 0o600); err != nil {
		return 0, err
	}
	c := newNoteWriter(filepath.Join(dir, "notes.db"))
	if err := c.open(); err != nil {
		return 0, err
	}
	for err == nil {
		err = c.write(strings.Repeat("n", 1000+97*round%3000))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return 0, fmt.Errorf("not full: %w", err)
	}
	if err := errors.Join(c.checkFailure(err), c.store.Close()); err != nil {
		return 0, err
	}
	if err := errors.Join(c.open(), c.checkMemory(), c.store.Close()); err != nil {
		return 0, fmt.Errorf("opened while the disk is full: %w", err)
	}
	if err := errors.Join(os.Remove(ballast), c.checkReopened()); err != nil {
		return 0, fmt.Errorf("opened with room again: %w", err)
	}
	return len(c.acknowledged), os.Remove(c.path)
}

// injectedCalls is the number of fdatasync calls at which a failure is injected.
const injectedCalls = 50

// The kernel fails fdatasync at each of the first calls in turn, alone or with all later calls, under a program that
// does not know of it.
func TestInjectedSyncFailureIsNotRetried(t *testing.T) {
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
					// strace counts the calls of each thread separately; the program calls fdatasync on one thread only.
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

// injected runs the program under the launcher, opens the remaining file, and returns the place of the failure.
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

// keepNotes is the program. It prints the acknowledged notes, and the operation of a failure after checking its
// consequences.
func keepNotes(path string) error {
	runtime.LockOSThread()
	c := newNoteWriter(path)
	if err := c.open(); err != nil {
		return report("open", err)
	}
	for i := range injectedCalls + 10 {
		if i == 20 {
			if err := c.backend.Compact(context.Background()); err != nil {
				if err := errors.Join(report("compact", err), c.checkMemory(), c.checkFile()); err != nil {
					return err
				}
			}
		}
		ids := len(c.acknowledged)
		if err := c.write(fmt.Sprint("note ", i)); err != nil {
			return errors.Join(report("write", err), c.checkFailure(err))
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

func report(where string, err error) error {
	_, failed := fmt.Fprintf(os.Stdout, "%s %s\n", where, strings.ReplaceAll(err.Error(), "\n", "; "))
	return failed
}

// errImpossible says that the machine does not permit the test.
var errImpossible = errors.New("not possible here")

// mounting runs a program that mounts file systems, in a mount namespace that ends with the program. It returns the
// output of the program, or the reason why it cannot run: only root with CAP_SYS_ADMIN may mount.
func mounting(t *testing.T, name, dir string) (says string, possible bool) {
	t.Helper()
	cmd := program(t, name, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 { // root in a user namespace may mount a tmpfs
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch report := strings.ReplaceAll(strings.TrimSpace(stderr.String()), "\n", ": "); {
	case err == nil:
		return stdout.String(), true
	case !errors.As(err, &exit):
		return fmt.Sprintf("%v: a name space of mounts: %v", errImpossible, err), false
	case strings.HasPrefix(report, errImpossible.Error()):
		return report, false
	default:
		t.Fatalf("%v\n%s", err, stderr.String())
		return "", false
	}
}

// ownMounts makes the mounts of the process private.
func ownMounts() error {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return errors.Join(errImpossible, os.NewSyscallError("mount", err))
	}
	return nil
}

// needs returns the path of a program, or fails the test if it is not installed.
func needs(t *testing.T, name, pkg string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not there; install it: apt-get install %s", name, pkg)
	return ""
}

func init() { //nolint:gochecknoinits // registers programs that exist on Linux only
	programs["lose-power"] = losePower
	programs["keep-notes"] = keepNotes
	programs["fill-disk"] = fillDisk
}
