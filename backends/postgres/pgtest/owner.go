package pgtest

import (
	"fmt"
	"os"
)

// owner is the account that a server runs as: that of this process, or an unprivileged one if that is root.
type owner struct{ uid, gid int }

// directory makes a directory that only the owner can enter.
func (o owner) directory() (string, error) {
	dir, err := os.MkdirTemp(scratchDir(), "pgtest")
	if err != nil {
		return "", err
	}
	if err := os.Chown(dir, o.uid, o.gid); err != nil {
		return "", fmt.Errorf("%w (%w)", err, os.Remove(dir))
	}
	return dir, nil
}

// scratchDir returns the parent of the servers' directories: in memory if Linux offers that to all users.
func scratchDir() string {
	const memory = "/dev/shm"
	if st, err := os.Stat(memory); err == nil && st.IsDir() && st.Mode()&os.ModeSticky != 0 {
		return memory
	}
	return os.TempDir()
}
