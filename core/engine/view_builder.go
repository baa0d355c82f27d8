package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// finality determines whether the last operation of a view builder may also end its transaction.
type finality uint8

const (
	neverFinal  finality = iota // more operations follow
	finalIfSafe                 // after a write: only if no later step can fail
	alwaysFinal                 // nothing was written
)

// viewBuilder builds views level by level, with one operation for each relation of a level, however many records
// there are.
type viewBuilder struct {
	engine     *Engine
	tx         *core.Transaction // nil if the views need no operation, see [Engine.needsNoReads]
	finality   finality
	known      []identityMap           // records read so far, by index of the resource; may be nil
	readsAll   map[*core.Resource]bool // answers of [core.Transaction.ReadsAll]
	remaining  budget
	overBudget bool // the answer would exceed a bound
	// truncate: the answer has no pages, so list sides are shortened to the room that is left.
	truncate bool

	meter     func(bytes int) error // from the context, may be nil
	unmetered int                   // bytes not yet reported to meter
	committed bool                  // a write is committed, so no error may follow
}

func (e *Engine) viewBuilder(tx *core.Transaction, ending finality) *viewBuilder {
	if e.inTx != nil {
		ending = neverFinal
	}
	return &viewBuilder{engine: e, tx: tx, finality: ending, remaining: e.budget()}
}

// showsIDs reports whether ids of the resource are shown without a read, because the principal reads all of its records.
func (b *viewBuilder) showsIDs(ctx context.Context, target *core.Resource) (bool, error) {
	if b.tx == nil {
		return true, nil
	}
	all, asked := b.readsAll[target]
	if asked {
		return all, nil
	}
	all, err := b.tx.ReadsAll(ctx, target)
	if err != nil {
		return false, err
	}
	if b.readsAll == nil {
		b.readsAll = make(map[*core.Resource]bool)
	}
	b.readsAll[target] = all
	return all, nil
}

// views returns the views of the records, which must be distinct, at the depth.
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

// view returns the view of one record.
func (b *viewBuilder) view(ctx context.Context, info *resourceInfo, rec core.Record, depth int) (View, error) {
	views, err := b.views(ctx, info, []core.Record{rec}, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// compute sets the computed fields of the nodes.
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
		return core.Value{}, functionError(fmt.Errorf("computing %s: %w", f, err))
	}
	v, err := core.JSON.Convert(raw)
	if err != nil {
		return core.Value{}, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("computing %s: converting the %T that Get returned to JSON: %w", f, raw, err)}
	}
	return v, nil
}

// functionError returns the error of a function of the model as described at [core.Computed]. The cause of a bare code is
// only its text, so that [errors.Is] does not find the code.
func functionError(err error) error {
	_, detailed := errors.AsType[*core.Error](err)
	if _, bare := errors.AsType[core.Code](err); bare && !detailed {
		return &core.Error{Code: core.ServerError, Cause: errors.New(err.Error())}
	}
	return core.AsError(err)
}
