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
	if claimed, err := b.claim(old, resolved); err != nil {
		return err
	} else if !claimed {
		return fmt.Errorf("file: %s: %w", path, ErrLocked)
	}
	r, err := replay(ctx, resolved, old, b.opts.progress)
	if err != nil {
		return err
	}
	if _, err := r.content.shape.toModel(resolved); err != nil {
		return err
	}
	b.opts.tellTorn(resolved, r)
	return replaceWith(ctx, b.fs, resolved, old, r.content.source())
}

// replaceWith puts a journal of the source in the place of the old file.
func replaceWith(ctx context.Context, system filesystem, path string, old handle, with source) error {
	if err := removeLeftover(system, path); err != nil {
		return err
	}
	anew, err := newSuccessor(system, path)
	if err != nil {
		return err
	}
	if err = anew.takeOver(old); err == nil {
		err = anew.fill(ctx, with)
	}
	if err == nil {
		err = anew.place()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file: compacting %s: %w", path, err), anew.abandon())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), anew.file.Close())
}
