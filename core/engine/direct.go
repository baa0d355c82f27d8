package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// A request that is one operation needs no transaction around it, which saves round trips to the backend; in a transaction
// that several requests share there is nothing to save. For every
// request below, the view must need no further reads: depth 0, no relations, or depth 1 with stored to-one relations
// only, to resources of which the principal reads all records (needsNoReads).
//
//	request  is one operation if also
//	Get      -
//	List     filter and sort need no related records, and one chunk is enough
//	Create   no Match; no computed fields in the view; no setter, no related records in the bodies;
//	         no write rule on the inverse of a reference; at least one body
//	Update   no Match; no computed fields in the view; no setter, no related records, no merge patch, no field
//	         with a write rule and none that a client cannot set in the body; at least one field
//
//	Delete   (no view) no Match; no write rule on the inverse of a reference; no references to this resource

// canInsertDirectly reports whether one insert is the whole request. An empty list is not, because policies must
// decide about it all the same.
func (e *Engine) canInsertDirectly(ctx context.Context, info *resourceInfo, drafts []*draft, opts Write) (bool, error) {
	for _, d := range drafts {
		if !d.batchable || d.namesRelated {
			return false, nil
		}
	}
	if e.inTx != nil || opts.Match != nil || info.inverseRules || len(drafts) == 0 {
		return false, nil
	}
	return e.viewCannotFail(ctx, opts.after.info, opts.after.depth)
}

// canUpdateDirectly reports whether one update is the whole request. An empty body is not, because the record must
// exist.
func (e *Engine) canUpdateDirectly(ctx context.Context, d *draft, opts Write) (bool, error) {
	plain := d.batchable && !d.namesRelated && !d.needsBefore
	if e.inTx != nil || opts.Match != nil || !plain || len(d.assignments) == 0 {
		return false, nil
	}
	return e.viewCannotFail(ctx, opts.after.info, opts.after.depth)
}

// canDeleteDirectly reports whether one delete is the whole request.
func (e *Engine) canDeleteDirectly(info *resourceInfo, opts Write) bool {
	return e.inTx == nil && opts.Match == nil && !info.inverseRules && len(info.resource.Referrers()) == 0
}

// insertDirectly writes the records with one operation, outside of a transaction.
func (e *Engine) insertDirectly(ctx context.Context, info *resourceInfo, drafts []*draft, shown look) ([]View, error) {
	records := make([]core.Record, len(drafts))
	for i, d := range drafts {
		c := newChange(info, d.level)
		for _, a := range d.assignments {
			c.set(a.field, a.value)
		}
		records[i] = info.resource.RecordOf(c.values)
	}
	inserted, err := e.store.Insert(ctx, info.resource, records...)
	if err != nil {
		err = located(err, info.resource, func(n int) ([]any, bool) { return drafts[n].path, true })
		return nil, batchError(drafts, err)
	}
	return e.committedViews(ctx, inserted, shown)
}

// updateDirectly writes one record with one operation, outside of a transaction.
func (e *Engine) updateDirectly(ctx context.Context, d *draft, key core.Value, shown look) (View, error) {
	c := newChange(d.info, d.level)
	c.set(d.info.resource.Key(), key)
	for _, a := range d.assignments {
		c.set(a.field, a.value)
	}
	updated, err := e.store.Update(ctx, d.info.resource, d.info.resource.RecordOf(c.values))
	if err != nil {
		return View{}, located(err, d.info.resource, func(int) ([]any, bool) { return nil, true })
	}
	views, err := e.committedViews(ctx, updated, shown)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// committedViews returns the views of records that a single operation wrote and committed. An error is impossible
// after the commit, so records that exceed the bounds of an answer are shown as their ids.
func (e *Engine) committedViews(ctx context.Context, records []core.Record, shown look) ([]View, error) {
	b := e.viewBuilder(nil, neverFinal)
	b.committed = true
	views, err := b.views(ctx, shown.info, records, shown.depth)
	if !b.overBudget {
		return views, err
	}
	views = make([]View, len(records))
	for i, n := range (&nodeGroup{info: shown.info}).nodesFor(records, true) {
		views[i] = View{n}
	}
	return views, nil
}

// needsNoReads reports whether the view of a record at that depth needs no related records. The ids of stored
// to-one relations are part of the record. They are shown without a read if the principal reads all records of their
// targets.
func (e *Engine) needsNoReads(ctx context.Context, info *resourceInfo, depth int) (bool, error) {
	return info.needsNoReads(depth, func(target *core.Resource) (bool, error) { return e.querier().ReadsAll(ctx, target) })
}

// needsNoReads is [Engine.needsNoReads] with the function that reports whether the principal reads all records of a
// resource.
func (info *resourceInfo) needsNoReads(depth int, readsAll func(target *core.Resource) (bool, error)) (bool, error) {
	switch {
	case depth == 0 || len(info.relations) == 0:
		return true, nil
	case depth > 1 || !info.storesAllIDs:
		return false, nil
	}
	for _, target := range info.targets {
		if all, err := readsAll(target); err != nil || !all {
			return false, err
		}
	}
	return true, nil
}

// viewCannotFail reports whether no step between reading a record and showing it at that depth can fail.
func (e *Engine) viewCannotFail(ctx context.Context, info *resourceInfo, depth int) (bool, error) {
	if depth > 0 && len(info.computed) > 0 {
		return false, nil
	}
	return e.needsNoReads(ctx, info, depth)
}
