package file

import "context"

// minBackgroundSize is the size from which a journal is compacted in the background.
const minBackgroundSize = 1 << 20

// compactInBackground starts to watch for waste.
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

// compactIfWasteful starts a compaction if it is worth it. The caller has the turn.
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
	for _, r := range b.model.Resources() {
		n += s.Len(r)
	}
	return n
}
