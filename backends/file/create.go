package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
	"github.com/larder-go/larder/core/seed"
)

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
