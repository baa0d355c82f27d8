//go:build !linux

package file

import "os"

// datasync writes the file to disk; on macOS through the disk's own cache, too.
func datasync(f *os.File) error { return f.Sync() }
