package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// ending says when the last operation of a resolver may end its transaction.
type finality uint8

const (
	neverFinal  finality = iota // more will follow
	finalIfSafe                 // after a write: only if nothing can fail afterwards
	alwaysFinal                 // nothing was written
)

// resolver builds views breadth-first: one operation for each relation on each
// level, however many records there are.
type viewBuilder struct {
	engine     *Engine
	tx         *core.Transaction // nil if the views need no operation
	finality   finality
	known      []identityMap // what is known already, by index of the resource; nil if nothing is
	remaining  budget
	overBudget bool // the answer would have exceeded the budget
	// lenient: the answer cannot be split into pages, so that its list sides show no
	// more than there is room for.
	truncate bool

	meter     func(bytes int) error // of the context; nil if there is none
	unmetered int                   // bytes that meter was not called for
	committed bool                  // a write was, so that nothing may fail any more
}

func (e *Engine) viewBuilder(tx *core.Transaction, ending finality) *viewBuilder {
	return &viewBuilder{engine: e, tx: tx, finality: ending, remaining: e.budget()}
}

// views shows the records, which are distinct, at the depth.
func (b *viewBuilder) views(ctx context.Context, info *resourceInfo, records []core.Record, depth int) ([]View, error) {
	b.meter, _ = ctx.Value(meterKey{}).(func(int) error)
	if depth > 1 {
		b.remember(info.resource, records)
	}
	b.truncate = b.truncate || len(records) == 1
	root := &nodeGroup{info: info}
	views := make([]View, len(records))
	for i, n := range root.nodesFor(records, depth == 0) {
		n.times = 1
		views[i] = View{n}
		if err := b.spend(1, 1, n.size); err != nil {
			return nil, err
		}
	}
	var err error
	for current := (level{root}); depth > 0 && len(current) > 0 && err == nil; depth-- {
		current, err = b.expandLevel(ctx, current, depth)
	}
	if err != nil {
		return nil, err
	}
	return views, nil
}

// view shows one record.
func (b *viewBuilder) view(ctx context.Context, info *resourceInfo, rec core.Record, depth int) (View, error) {
	views, err := b.views(ctx, info, []core.Record{rec}, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// compute fills the computed fields of the nodes.
func (b *viewBuilder) compute(ctx context.Context, g *nodeGroup) error {
	for _, shown := range g.info.computed {
		for _, n := range g.nodes {
			v, err := computed(ctx, shown.field, n.record)
			if err != nil {
				return err
			}
			n.parts[shown.part].value = v
			if err := b.spend(n.times, 0, v.JSONSize()); err != nil {
				return err
			}
		}
	}
	return nil
}

func computed(ctx context.Context, f *core.Field, rec core.Record) (core.Value, error) {
	raw, err := f.Computed().Get(ctx, rec)
	if err != nil {
		return core.Value{}, core.AsError(fmt.Errorf("computing %s: %w", f, err))
	}
	v, err := core.JSON.Convert(raw)
	if err != nil {
		return core.Value{}, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("computing %s: converting the %T that Get returned to JSON: %w", f, raw, err)}
	}
	return v, nil
}
