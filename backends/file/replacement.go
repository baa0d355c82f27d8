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

// replacementPath returns the path of the file that replaces the one at path. The name is reserved: an unlocked file
// there may be removed.
func replacementPath(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(dir, "."+name+".compacting")
}

// replacement is a new file that is written beside the one that it replaces. It is locked before it is renamed, so that
// no other process can lock the path in between.
type replacement struct {
	fs        filesystem
	path      string // of the replaced file
	file      handle
	installed bool
}

// newReplacement creates and locks the file, which must not exist.
func newReplacement(fs filesystem, path string) (*replacement, error) {
	file, err := fs.Open(replacementPath(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return nil, err
	}
	if err := lockAtPath(file, replacementPath(path)); err != nil {
		return nil, errors.Join(err, file.Close()) // another process considers it stale and has removed it
	}
	return &replacement{fs: fs, path: path, file: file}, nil
}

// lockAtPath locks the file, and returns ErrLocked if another file is at the path by then.
func lockAtPath(file handle, path string) error {
	err := file.Lock()
	if err != nil {
		return fmt.Errorf("%s %w", path, err)
	}
	atPath, err := file.IsAt(path)
	if err == nil && !atPath {
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

// install renames the file, which must be synced, to its final path.
func (s *replacement) install() error {
	if err := s.fs.Rename(replacementPath(s.path), s.path); err != nil {
		return err
	}
	s.installed = true
	return nil
}

// discard removes the file unless it was installed.
func (s *replacement) discard() error {
	if s.installed {
		return nil
	}
	return errors.Join(s.fs.Remove(replacementPath(s.path)), s.file.Close())
}

// removeStale removes a replacement whose process ended before installing it.
//
// Errors: ErrLocked if the process is still running.
func removeStale(system filesystem, path string) error {
	file, err := system.Open(replacementPath(path), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	same, err := file.IsAt(path) // a crash during the rename may leave both names of our locked file
	if err == nil && !same {
		err = lockAtPath(file, replacementPath(path))
	}
	if err == nil {
		err = system.Remove(replacementPath(path))
	}
	return errors.Join(err, file.Close())
}

// filePerm is the permission of a new file: only its owner has access.
const filePerm fs.FileMode = 0o600

// create creates the file with the initial data.
func (b *Backend) create(ctx context.Context, path string, m *core.Model) error {
	records, err := seed.Records(m, b.opts.Data)
	if err != nil {
		return err
	}
	store := memtable.New(m, memtable.Content{Records: records}, nil)
	return createJournal(ctx, b.fs, path, sourceOf(m, store.Snapshot(), store.Positions()))
}

// createJournal writes a journal to a new file. Afterwards the complete file exists, or none.
//
// Errors: errExists, which is an [fs.ErrExist]; ErrLocked, or another [fs.ErrExist], while another process does the
// same.
func createJournal(ctx context.Context, system filesystem, path string, with journalSource) error {
	err := removeStale(system, path)
	if err != nil {
		return err
	}
	newFile, err := newReplacement(system, path)
	if err != nil {
		return err
	}
	if err = newFile.writeJournal(ctx, with); err == nil {
		err = checkAbsent(system, path) // the lock on the replacement excludes other creators
	}
	if err == nil {
		err = newFile.install()
	}
	if err != nil {
		return errors.Join(err, newFile.discard())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), newFile.file.Close())
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

// errExists is returned for a file that exists already.
var errExists = fmt.Errorf("cannot create the file: %w", fs.ErrExist)

// checkAbsent returns errExists if a file is at the path.
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
