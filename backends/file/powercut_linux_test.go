package file_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

// imageSize is enough for the smallest file system that mkfs.xfs creates. The image is sparse.
const imageSize = 320 << 20

// A disk loses its power during writes and a compaction. It is a file system on a loop device that discards everything
// that it has not written.
func TestPowerFailureKeepsAcknowledgedTransactions(t *testing.T) {
	for kind, pkg := range map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs"} {
		t.Run(kind, func(t *testing.T) {
			mkfs := needs(t, "mkfs."+kind, pkg)
			dir := t.TempDir()
			image := filepath.Join(dir, "image")
			if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, imageSize)); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), mkfs, "-q", image).CombinedOutput(); err != nil {
				t.Fatalf("mkfs.%s: %v\n%s", kind, err, out)
			}
			out, possible := mounting(t, "lose-power", dir)
			if !possible {
				t.Logf("note: NOT TESTED: power cuts on %s: %s", kind, out)
				return
			}
			t.Logf("note: %s: %s", kind, out)
		})
	}
}

// losePower is the program. Each cycle mounts the image, writes, shuts the file system down and checks the remaining
// content.
func losePower(dir string) error {
	if err := ownMounts(); err != nil {
		return err
	}
	image, disk := filepath.Join(dir, "image"), filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		return err
	}
	if err := mount(image, disk); err != nil {
		return errors.Join(errImpossible, err)
	}
	path := filepath.Join(disk, "pairs.db")
	acknowledged := make(pairsBy)
	cycles := 4 * soakFactor()
	for cycle := range cycles {
		if err := writeUntilPowerIsLost(disk, path, cycle, acknowledged); err != nil {
			return fmt.Errorf("cycle %d: %w", cycle, err)
		}
		if err := errors.Join(syscall.Unmount(disk, 0), mount(image, disk), acknowledged.check(path)); err != nil {
			return fmt.Errorf("cycle %d: %w", cycle, err)
		}
	}
	if err := syscall.Unmount(disk, 0); err != nil {
		return err
	}
	_, err := fmt.Printf("%d power cuts under %d writers, %d transactions acknowledged, none lost", cycles, writers, len(acknowledged))
	return err
}

// mount mounts the image; mount(8) finds a free loop device.
func mount(image, at string) error {
	if out, err := exec.CommandContext(context.Background(), "mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// writeUntilPowerIsLost shuts the file system down after enough acknowledged transactions, and adds the transactions of
// this cycle to acknowledged. Commits that return after the shutdown began do not count, since without power none would
// have returned: ext4 lets an fdatasync that waits for its journal succeed when the journal is shut down.
func writeUntilPowerIsLost(disk, path string, cycle int, acknowledged pairsBy) error {
	ctx := context.Background()
	backend := file.New(path, file.Options{Logger: slog.New(slog.DiscardHandler)})
	store, err := core.New(ctx, pairs, backend)
	if err != nil {
		return err
	}
	w := &untilEnough{acknowledged: acknowledged, missing: 10 + cycle%40, enough: make(chan struct{})}
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for turn := 0; ; turn++ {
				ids, err := insertPair(ctx, store, writer, turn)
				if w.report(ids, [2]int{writer, turn}, err); err != nil {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for backend.Compact(ctx) == nil {
		}
	})
	<-w.enough
	if err := shutdown(disk); err != nil {
		return err // the writers end with the process
	}
	wg.Wait()
	_ = store.Close() // fails: the file system accepts no writes
	return errors.Join(w.errs...)
}

// untilEnough collects acknowledged transactions until there are enough.
type untilEnough struct {
	enough chan struct{} // closed then

	mu           sync.Mutex
	acknowledged pairsBy
	missing      int
	errs         []error
}

func (u *untilEnough) report(ids [2]int64, by [2]int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	late := u.missing == 0
	if err != nil && !(late && (errors.Is(err, core.Unavailable) || errors.Is(err, core.OutcomeUnknown))) {
		u.errs = append(u.errs, err)
	}
	if late {
		return
	}
	if u.missing--; err == nil {
		u.acknowledged[ids] = by
	} else {
		u.missing = 0
	}
	if u.missing == 0 {
		close(u.enough)
	}
}

// shutdown simulates a power failure: the file system writes nothing more, not even its journal (EXT4_IOC_SHUTDOWN and
// XFS_IOC_GOINGDOWN).
func shutdown(disk string) error {
	const goingDown, noLogFlush = 0x8004587d, 2
	f, err := os.Open(disk)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // a directory
	how := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), goingDown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		return os.NewSyscallError("ioctl GOINGDOWN", errno)
	}
	return nil
}
