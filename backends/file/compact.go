package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/core"
)

// Compact rewrites the file with the current records only. It returns when the new file has replaced the old one, or
// without effect if ctx ends earlier. Readers do not wait; writers wait while the latest transactions are copied. Only
// one compaction runs at a time.
//
// Errors: [core.ErrClosed]; the context's; errors of writing the new file, after which the old one is still in use;
// [core.Unavailable] if the directory cannot be synced or the open file is no longer at its path, after which the
// backend rejects writes; an error if the backend is not bound.
func (b *Backend) Compact(ctx context.Context) error {
	if b.journal == nil {
		return errUnbound
	}
	select {
	case b.compactLock <- struct{}{}:
		defer func() { <-b.compactLock }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.compact(ctx)
}

// compact runs a compaction. The caller holds compactLock.
func (b *Backend) compact(ctx context.Context) error {
	j := b.journal
	if err := j.Failed(); err != nil {
		return err
	}
	c, err := b.beginCompaction(ctx)
	if err != nil {
		return fmt.Errorf("file: compacting %s: %w", j.path, err)
	}
	if err := c.run(ctx, b); err != nil {
		return errors.Join(fmt.Errorf("file: compacting %s: %w", j.path, err), c.discard())
	}
	return nil
}

// compaction is the state of a running compaction.
type compaction struct {
	*replacement

	journal   *journal
	out       *bufio.Writer
	writer    *journalWriter
	copied    int64 // end of the copied part of the old file
	liveBytes int64 // of the old file at that position
	size      int64 // of the new file before the copy of later transactions
}

func (b *Backend) beginCompaction(ctx context.Context) (*compaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := b.journal
	if err := removeStale(j.fs, j.path); err != nil {
		return nil, err
	}
	newFile, err := newReplacement(j.fs, j.path)
	if err != nil {
		return nil, err
	}
	if err := newFile.copyOwnerAndMode(j.file); err != nil { // before writing, so that the owner of the old file can remove a stale one
		return nil, errors.Join(err, newFile.discard())
	}
	out := bufio.NewWriterSize(&sequentialWriter{to: newFile.file}, writeBufferSize)
	return &compaction{replacement: newFile, journal: j, out: out}, nil
}

// run writes the new file and installs it.
func (c *compaction) run(ctx context.Context, b *Backend) error {
	j := c.journal
	j.writeLock <- struct{}{}
	snapshot := b.store.Snapshot()
	positions := j.positions(b.store.Positions())
	c.copied, c.liveBytes = j.end, j.liveBytes
	<-j.writeLock

	var err error
	if c.writer, err = newJournalWriter(c.out, j.schema); err != nil {
		return err
	}
	if err := c.writer.writeSource(ctx, sourceOf(b.model, snapshot, positions)); err != nil {
		return err
	}
	c.size = c.writer.end
	if err := c.sync(); err != nil { // so that little is left to sync under the write lock
		return err
	}
	j.writeLock <- struct{}{}
	defer func() { <-j.writeLock }()
	if err := j.Failed(); err != nil {
		return err
	}
	if err := c.catchUp(j.end); err != nil {
		return err
	}
	return c.replace()
}

func (c *compaction) sync() error {
	if err := c.out.Flush(); err != nil {
		return err
	}
	return c.file.Sync()
}

// catchUp copies the lines that were appended to the old file since the snapshot.
func (c *compaction) catchUp(end int64) error {
	if c.copied == end {
		return nil
	}
	old := newLines(c.journal.file, c.copied, end)
	for {
		_, line, err := old.next()
		if errors.Is(err, io.EOF) {
			return c.sync()
		}
		if err != nil {
			return err
		}
		f, err := parseFrame(line)
		if err != nil {
			return err
		}
		if err := c.writer.writeLine(f.body); err != nil {
			return err
		}
	}
}

// replace installs the new file, which is synced, and continues in it once no crash can restore the old one.
func (c *compaction) replace() error {
	j := c.journal
	if err := j.checkPath(); errors.Is(err, errMoved) {
		j.rejectWrites(err)
		return &core.Error{Code: core.Unavailable, Cause: err}
	} else if err != nil { // perhaps temporary
		return err
	}
	if err := c.copyOwnerAndMode(j.file); err != nil { // again: they may have changed meanwhile
		return err
	}
	if err := c.install(); err != nil {
		return err
	}
	_ = j.file.Close() // the new file contains all of it
	if j.markedEnd = 0; c.copied == j.end {
		j.markedEnd = c.writer.end
	}
	j.file, j.end, j.synced, j.number = c.file, c.writer.end, c.writer.end, c.writer.number
	j.liveBytes += c.size - c.liveBytes
	j.wholeRecords.Store(false)
	if err := j.fs.SyncDir(filepath.Dir(j.path)); err != nil {
		j.rejectWrites(err)
		return &core.Error{Code: core.Unavailable, Cause: err}
	}
	return nil
}

// sequentialWriter writes to a file, starting at an offset.
type sequentialWriter struct {
	to  io.WriterAt
	end int64
}

func (s *sequentialWriter) Write(p []byte) (int, error) {
	n, err := s.to.WriteAt(p, s.end)
	s.end += int64(n)
	return n, err
}

// minBackgroundSize is the size of a journal above which it is compacted in the background.
const minBackgroundSize = 1 << 20

// compactInBackground enables background compaction, and starts one if it is due.
func (b *Backend) compactInBackground() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.minCompactSize.Store(minBackgroundSize)
	b.journal.writeLock <- struct{}{}
	defer func() { <-b.journal.writeLock }()
	if b.opts.compactRatio() >= 0 {
		b.journal.afterBatch = func() { b.compactIfWasteful(ctx) }
		b.compactIfWasteful(ctx)
	}
}

