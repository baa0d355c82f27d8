package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// besides returns the path of the file that is to take the place of that at path. It
// is reserved for that: whatever is there and nobody has locked may be removed.
func besides(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(dir, "."+name+".compacting")
}

// successor is a new file that is written beside the one whose place it is to take.
// It is locked before it gets there, so that there is no gap.
type successor struct {
	fs     filesystem
	path   string // the place
	file   handle
	placed bool
}

// newSuccessor creates the file, which must not be there.
func newSuccessor(fs filesystem, path string) (*successor, error) {
	file, err := fs.Open(besides(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return nil, err
	}
	if err := lockAt(file, besides(path)); err != nil {
		return nil, errors.Join(err, file.Close()) // somebody takes it for a leftover, and has it removed
	}
	return &successor{fs: fs, path: path, file: file}, nil
}

// lockAt locks the file, which must be the one at the path then.
func lockAt(file handle, path string) error {
	err := file.Lock()
	if err != nil {
		return fmt.Errorf("%s %w", path, err)
	}
	still, err := file.IsAt(path)
	if err == nil && !still {
		err = fmt.Errorf("%s %w", path, ErrLocked)
	}
	return err
}

// takeOver gives the file the owner, the group and the permissions of the old one.
func (s *successor) takeOver(old handle) error {
	if err := s.file.TakeOver(old); err != nil {
		return fmt.Errorf("copying the owner and permissions of the old file: %w", err)
	}
	return nil
}

// place gives the file, which is synced, its name.
func (s *successor) place() error {
	if err := s.fs.Rename(besides(s.path), s.path); err != nil {
		return err
	}
	s.placed = true
	return nil
}

// abandon removes the file unless it is in its place.
func (s *successor) abandon() error {
	if s.placed {
		return nil
	}
	return errors.Join(s.fs.Remove(besides(s.path)), s.file.Close())
}

// removeLeftover removes a successor whose process ended before it was in its place.
//
// Errors: ErrLocked if it is of a process that has not ended.
func removeLeftover(system filesystem, path string) error {
	file, err := system.Open(besides(path), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	same, err := file.IsAt(path) // a crash amid the renaming may leave both names, and then we have the lock
	if err == nil && !same {
		err = lockAt(file, besides(path))
	}
	if err == nil {
		err = system.Remove(besides(path))
	}
	return errors.Join(err, file.Close())
}
