//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged is the user id that systems reserve for processes without rights.
const unprivileged = "65534"

var errNoOwner = errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user with the id 65534 to run it as")

func serverOwner() (owner, error) {
	if os.Getuid() != 0 {
		return owner{os.Getuid(), os.Getgid()}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.LookupId(unprivileged)
	}
	if err != nil {
		return owner{}, errNoOwner
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	return owner{uid, gid}, errors.Join(uidErr, gidErr)
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
