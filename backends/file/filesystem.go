package file

import (
	"errors"
	"io"
	"io/fs"
)

// filesystem is what the backend needs of one, so that tests can put one under it
// that loses all that POSIX lets it lose.
type filesystem interface {
	// Open opens a file as os.OpenFile does, if it is a regular one.
	Open(path string, flag int, perm fs.FileMode) (handle, error)
	// Resolve returns the path of the file itself where path leads through links, be
	// the file there or not.
	Resolve(path string) (string, error)
	// Rename replaces what is at the path to in one step, which lasts only once the
	// directory is synced.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(path string) error
	// SyncDir makes the names in the directory durable.
	SyncDir(path string) error
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.WriterAt
	io.Closer

	Size() (int64, error)
	Truncate(size int64) error
	// CopyOwnerAndMode gives the file the owner, the group and the permissions of an older one.
	CopyOwnerAndMode(old handle) error
	// Sync makes the content durable, with what is needed to read it.
	Sync() error
	// Lock keeps others from locking the file until it is closed; ErrLocked if
	// somebody did.
	Lock() error
	// IsAt reports whether this file is at the path, and not a link to it.
	IsAt(path string) (bool, error)
}

// ErrLocked is what the error of opening a file wraps that is open already.
var ErrLocked = errors.New("is locked: it is already open in this or another process")
