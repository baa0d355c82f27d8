package engine

import (
	"context"
	"slices"

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

// patches are changes to records of one resource, one for each record.
type updateSet struct {
	info   *resourceInfo
	keys   []core.Value
	values map[core.Value][]core.Value
	reset  []*core.Field // see [core.Op.Reset]
}

func (info *resourceInfo) newUpdateSet() *updateSet {
	return &updateSet{info: info, values: make(map[core.Value][]core.Value)}
}

// set adds the change of one field of a record.
func (updates *updateSet) set(key core.Value, f *core.Field, v core.Value) {
	values := updates.values[key]
	if values == nil {
		values = make([]core.Value, len(updates.info.resource.Columns()))
		values[updates.info.resource.Key().Column()] = key
		updates.add(key, values)
	}
	values[f.Column()] = v
}

// put adds a change that is complete, of a record that has none yet.
func (updates *updateSet) add(key core.Value, values []core.Value) {
	updates.keys = append(updates.keys, key)
	updates.values[key] = values
}

func (updates *updateSet) records() []core.Record {
	records := make([]core.Record, len(updates.keys))
	for i, key := range updates.keys {
		records[i] = updates.info.resource.RecordOf(updates.values[key])
	}
	return records
}

// takes reports whether a record is given what only one can have.
func (updates *updateSet) setsUnique() bool {
	return slices.ContainsFunc(updates.keys, func(key core.Value) bool {
		return slices.ContainsFunc(updates.info.resource.Uniques(), func(f *core.Field) bool {
			return updates.values[key][f.Column()].IsSet()
		})
	})
}

// moves reports whether the record is to point at something else through f.
func (updates *updateSet) repoints(f *core.Field, rec core.Record) bool {
	values := updates.values[rec.Key()]
	if f.Resource() != updates.info.resource || values == nil {
		return false
	}
	v := values[f.Column()]
	return !v.IsAbsent() && v != rec.At(f.Column())
}

func (w *writer) insertChanges(ctx context.Context, info *resourceInfo, changes []*change) ([]core.Record, error) {
	pending := newPendingWrites(info)
	records := make([]core.Record, len(changes))
	for i, c := range changes {
		if err := w.detachHolders(ctx, c, pending); err != nil {
			return nil, err
		}
		records[i] = info.resource.RecordOf(c.values)
	}
	if err := w.flush(ctx, pending); err != nil {
		return nil, err
	}
	inserted, err := w.insert(ctx, info, records)
	if err != nil {
		return nil, err
	}
	return inserted, w.checkInsertRules(ctx, info, inserted)
}

// save writes the columns of a change. Those that a client named are written
// even if they hold the same value already, so that whether a policy is asked
// does not depend on the data; what is restricted is asked only for true changes.
func (w *writer) saveColumns(ctx context.Context, c *change) error {
	if !c.writesColumns() {
		return nil
	}
	if err := w.checkColumnRules(ctx, c); err != nil {
		return err
	}
	pending := newPendingWrites(c.info)
	if err := w.detachHolders(ctx, c, pending); err != nil {
		return err
	}
	pending.updates.add(c.key(), c.values)
	pending.updates.reset = c.resetFields()
	if err := w.flush(ctx, pending); err != nil {
		return err
	}
	return w.checkResetRules(ctx, c)
}
