package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// removal is the end of records and of everything that dies with them. It is
// worked out breadth-first, however long the chain, and before anything is
// written, because a record that dies has no say in what becomes of its fields.
type cascade struct {
	work          *writer
	pending       *pendingWrites
	deleted       []map[core.Value]core.Record // by index of the resource
	references    []danglingReference
	referrerCount int // records that depend on those that die
}

// loose is a record that points through the field at one that dies.
type danglingReference struct {
	field  *core.Field
	record core.Record
}

// front is the keys of records whose dependents are to be found, by index of the
// resource.
type frontier [][]core.Value

func (f frontier) notEmpty() bool {
	return slices.ContainsFunc(f, func(keys []core.Value) bool { return len(keys) > 0 })
}

// remove deletes the records that die by the moves, which are known, and drops the
// patches of those that die with them. With last, nothing follows in the transaction.
func (w *writer) cascadeDelete(ctx context.Context, pending *pendingWrites, last bool) error {
	c := cascade{work: w, pending: pending, deleted: make([]map[core.Value]core.Record, len(w.known))}
	next := make(frontier, len(w.known))
	for _, key := range pending.deletions {
		c.add(w.knownOf(pending.updates.info).record(key), next)
	}
	for next.notEmpty() {
		now := next
		next = make(frontier, len(w.known))
		if err := c.collect(ctx, now, next); err != nil {
			return err
		}
	}
	if err := c.checkRules(ctx); err != nil {
		return err
	}
	if err := c.detachReferrers(ctx); err != nil {
		return err
	}
	pending.updates.keys = slices.DeleteFunc(pending.updates.keys, func(key core.Value) bool {
		return c.deletes(pending.updates.info.resource.Index(), key)
	})
	return c.deleteRecords(ctx, last)
}

// doom adds a record to those that die.
func (c *cascade) add(rec core.Record, next frontier) {
	i := rec.Resource().Index()
	if c.deletes(i, rec.Key()) {
		return
	}
	if c.deleted[i] == nil {
		c.deleted[i] = make(map[core.Value]core.Record)
	}
	c.deleted[i][rec.Key()] = rec
	next[i] = append(next[i], rec.Key())
}

func (c *cascade) deletes(resource int, key core.Value) bool {
	_, dies := c.deleted[resource][key]
	return dies
}

// spread finds what points at the records of one front.
func (c *cascade) collect(ctx context.Context, now, next frontier) error {
	for i, keys := range now {
		if len(keys) == 0 {
			continue
		}
		for _, f := range c.work.engine.resources[i].resource.Referrers() {
			found, err := c.referrers(ctx, f, keys)
			if err != nil {
				return err
			}
			for _, rec := range found {
				if f.Cascade() && !c.pending.updates.repoints(f, rec) {
					c.add(rec, next)
				} else {
					c.references = append(c.references, danglingReference{f, rec})
				}
			}
		}
	}
	return nil
}

// dependents reads the records that point through f at one of the keys, of which there
// is a limit for all of the removal.
func (c *cascade) referrers(ctx context.Context, f *core.Field, keys []core.Value) ([]core.Record, error) {
	limit := c.work.engine.opts.MaxWritten
	found, _, err := c.work.referrers(ctx, f, keys, limit-c.referrerCount+1)
	if err != nil {
		return nil, err
	}
	if c.referrerCount += len(found); c.referrerCount > limit {
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("more than %d records depend on the records to delete; delete some of those first", limit)}
	}
	return found, nil
}

// judge asks the survivors: those that point at the dying, and those at which the
// dying point.
func (c *cascade) checkRules(ctx context.Context) error {
	for _, l := range c.references {
		if c.deletes(l.record.Resource().Index(), l.record.Key()) {
			continue
		}
		if err := c.work.checkRule(ctx, l.field, l.record, l.field.Target()); err != nil {
			return err
		}
	}
	for i, records := range c.deleted {
		info := c.work.engine.resources[i]
		if len(records) == 0 || !info.inverseRules {
			continue
		}
		for _, f := range info.resource.References() {
			if err := c.work.checkPartnerRules(ctx, f.Inverse(), c.keptTargets(f, records)); err != nil {
				return err
			}
		}
	}
	return nil
}

// survivors returns the keys that the dying records point at through f, of
// records that live on; an absent one for those that a policy hides.
func (c *cascade) keptTargets(f *core.Field, records map[core.Value]core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() && !c.deletes(f.Target().Index(), v) {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}

// detach empties the relations of survivors that point at the dying.
func (c *cascade) detachReferrers(ctx context.Context) error {
	all := make([]*updateSet, len(c.deleted))
	for _, l := range c.references {
		i := l.record.Resource().Index()
		if c.deletes(i, l.record.Key()) {
			continue
		}
		if all[i] == nil {
			all[i] = c.work.engine.resources[i].newUpdateSet()
		}
		all[i].set(l.record.Key(), l.field, core.Null)
	}
	for _, updates := range all {
		if updates == nil {
			continue
		}
		if err := c.work.update(ctx, updates); err != nil {
			return err
		}
	}
	return nil
}

// delete removes the dying, one resource after the other.
func (c *cascade) deleteRecords(ctx context.Context, last bool) error {
	order := slices.DeleteFunc(slices.Clone(c.work.engine.deletionOrder), func(i int) bool { return len(c.deleted[i]) == 0 })
	for at, i := range order {
		tx := c.work.tx
		if last && at == len(order)-1 {
			tx = c.work.tx.Final()
		}
		keys := slices.Collect(maps.Keys(c.deleted[i]))
		if err := c.work.delete(ctx, tx, c.work.engine.resources[i], keys); err != nil {
			return err
		}
	}
	return nil
}
