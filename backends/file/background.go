package file

import "context"

// compactFrom is the size from which a journal is compacted in the background.
const compactFrom = 1 << 20

// compactInBackground starts to watch for waste.
func (b *Backend) compactInBackground() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.notBefore.Store(compactFrom)
	b.journal.turn <- struct{}{}
	defer func() { <-b.journal.turn }()
	if b.opts.compactRatio() >= 0 {
		b.journal.written = func() { b.compactIfWasteful(ctx) }
		b.compactIfWasteful(ctx)
	}
}

// compactIfWasteful starts a compaction if it is worth it. The caller has the turn.
func (b *Backend) compactIfWasteful(ctx context.Context) {
	if b.journal.end < b.notBefore.Load() || float64(b.journal.end) <= b.opts.compactRatio()*float64(b.journal.live) {
		return
	}
	select {
	case b.compacting <- struct{}{}:
	default:
		return
	}
	size := b.journal.end
	b.background.Go(func() {
		defer func() { <-b.compacting }()
		if err := b.compact(ctx); err != nil && ctx.Err() == nil {
			b.notBefore.Store(2 * size)
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
