package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// replacementPath returns the path of the file that is to take the place of that at path. It
// is reserved for that: whatever is there and nobody has locked may be removed.
func replacementPath(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(dir, "."+name+".compacting")
}

// replacement is a new file that is written beside the one whose place it is to take.
// It is locked before it gets there, so that there is no gap.
type replacement struct {
	fs        filesystem
	path      string // the place
	file      handle
	installed bool
}

// newReplacement creates the file, which must not be there.
func newReplacement(fs filesystem, path string) (*replacement, error) {
	file, err := fs.Open(replacementPath(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return nil, err
	}
	if err := lockAtPath(file, replacementPath(path)); err != nil {
		return nil, errors.Join(err, file.Close()) // somebody takes it for a leftover, and has it removed
	}
	return &replacement{fs: fs, path: path, file: file}, nil
}

// lockAtPath locks the file, which must be the one at the path then.
func lockAtPath(file handle, path string) error {
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

// copyOwnerAndMode gives the file the owner, the group and the permissions of the old one.
func (s *replacement) copyOwnerAndMode(old handle) error {
	if err := s.file.CopyOwnerAndMode(old); err != nil {
		return fmt.Errorf("copying the owner and permissions of the old file: %w", err)
	}
	return nil
}

// install gives the file, which is synced, its name.
func (s *replacement) install() error {
	if err := s.fs.Rename(replacementPath(s.path), s.path); err != nil {
		return err
	}
	s.installed = true
	return nil
}

// discard removes the file unless it is in its place.
func (s *replacement) discard() error {
	if s.installed {
		return nil
	}
	return errors.Join(s.fs.Remove(replacementPath(s.path)), s.file.Close())
}

// removeStale removes a successor whose process ended before it was in its place.
//
// Errors: ErrLocked if it is of a process that has not ended.
func removeStale(system filesystem, path string) error {
	file, err := system.Open(replacementPath(path), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	same, err := file.IsAt(path) // a crash amid the renaming may leave both names, and then we have the lock
	if err == nil && !same {
		err = lockAtPath(file, replacementPath(path))
	}
	if err == nil {
		err = system.Remove(replacementPath(path))
	}
	return errors.Join(err, file.Close())
}
