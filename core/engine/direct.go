package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// canInsertAlone reports whether one operation does it all. For no records there is
// none, but policies shall be asked nevertheless.
func canInsertDirectly(info *resourceInfo, drafts []*draft) bool {
	for _, d := range drafts {
		if !d.batchable || d.namesRelated {
			return false
		}
	}
	return !info.inverseRules && len(drafts) > 0
}

func (e *Engine) insertDirectly(ctx context.Context, info *resourceInfo, drafts []*draft, depth int) ([]View, error) {
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
		return nil, batchError(drafts, err)
	}
	return e.committedViews(ctx, info, inserted, depth)
}

// updateAlone does it in one operation.
func (e *Engine) updateDirectly(ctx context.Context, d *draft, key core.Value, depth int) (View, error) {
	c := newChange(d.info, d.level)
	c.set(d.info.resource.Key(), key)
	for _, a := range d.assignments {
		c.set(a.field, a.value)
	}
	updated, err := e.store.Update(ctx, d.info.resource, d.info.resource.RecordOf(c.values))
	if err != nil {
		return View{}, err
	}
	views, err := e.committedViews(ctx, d.info, updated, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// written shows records that a single operation wrote and committed: as ids, if they
// take more bytes than an answer can have.
func (e *Engine) committedViews(ctx context.Context, info *resourceInfo, records []core.Record, depth int) ([]View, error) {
	b := e.viewBuilder(nil, neverFinal)
	b.committed = true
	views, err := b.views(ctx, info, records, depth)
	if !b.overBudget {
		return views, err
	}
	views = make([]View, len(records))
	for i, n := range (&nodeGroup{info: info}).nodesFor(records, true) {
		views[i] = View{n}
	}
	return views, nil
}

// alone reports whether a record at that depth shows nothing but itself. The ids of
// to-one relations are a part of it where no policy can hide what they lead to: what
// they lead to is there, as the backend makes sure.
func (e *Engine) needsNoReads(info *resourceInfo, depth int) bool {
	return depth == 0 || len(info.relations) == 0 || depth == 1 && info.storesAllIDs && !e.mayHide
}

// flat reports whether nothing can fail between reading a record and showing it
// at that depth.
func (e *Engine) viewCannotFail(info *resourceInfo, depth int) bool {
	return e.needsNoReads(info, depth) && (depth == 0 || len(info.computed) == 0)
}
