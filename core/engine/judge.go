package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// judge refuses to change a field of a record that does not let it change. The
// record is the one from before the change; one that was born in this
// transaction lets everything happen. One that a policy shows only in part cannot
// be asked, so it refuses. Written is the resource of which the client wrote a record.
func (w *writer) checkRule(ctx context.Context, f *core.Field, rec core.Record, written *core.Resource) error {
	if !f.HasWriteRule() || w.known[f.Resource().Index()][rec.Key()].created {
		return nil
	}
	ok, err := w.allowsWrite(ctx, f, rec)
	if err != nil || ok {
		return err
	}
	return f.UpdateForbidden(written)
}

// writable asks the record, as the principal sees it, whether its field may change.
func (w *writer) allowsWrite(ctx context.Context, f *core.Field, rec core.Record) (bool, error) {
	if !isComplete(rec) {
		return false, nil
	}
	visible, err := w.visibleRecord(ctx, rec)
	return err == nil && f.Writable(visible), err
}

// whole reports whether the record has every column.
func isComplete(rec core.Record) bool {
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			return false
		}
	}
	return true
}

// judgePartners judges the field of the records that gain or lose a partner by a
// change on the other side. One that the principal cannot see cannot be asked, so
// it refuses, and so does one whose key is absent because a policy hides whom the
// other side points at.
func (w *writer) checkPartnerRules(ctx context.Context, f *core.Field, keys []core.Value) error {
	if f == nil || !f.HasWriteRule() {
		return nil
	}
	info := w.engine.info(f.Resource())
	if slices.ContainsFunc(keys, core.Value.IsAbsent) {
		return f.UpdateForbidden(f.Target())
	}
	if err := w.loadUnknown(ctx, info, keys); err != nil {
		return err
	}
	m := w.knownOf(info)
	for _, key := range keys {
		known := m[key]
		if known.created {
			continue
		}
		if known.record.IsZero() {
			return f.UpdateForbidden(f.Target())
		}
		if err := w.checkRule(ctx, f, known.record, f.Target()); err != nil {
			return err
		}
	}
	return nil
}
