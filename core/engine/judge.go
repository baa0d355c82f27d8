package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// judge refuses to change a field of a record that does not let it change. The
// record is the one from before the change; one that was born in this
// transaction lets everything happen.
func (w *work) judge(f *core.Field, rec core.Record) error {
	if !f.Restricted() || w.tables[f.Resource().Index()][rec.Key()].born || f.Writable(rec) {
		return nil
	}
	return updateForbidden(f)
}

// updateForbidden names the field, or the visible side of its pair if it is
// hidden.
func updateForbidden(f *core.Field) error {
	refused := &core.Error{Code: core.FieldUpdateForbidden, Resource: f.Resource().External(), Field: f.External()}
	if !f.Hidden() {
		return refused
	}
	refused.Field = ""
	if other := f.Inverse(); other != nil && !other.Hidden() {
		refused.Resource, refused.Field = other.Resource().External(), other.External()
	}
	return refused
}

// judgePartners judges the field of the records that gain or lose a partner by a
// change on the other side. One that the principal cannot see cannot be asked,
// so it refuses.
func (w *work) judgePartners(ctx context.Context, f *core.Field, keys []core.Value) error {
	if f == nil || !f.Restricted() {
		return nil
	}
	s := w.engine.shapeOf(f.Resource())
	if err := w.fetch(ctx, s, keys); err != nil {
		return err
	}
	t := w.table(s)
	for _, key := range keys {
		at := t[key]
		if !at.born && (at.record.IsZero() || !f.Writable(at.record)) {
			return updateForbidden(f)
		}
	}
	return nil
}
