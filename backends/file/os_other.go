//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package file

import (
	"errors"
	"io/fs"
	"os"
)

// lock fails: without it, two processes could overwrite each other's transactions.
func lock(*os.File) error { return errors.ErrUnsupported }

func unlock(*os.File) error { return nil }

func chown(*os.File, fs.FileInfo) error { return nil }
