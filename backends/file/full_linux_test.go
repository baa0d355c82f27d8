package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk of 64 kB that is full, in every round at another byte.
func TestAFullDiskFailsTheTransactionAndLosesNothing(t *testing.T) {
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

// fillOnce writes notes until the disk is full, opens the file while it is, makes
// room, and opens it again.
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
