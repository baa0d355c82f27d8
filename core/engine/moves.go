package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// moves is what becomes of records of one resource when a relation is set: they
// point somewhere else, or die if they are left without what they cannot live
// without.
type pendingWrites struct {
	updates   *updateSet
	deletions []core.Value
}

func newPendingWrites(info *resourceInfo) *pendingWrites {
	return &pendingWrites{updates: info.newUpdateSet()}
}

func (pending *pendingWrites) notEmpty() bool {
	return len(pending.updates.keys)+len(pending.deletions) > 0
}

// detach has a record lose what it points at through f.
func (w *writer) detachOrDelete(ctx context.Context, f *core.Field, rec core.Record, pending *pendingWrites) error {
	if f.Cascade() {
		pending.deletions = append(pending.deletions, rec.Key())
		return nil
	}
	if err := w.checkRule(ctx, f, rec, f.Target()); err != nil {
		return err
	}
	pending.updates.set(rec.Key(), f, core.Null)
	return nil
}

// settle writes what was collected. Those who die go first if others take what must
// be unique, because they may hold it.
func (w *writer) flush(ctx context.Context, pending *pendingWrites) error {
	first := pending.updates.setsUnique()
	if len(pending.deletions) > 0 && first {
		if err := w.cascadeDelete(ctx, pending, false); err != nil {
			return err
		}
	}
	if err := w.update(ctx, pending.updates); err != nil {
		return err
	}
	if len(pending.deletions) == 0 || first {
		return nil
	}
	return w.cascadeDelete(ctx, pending, false)
}
