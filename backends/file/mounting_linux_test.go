package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// errImpossible says that the machine does not let us, which tells nothing of ours.
var errImpossible = errors.New("not possible here")

// mounting runs a program that mounts file systems, in a name space of mounts that
// ends with it. It returns what the program says, or why it could not: whoever is not
// root, and root in a container without CAP_SYS_ADMIN, may not mount.
func mounting(t *testing.T, name, dir string) (says string, possible bool) {
	t.Helper()
	cmd := program(t, name, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 { // root in a name space of users, who may mount a tmpfs
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

// ownMounts keeps the mounts of the process to itself.
func ownMounts() error {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return errors.Join(errImpossible, os.NewSyscallError("mount", err))
	}
	return nil
}

// needs returns the path of a program, and fails the test where it is not.
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
