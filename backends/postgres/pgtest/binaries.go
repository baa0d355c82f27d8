package pgtest

import (
	"cmp"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

var (
	errNoServer  = errors.New("no initdb in PATH or /usr/lib/postgresql/*/bin: apt-get install postgresql, or set DATABASE_URL")
	errNoBouncer = errors.New("no pgbouncer in PATH or /usr/sbin: apt-get install pgbouncer")
)

// debian matches the directories of Debian's server programs.
const debian = "/usr/lib/postgresql/*/bin"

// serverBinaries returns the directory of initdb and postgres: that of initdb in PATH, otherwise the latest version in
// the directories that match the pattern.
func serverBinaries(pattern string) (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob(pattern + "/initdb")
	if err != nil || len(found) == 0 {
		return "", errNoServer
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

// version returns the NN of /usr/lib/postgresql/NN/bin/initdb; 0 if it is no number.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// bouncerBinary returns the path of pgbouncer: the one in PATH, otherwise the one in dir.
func bouncerBinary(dir string) (string, error) {
	for _, name := range []string{"pgbouncer", filepath.Join(dir, "pgbouncer")} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoBouncer
}
