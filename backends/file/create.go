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
	return writeNew(ctx, b.fs, path, sourceOf(m, store.Snapshot(), store.Positions()))
}

// writeNew writes a journal to a file that is not there yet. Whatever happens, it is
// not there afterwards or all of it is.
//
// Errors: errPresent, which is an [fs.ErrExist]; ErrLocked, or another [fs.ErrExist],
// while somebody else does the same.
func writeNew(ctx context.Context, system filesystem, path string, with source) error {
	err := removeLeftover(system, path)
	if err != nil {
		return err
	}
	anew, err := newSuccessor(system, path)
	if err != nil {
		return err
	}
	if err = anew.fill(ctx, with); err == nil {
		err = absent(system, path) // who has locked the new file is the only one to create it
	}
	if err == nil {
		err = anew.place()
	}
	if err != nil {
		return errors.Join(err, anew.abandon())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), anew.file.Close())
}

// fill writes a journal to the file and syncs it.
func (s *successor) fill(ctx context.Context, with source) error {
	out := bufio.NewWriterSize(&sequentially{to: s.file}, writeBehind)
	w, err := newWriter(out, with.shape)
	if err == nil {
		err = w.all(ctx, with)
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = s.file.Sync()
	}
	return err
}

// errPresent is the error of creating what is there.
var errPresent = fmt.Errorf("cannot create the file: %w", fs.ErrExist)

// absent is errPresent if there is a file.
func absent(system filesystem, path string) error {
	file, err := system.Open(path, readOnly, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(fmt.Errorf("file: %s: %w", path, errPresent), file.Close())
}
