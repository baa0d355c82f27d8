package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// filesystem is the part of a file system that the backend uses. Tests replace it with one that loses everything that
// POSIX permits it to lose.
type filesystem interface {
	// Open opens a regular file as os.OpenFile does.
	Open(path string, flag int, perm fs.FileMode) (handle, error)
	// Resolve follows the links of the path, also if the file does not exist.
	Resolve(path string) (string, error)
	// Rename replaces the file at the path to atomically. It is durable after SyncDir.
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
	// Sync makes the content and the size durable.
	Sync() error
	// Lock excludes other locks of the file until it is closed. It returns ErrLocked if the file is locked.
	Lock() error
	// IsAt reports whether this file itself, not a link to it, is at the path.
	IsAt(path string) (bool, error)
}

// ErrLocked is returned, wrapped, for a file that is already open in this or another process.
var ErrLocked = errors.New("is locked: it is already open in this or another process")

// osFilesystem is the file system of the operating system.
type osFilesystem struct{}

var _ filesystem = osFilesystem{}

var errNotRegular = errors.New("is not a regular file")

// Open checks the type of the file first: opening a pipe may block forever, and opening a device may have side effects.
func (osFilesystem) Open(path string, flag int, perm fs.FileMode) (handle, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("file: %s %w", path, errNotRegular)
	}
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (system osFilesystem) Resolve(path string) (string, error) {
	own, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return own, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("file: %s: %w", path, withoutPath(err))
	}
	own = filepath.Join(dir, filepath.Base(path))
	to, err := os.Readlink(own)
	if err != nil {
		return own, nil //nolint:nilerr // the name is free
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(dir, to)
	}
	return system.Resolve(to)
}

func (osFilesystem) Rename(from, to string) error { return os.Rename(from, to) }

func (osFilesystem) Remove(path string) error { return os.Remove(path) }

func (osFilesystem) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

type osFile struct{ *os.File }

var _ handle = osFile{}

// WriteAt drops the path from errors, like ReadAt and Truncate: the file was opened at another path if it was installed
// by a rename.
func (f osFile) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.File.WriteAt(p, offset)
	return n, withoutPath(err)
}

func (f osFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	return n, withoutPath(err)
}

func (f osFile) Truncate(size int64) error { return withoutPath(f.File.Truncate(size)) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// CopyOwnerAndMode sets the owner first, because that clears some permissions.
func (f osFile) CopyOwnerAndMode(old handle) error {
	from, ok := old.(osFile)
	if !ok {
		return errors.ErrUnsupported
	}
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := chown(f.File, info); err != nil {
		return err
	}
	return f.Chmod(info.Mode().Perm())
}

func (f osFile) Sync() error { return datasync(f.File) }

func (f osFile) Lock() error { return lock(f.File) }

func (f osFile) Close() error { return errors.Join(unlock(f.File), f.File.Close()) }

func (f osFile) IsAt(path string) (bool, error) {
	own, err := f.Stat()
	if err != nil {
		return false, err
	}
	other, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(own, other), nil
}

// withoutPath returns the error of the operating system without the path.
func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
