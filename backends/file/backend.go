package file

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// Backend stores records in a file. Create one with [New]. A backend can be bound to one store only. It is safe for
// concurrent use once it is bound.
type Backend struct {
	path string
	opts Options
	fs   filesystem

	// The following fields are set by Bind.
	model   *core.Model
	store   *memtable.Store
	journal *journal

	compactLock    chan struct{} // holds one element during a compaction
	background     sync.WaitGroup
	stop           context.CancelFunc // cancels background compaction
	minCompactSize atomic.Int64       // size of the file below which background compaction does not start
	closing        sync.Once
	closeErr       error // the result of Close
}

var _ core.Backend = (*Backend)(nil)

// KeySource returns [core.DefaultKeySource].
func (b *Backend) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// New returns a backend for the file at the path. The file is opened, and created if it is missing, when [core.New]
// binds the backend to a model.
func New(path string, opts Options) *Backend { return newBackend(osFilesystem{}, path, opts) }

func newBackend(fs filesystem, path string, opts Options) *Backend {
	return &Backend{path: path, opts: opts, fs: fs, compactLock: make(chan struct{}, 1)}
}

var (
	errBound   = errors.New("file: the backend is already bound to a store; create one backend per store")
	errUnbound = errors.New("file: the backend is not bound; pass it to core.New first")
)

// Begin opens a transaction. A read-only transaction sees the committed state, which is on disk unless
// [Options.SyncEvery] delays that. A read-write transaction waits until no other one is open; with
// [core.BackendTxOptions.Single] that wait is part of its only operation. A commit waits for the disk even if its
// context ends.
//
// Errors: [core.ErrClosed]; the context's; [core.Unavailable] after a failed write or sync; an error if the backend is
// not bound.
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if b.journal == nil {
		return nil, errUnbound
	}
	return b.store.Begin(ctx, opts)
}

// Ping reports whether transactions can begin and commit.
//
// Errors: [core.ErrClosed]; the context's; [core.Unavailable] after a failed write or sync; an error if the backend is
// not bound.
func (b *Backend) Ping(ctx context.Context) error {
	if b.journal == nil {
		return errUnbound
	}
	return b.store.Ping(ctx)
}

// Close waits for the disk and closes the file. Transactions that are still open cannot commit any more and fail with
// [core.ErrClosed]. Closing again does nothing and returns the same error. A backend that is not bound has nothing to
// close.
//
// Errors: errors of the disk; an error if the open file is no longer at its path, so that opening the path would not
// find the committed records.
func (b *Backend) Close() error {
	if b.journal == nil {
		return nil
	}
	b.closing.Do(func() {
		b.stop()
		b.compactLock <- struct{}{}
		defer func() { <-b.compactLock }()
		b.background.Wait()
		b.store.Close()
		b.closeErr = b.journal.close(b.store.Positions())
	})
	return b.closeErr
}

// String returns the name of the backend in [core.Store.Describe].
func (b *Backend) String() string { return "file " + b.path }