// compactIfWasteful starts a compaction if the journal exceeds the ratio. The caller holds the write lock.
func (b *Backend) compactIfWasteful(ctx context.Context) {
	if b.journal.end < b.minCompactSize.Load() || float64(b.journal.end) <= b.opts.compactRatio()*float64(b.journal.liveBytes) {
		return
	}
	select {
	case b.compactLock <- struct{}{}:
	default:
		return
	}
	size := b.journal.end
	b.background.Go(func() {
		defer func() { <-b.compactLock }()
		if err := b.compact(ctx); err != nil && ctx.Err() == nil {
			b.minCompactSize.Store(2 * size)
			b.journal.logger.Error("file: background compaction failed", "path", b.journal.path, "error", err)
		}
	})
}

// size returns the number of records.
func (b *Backend) size() (n int) {
	s := b.store.Snapshot()
	for _, r := range b.model.Stored() {
		n += s.Len(r)
	}
	return n
}

// Compact rewrites the file at the path with its current records only, without a model. The file must not be open
// elsewhere. If ctx ends before the new file replaces the old one, nothing changes. A broken end that a crash left is
// not copied and is logged as a warning; a nil logger means [slog.Default].
//
// Errors: the errors of [Backend.Bind] and [Backend.Compact].
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
	if locked, err := b.lockFile(old, resolved); err != nil {
		return err
	} else if !locked {
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

// rewriteFile replaces the old file by a journal of the source.
func rewriteFile(ctx context.Context, system filesystem, path string, old handle, with journalSource) error {
	if err := removeStale(system, path); err != nil {
		return err
	}
	newFile, err := newReplacement(system, path)
	if err != nil {
		return err
	}
	if err = newFile.copyOwnerAndMode(old); err == nil {
		err = newFile.writeJournal(ctx, with)
	}
	if err == nil {
		err = newFile.install()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file: compacting %s: %w", path, err), newFile.discard())
	}
	return errors.Join(system.SyncDir(filepath.Dir(path)), newFile.file.Close())
}
