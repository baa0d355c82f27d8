//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package file

import (
	"io/fs"
	"os"
	"syscall"
)

// chown gives the file the owner and the group that info tells of, unless it has them.
func chown(f *os.File, info fs.FileInfo) error {
	want, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if have, ok := now.Sys().(*syscall.Stat_t); ok && have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}
