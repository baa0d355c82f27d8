package file

import (
	"bufio"
	"context"
	"io"

	"github.com/larder-go/larder/core"
)

// Backup writes a journal to w that holds what is committed when it begins, and
// nothing of what is committed while it writes. It is compact, and [New] opens it.
// It waits for no writer and no writer for it, and it works when the file itself
// cannot be written any more.
//
// Errors: those of w; the context's; [core.ErrClosed].
func (b *Backend) Backup(ctx context.Context, w io.Writer) error {
	if _, err := b.Begin(ctx, core.BackendTxOptions{ReadOnly: true}); err != nil { // closed, or too late
		return err
	}
	snapshot := b.store.Snapshot()
	positions := b.journal.positions(b.store.Positions())
	out := bufio.NewWriterSize(w, writeBufferSize)
	anew, err := newJournalWriter(out, b.journal.schema)
	if err != nil {
		return err
	}
	if err := anew.writeSource(ctx, sourceOf(b.model, snapshot, positions)); err != nil {
		return err
	}
	return out.Flush()
}
