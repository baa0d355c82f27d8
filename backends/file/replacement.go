package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
	"github.com/larder-go/larder/core/seed"
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

// filePerm is the permission of a new file: it is nobody else's business.
const filePerm fs.FileMode = 0o600

// create makes a file of what a new one starts with.
func (b *Backend) create(ctx context.Context, path string, m *core.Model) error {
	records, err := seed.Records(m, b.opts.Data)
	if err != nil {
		return err
	}
	store := memtable.New(m, memtable.Content{Records: records}, nil)
	return createJournal(ctx, b.fs, path, sourceOf(m, store.Snapshot(), store.Positions()))
}

// createJournal writes a journal to a file that is not there yet. Whatever happens, it is
// not there afterwards or all of it is.
//
// Errors: errPresent, which is an [fs.ErrExist]; ErrLocked, or another [fs.ErrExist],
// while somebody else does the same.
func createJournal(ctx context.Context, system filesystem, path string, with journalSource) error {
	err := removeStale(system, path)
	if err != nil {
		return err
	}
	anew, err := newReplacement(system, path)
	if err != nil {
		return err
	}
	if err = anew.writeJournal(ctx, with); err == nil {
		err = checkAbsent(system, path) // who has locked the new file is the only one to create it
	}
	if err == nil {
		err = anew.install()
	}
	if err != nil {
		return errors.Join(err, anew.discard())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), anew.file.Close())
}

// writeJournal writes a journal to the file and syncs it.
func (s *replacement) writeJournal(ctx context.Context, with journalSource) error {
	out := bufio.NewWriterSize(&sequentialWriter{to: s.file}, writeBufferSize)
	w, err := newJournalWriter(out, with.schema)
	if err == nil {
		err = w.writeSource(ctx, with)
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = s.file.Sync()
	}
	return err
}

// errExists is the error of creating what is there.
var errExists = fmt.Errorf("cannot create the file: %w", fs.ErrExist)

// checkAbsent is errPresent if there is a file.
func checkAbsent(system filesystem, path string) error {
	file, err := system.Open(path, readOnly, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(fmt.Errorf("file: %s: %w", path, errExists), file.Close())
}
