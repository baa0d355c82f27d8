//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package file

import (
	"errors"
	"os"
)

// lock refuses: without it two processes would overwrite each other.
func lock(*os.File) error { return errors.ErrUnsupported }
