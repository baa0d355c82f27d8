package pgtest

import (
	"fmt"
	"os"
)

// owner is the account that a server runs as: our own, or if that is root an
// unprivileged one.
type owner struct{ uid, gid int }

// directory makes a directory that only the owner may look into.
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

// scratch is where files live: in memory where Linux offers it to everybody.
func scratchDir() string {
	const memory = "/dev/shm"
	if st, err := os.Stat(memory); err == nil && st.IsDir() && st.Mode()&os.ModeSticky != 0 {
		return memory
	}
	return os.TempDir()
}
