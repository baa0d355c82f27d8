package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// pendingWrites are updates and deletions of records of one resource that one step of a write collects, so that
// they take few operations: one for the deletions, and one for each part of the updates (update_parts.go).
type pendingWrites struct {
	updates   *updateSet
	deletions []core.Value
	ruled     *core.Field // list through the resource whose write rule has been checked; nil for other writes
}

func newPendingWrites(info *resourceInfo) *pendingWrites {
	return &pendingWrites{updates: info.newUpdateSet()}
}

func (pending *pendingWrites) notEmpty() bool {
	return len(pending.updates.keys)+len(pending.deletions) > 0
}

// flush writes the pending writes. Deletions come first if an update sets a unique field, because a deleted record
// may hold that value.
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

// updateSet holds changes to records of one resource, one change for each record.
type updateSet struct {
	info   *resourceInfo
	keys   []core.Value
	values map[core.Value][]core.Value
	reset  []*core.Field // see [core.Op.Reset]
	own    core.Value    // key of the record that has the fields of the body at path; other records are related to it
	path   []any
	same   bool // every record has the fields of the body
}

func (info *resourceInfo) newUpdateSet() *updateSet {
	return &updateSet{info: info, values: make(map[core.Value][]core.Value)}
}

// set adds the change of one field.
func (updates *updateSet) set(key core.Value, f *core.Field, v core.Value) {
	values := updates.values[key]
	if values == nil {
		values = make([]core.Value, len(updates.info.resource.Columns()))
		values[updates.info.resource.Key().Column()] = key
		updates.add(key, values)
	}
	values[f.Column()] = v
}

// point makes the record point at the key, or at no record if v is null. The record has its references and their parts.
//
// Errors: [core.FieldUpdateForbidden] for null in a relation that cannot be detached; [core.BadFieldValue] for a key that
// differs in a field which belongs to other relations, too.
func (updates *updateSet) point(rec core.Record, f *core.Field, v core.Value) error {
	if v.IsNull() && !f.Detachable() {
		return f.UpdateForbidden(f.Target())
	}
	updates.set(rec.Key(), f, v)
	return setOwnParts(updates.values[rec.Key()], rec, f)
}

// add adds the complete change of a record that is not in the set yet.
func (updates *updateSet) add(key core.Value, values []core.Value) {
	updates.keys = append(updates.keys, key)
	updates.values[key] = values
}

func (updates *updateSet) records() []core.Record {
	records := make([]core.Record, len(updates.keys))
	for i, key := range updates.keys {
		values := updates.values[key]
		if len(updates.info.via) > 0 {
			values = slices.Clone(values)
		}
		for _, f := range updates.info.via {
			values[f.Column()] = core.Value{} // the update sets the parts
		}
		records[i] = updates.info.resource.RecordOf(values)
	}
	return records
}

// setsUnique reports whether the set gives a unique field a value, or changes a field that a unique index depends on.
func (updates *updateSet) setsUnique() bool {
	r := updates.info.resource
	if len(updates.keys) > 0 && slices.ContainsFunc(r.Indexes(), func(x *core.Index) bool { return x.Unique }) {
		return true
	}
	return slices.ContainsFunc(updates.keys, func(key core.Value) bool {
		return slices.ContainsFunc(r.Uniques(), func(f *core.Field) bool {
			return updates.values[key][f.Column()].IsSet()
		})
	})
}

// repoints reports whether the set makes the record point at another record through f.
func (updates *updateSet) repoints(f *core.Field, rec core.Record) bool {
	values := updates.values[rec.Key()]
	if f.Resource() != updates.info.resource || values == nil {
		return false
	}
	v := values[f.Column()]
	return !v.IsAbsent() && v != rec.At(f.Column())
}

// insertChanges inserts the records of the changes in one operation, and notes their keys. ruled is as in pendingWrites.
func (w *writer) insertChanges(ctx context.Context, changes []*change, ruled *core.Field) error {
	info := changes[0].info
	pending := newPendingWrites(info)
	records := make([]core.Record, len(changes))
	for i, c := range changes {
		if err := w.deriveRelations(ctx, c); err != nil {
			return err
		}
		records[i] = info.resource.RecordOf(c.values)
		if err := w.detachHolders(ctx, c, pending); err != nil {
			return err
		}
	}
	if err := w.flush(ctx, pending); err != nil {
		return err
	}
	inserted, err := w.insert(ctx, info, records)
	if err != nil {
		return located(err, info.resource, func(n int) ([]any, bool) { return changes[n].path, true })
	}
	for i, rec := range inserted {
		changes[i].set(info.resource.Key(), rec.Key())
	}
	return w.checkInsertRules(ctx, info, ruled, inserted)
}

// saveColumns writes the columns of a change. It writes every column that the client named, even with an unchanged
// value, so that policies decide independently of the data. Write rules are checked for real changes only.
func (w *writer) saveColumns(ctx context.Context, c *change) error {
	if !c.writesColumns() {
		return nil
	}
	if err := w.deriveRelations(ctx, c); err != nil {
		return err
	}
	if err := w.checkColumnRules(ctx, c); err != nil {
		return err
	}
	pending := newPendingWrites(c.info)
	if err := w.detachHolders(ctx, c, pending); err != nil {
		return err
	}
	pending.updates.own, pending.updates.path = c.key(), c.path
	pending.updates.add(c.key(), c.values)
	pending.updates.reset = c.resetFields()
	if err := w.flush(ctx, pending); err != nil {
		return err
	}
	return w.checkResetRules(ctx, c)
}

// locate returns the path of a record of the set, see [located].
func (updates *updateSet) locate(record int) (path []any, own bool) {
	return updates.path, updates.same || record >= 0 && updates.keys[record] == updates.own
}
