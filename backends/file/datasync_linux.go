package file

import (
	"errors"
	"os"
	"syscall"
)

// datasync writes the data and the size of the file to disk, without its times (fdatasync(2)).
func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
