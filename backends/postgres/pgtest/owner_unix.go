//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

var errNoOwner = errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")

func serverOwner() (owner, error) {
	if os.Getuid() != 0 {
		return owner{os.Getuid(), os.Getgid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		return owner{uid, gid}, errors.Join(uidErr, gidErr)
	}
	return owner{}, errNoOwner
}

// process returns the attributes of a process of the owner. It has a process group of its own, so that Ctrl-C at a
// terminal does not stop it.
func (o owner) process() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if o.uid != os.Getuid() {
		attr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)} //nolint:gosec // ids are not negative
	}
	return attr
}
