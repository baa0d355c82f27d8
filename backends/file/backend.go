package file

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// Backend stores records in a file. It is made by [New], and belongs to one store.
// Its methods may be called by several goroutines at once, once it does.
type Backend struct {
	path string
	opts Options
	fs   filesystem

	// Set by Bind.
	model   *core.Model
	store   *memtable.Store
	journal *journal

	compactLock    chan struct{} // holds one element during a compaction
	background     sync.WaitGroup
	stop           context.CancelFunc // of what runs in the background
	minCompactSize atomic.Int64       // size of the file below which compaction is not tried again
	closing        sync.Once
	closeErr       error // what Close returns
}

var _ core.Backend = (*Backend)(nil)

// KeySource is [core.DefaultKeySource].
func (b *Backend) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// New returns a backend for the file at the path, which is opened, and created if
// it is not there, when the backend is bound to a model by [core.New].
func New(path string, opts Options) *Backend { return newBackend(osFilesystem{}, path, opts) }

func newBackend(fs filesystem, path string, opts Options) *Backend {
	return &Backend{path: path, opts: opts, fs: fs, compactLock: make(chan struct{}, 1)}
}

var (
	errBound   = errors.New("file: the backend is already bound to a store; create one backend per store")
	errUnbound = errors.New("file: the backend is not bound; pass it to core.New first")
)

// Begin opens a transaction. A read-only one sees what is committed and, but for
// [Options.SyncEvery], on disk. Another one waits until it is the only one that
// writes; with [core.BackendTxOptions.Single] it waits in its one operation instead. Its
// commit waits for the disk whatever becomes of its context.
//
// Errors: [core.ErrClosed], the context's; [core.Unavailable] after a write or a
// sync failed.
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if b.journal == nil {
		return nil, errUnbound
	}
	return b.store.Begin(ctx, opts)
}

// Ping reports whether transactions can begin and be written.
//
// Errors: [core.ErrClosed], the context's; [core.Unavailable] after a write or a
// sync failed.
func (b *Backend) Ping(ctx context.Context) error {
	if b.journal == nil {
		return errUnbound
	}
	return b.store.Ping(ctx)
}

// Close waits for the disk and closes the file. Transactions that are open cannot
// commit any more: [core.ErrClosed]. To close it again does nothing, and returns the
// same.
//
// Errors: those of the disk; one that says that another file than that which was
// opened is at the path, or none, so that who opens it does not find what was
// committed.
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

// String names the backend in [core.Store.Describe].
func (b *Backend) String() string { return "file " + b.path }
