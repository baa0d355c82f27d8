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
func (w *work) judge(ctx context.Context, f *core.Field, rec core.Record, written *core.Resource) error {
	if !f.HasWriteRule() || w.tables[f.Resource().Index()][rec.Key()].born {
		return nil
	}
	ok, err := w.writable(ctx, f, rec)
	if err != nil || ok {
		return err
	}
	return f.UpdateForbidden(written)
}

// writable asks the record, as the principal sees it, whether its field may change.
func (w *work) writable(ctx context.Context, f *core.Field, rec core.Record) (bool, error) {
	if !whole(rec) {
		return false, nil
	}
	seen, err := w.asSeen(ctx, rec)
	return err == nil && f.Writable(seen), err
}

// whole reports whether the record has every column.
func whole(rec core.Record) bool {
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
func (w *work) judgePartners(ctx context.Context, f *core.Field, keys []core.Value) error {
	if f == nil || !f.HasWriteRule() {
		return nil
	}
	s := w.engine.shapeOf(f.Resource())
	if slices.ContainsFunc(keys, core.Value.IsAbsent) {
		return f.UpdateForbidden(f.Target())
	}
	if err := w.fetch(ctx, s, keys); err != nil {
		return err
	}
	t := w.table(s)
	for _, key := range keys {
		at := t[key]
		if at.born {
			continue
		}
		if at.record.IsZero() {
			return f.UpdateForbidden(f.Target())
		}
		if err := w.judge(ctx, f, at.record, f.Target()); err != nil {
			return err
		}
	}
	return nil
}
