package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// Projections. A request may name the fields that its answer shows. The answer is then built with facts about the resource
// that are like those of the engine, but for the shown fields.

// look is the way in which an answer shows the records of a resource.
type look struct {
	info  *resourceInfo
	depth int
}

// look returns the look of an answer at the depth that shows only the named fields, which are API names, and paths
// over relations such as "jar.label"; nil shows all fields.
//
// Errors: [core.UnknownField] for a name that does not exist, or that the principal can read in no record;
// [core.BadParam] for too many or too long names, a repeated one, and paths beside a depth of 2 and more.
func (e *Engine) look(ctx context.Context, info *resourceInfo, names []string, depth int) (look, error) {
	if err := e.checkDepth(depth); err != nil || names == nil {
		return look{info, depth}, err
	}
	if len(names) > maxNamed {
		return look{}, &core.Error{Code: core.BadParam, Param: "fields", Accepted: fmt.Sprintf("at most %d names", maxNamed)}
	}
	if depth == 0 {
		return look{}, &core.Error{Code: core.BadParam, Param: "fields", Accepted: "no fields beside depth 0, which shows ids"}
	}
	levels := 1
	for _, name := range names {
		levels = max(levels, 1+strings.Count(name, "."))
	}
	if levels > 1 && depth > 1 {
		return look{}, &core.Error{Code: core.BadParam, Param: "depth", Accepted: "no depth beside paths in fields"}
	}
	if err := e.checkDepth(levels); err != nil {
		return look{}, &core.Error{Code: core.BadParam, Param: "fields", Accepted: fmt.Sprintf("paths of at most %d names", e.opts.MaxDepth)}
	}
	projected, err := e.project(ctx, info, names, levels > 1)
	return look{projected, max(depth, levels)}, err
}

// maxNamed is the greatest number of names that a request may show.
const maxNamed = 200

// project returns the facts for an answer with the named fields. bare shows the relations that no path goes through as ids.
func (e *Engine) project(ctx context.Context, info *resourceInfo, names []string, bare bool) (*resourceInfo, error) {
	inner := make(map[string][]string) // names after the first one of a path
	for i, name := range names {
		first, rest, isPath := strings.Cut(name, ".")
		before, again := inner[first]
		if slices.Contains(names[:i], name) || again && isPath == (before == nil) {
			return nil, &core.Error{Code: core.BadParam, Param: "fields", Accepted: "each name once, and no relation beside paths over it"}
		}
		if inner[first] = before; isPath {
			inner[first] = append(before, rest)
		}
	}
	p := *info
	p.shown, p.named = nil, names
	for _, shown := range info.showable() {
		rest, named := inner[shown.field.APIName()]
		if !named {
			continue
		}
		delete(inner, shown.field.APIName())
		if err := e.checkReadable(ctx, info, shown.field); err != nil {
			return nil, err
		}
		switch {
		case rest == nil:
			shown.bare = bare
		case shown.field.Target() == nil:
			return nil, info.unknownField(shown.field.APIName() + "." + rest[0])
		default:
			var err error
			if shown.target, err = e.project(ctx, e.info(shown.field.Target()), rest, bare); err != nil {
				return nil, err
			}
		}
		p.shown = append(p.shown, shown)
	}
	for _, name := range names {
		first, _, _ := strings.Cut(name, ".")
		if _, unknown := inner[first]; unknown {
			return nil, info.unknownField(name)
		}
	}
	p.sumUp()
	p.setColumns()
	return &p, nil
}

// checkReadable returns [core.UnknownField] if the principal can read the shown field in no record.
func (e *Engine) checkReadable(ctx context.Context, info *resourceInfo, f *core.Field) error {
	stored := f
	switch {
	case !e.mayHide || f.Computed() != nil:
		return nil
	case !f.Stored():
		stored = ownerField(f)
	}
	err := e.querier().CheckReadable(ctx, stored)
	if errors.Is(err, core.UnknownField) {
		return info.unknownField(f.APIName())
	}
	return err
}
