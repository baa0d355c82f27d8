package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// Bind opens, locks and reads the file for the model. [core.New] calls it. A broken end that a crash left is truncated,
// with a warning in the log. A file that another model wrote is rewritten if the model has a place for all of its data.
// Names of models are not compared, so that a program can rename its model: the resources and fields decide whether the
// data belongs to the model.
//
// Errors: [*CorruptError] for a damaged file; [ErrLocked] for a file that is already open; other errors for a path that
// is no regular file, a file that is no journal or has a newer format, data without a place in the model, and a backend
// that is already bound; errors of [seed.Records] for the data of a new file; errors of the operating system; the
// context's.
func (b *Backend) Bind(ctx context.Context, m *core.Model) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.journal != nil {
		return errBound
	}
	file, path, err := b.openLocked(ctx, m)
	if err != nil {
		return err
	}
	j := &journal{
		fs: b.fs, path: path, file: file, schema: schemaOf(m), syncEvery: b.opts.SyncEvery,
		logger: b.opts.logger(), writeLock: make(chan struct{}, 1), next: newBatch(),
		blockSizes: make([]int64, len(m.Stored())),
	}
	content, rewrite, err := b.load(ctx, j, m)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	b.model, b.journal, b.store = m, j, memtable.New(m, content, j)
	j.reserved = b.store.Positions()
	if rewrite {
		if err := b.compact(ctx); err != nil {
			b.journal = nil
			return errors.Join(err, j.file.Close())
		}
	}
	b.compactInBackground()
	return nil
}

// openLocked opens and locks the file, and creates it first if it is missing. It returns the resolved path.
func (b *Backend) openLocked(ctx context.Context, m *core.Model) (handle, string, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		path, err := b.fs.Resolve(b.path)
		if err != nil {
			return nil, "", err
		}
		file, err := b.fs.Open(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if err := b.create(ctx, path, m); err != nil && !errors.Is(err, errExists) {
				return nil, "", err
			}
			continue
		}
		if err != nil {
			return nil, "", err
		}
		locked, err := b.lockFile(file, path)
		if locked {
			return file, path, nil
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, "", err
		}
	}
}

// lockFile locks the file and makes its name durable, since the process that renamed it may have crashed before the
// sync of the directory. It returns false if another file is at the path by then, because a compaction has replaced
// this one.
func (b *Backend) lockFile(file handle, path string) (locked bool, err error) {
	if err := file.Lock(); err != nil {
		return false, fmt.Errorf("file: %s: %w", b.path, err)
	}
	if atPath, err := file.IsAt(path); err != nil || !atPath {
		return false, err
	}
	if err := b.fs.SyncDir(filepath.Dir(path)); err != nil {
		return false, fmt.Errorf("file: %s: syncing the directory: %w", b.path, err)
	}
	return true, nil
}

// load returns the initial content of the store, and whether the file must be rewritten.
func (b *Backend) load(ctx context.Context, j *journal, m *core.Model) (c memtable.Content, rewrite bool, err error) {
	r, err := replay(ctx, j.path, j.file, b.opts.progress)
	if err != nil {
		return c, false, err
	}
	if c, err = convertContent(r.content, m, b.opts.DropLost); err != nil {
		return c, false, fmt.Errorf("file: %s: %w", j.path, err)
	}
	rewrite, j.reserved = !r.content.schema.equal(j.schema), c.Positions
	j.wholeRecords.Store(r.content.schema.version < firstVersionWithSet)
	b.opts.logTornEnd(j.path, r)
	if err = j.resume(r); err == nil && !rewrite {
		err = j.writeSyncMarker(c.Positions)
	}
	if err != nil {
		return c, false, fmt.Errorf("file: %s: %w", j.path, err)
	}
	if err := removeStale(j.fs, j.path); err != nil { // only compaction needs the name
		j.logger.Warn("file: cannot remove the unfinished file of an earlier compaction; compaction fails until it is removed", "path", replacementPath(j.path), "error", err)
	}
	return c, rewrite, nil
}

// resume truncates the file after the last intact line and makes all of it durable. A sync may have failed for the part
// after the last synced position, or may never have happened. The page cache then shows data that is not on disk, but
// considers it clean and would not write it; so that part is written again.
func (j *journal) resume(r *replayResult) error {
	if r.torn != nil {
		if err := j.file.Truncate(r.end); err != nil {
			return err
		}
	}
	unsynced := io.NewSectionReader(j.file, r.synced, r.end-r.synced)
	if _, err := io.Copy(&sequentialWriter{to: j.file, end: r.synced}, unsynced); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.end, j.synced, j.number, j.liveBytes = r.end, r.end, r.number, r.content.liveBytes
	if r.marked {
		j.markedEnd = j.end
	}
	return nil
}
