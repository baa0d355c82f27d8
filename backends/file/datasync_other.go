//go:build !linux

package file

import "os"

// datasync writes the file to disk; on macOS through the cache of the disk, too.
func datasync(f *os.File) error { return f.Sync() }
