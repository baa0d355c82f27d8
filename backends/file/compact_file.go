package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Compact writes the file at the path anew with nothing in it but what is there now,
// without a model. The file must not be in use. When ctx ends before the new file has
// taken the place of the old one, nothing has changed. The logger is told of a broken
// end, which a crash left and which is not copied; nil means [slog.Default].
//
// Errors: those of [Backend.Bind] and [Backend.Compact].
func Compact(ctx context.Context, path string, logger *slog.Logger) error {
	b := New(path, Options{Logger: logger})
	resolved, err := b.fs.Resolve(path)
	if err != nil {
		return err
	}
	old, err := b.fs.Open(resolved, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer old.Close() //nolint:errcheck // nothing was written to it
	if claimed, err := b.lockFile(old, resolved); err != nil {
		return err
	} else if !claimed {
		return fmt.Errorf("file: %s: %w", path, ErrLocked)
	}
	r, err := replay(ctx, resolved, old, b.opts.progress)
	if err != nil {
		return err
	}
	if _, err := r.content.schema.toModel(resolved); err != nil {
		return err
	}
	b.opts.logTornEnd(resolved, r)
	return rewriteFile(ctx, b.fs, resolved, old, r.content.source())
}

// rewriteFile puts a journal of the source in the place of the old file.
func rewriteFile(ctx context.Context, system filesystem, path string, old handle, with journalSource) error {
	if err := removeStale(system, path); err != nil {
		return err
	}
	anew, err := newReplacement(system, path)
	if err != nil {
		return err
	}
	if err = anew.copyOwnerAndMode(old); err == nil {
		err = anew.writeJournal(ctx, with)
	}
	if err == nil {
		err = anew.install()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file: compacting %s: %w", path, err), anew.discard())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), anew.file.Close())
}
