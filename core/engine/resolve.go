package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// ending says when the last operation of a resolver may end its transaction.
type ending uint8

const (
	endNever  ending = iota // more will follow
	endSafely               // after a write: only if nothing can fail afterwards
	endAlways               // nothing was written
)

// resolver builds views breadth-first: one operation for each relation on each
// level, however many records there are.
type resolver struct {
	engine *Engine
	tx     *core.Transaction // nil if the views need no operation
	ending ending
	tables []table // what is known already, by index of the resource; nil if nothing is
	left   budget
	full   bool // the answer would have exceeded the budget
	// lenient: the answer cannot be split into pages, so that its list sides show no
	// more than there is room for.
	lenient bool

	meter     func(bytes int) error // of the context; nil if there is none
	unmetered int                   // bytes that meter was not called for
	committed bool                  // a write was, so that nothing may fail any more
}

func (e *Engine) resolver(tx *core.Transaction, ending ending) *resolver {
	return &resolver{engine: e, tx: tx, ending: ending, left: e.budget()}
}

// views shows the records, which are distinct, at the depth.
func (r *resolver) views(ctx context.Context, s *shape, records []core.Record, depth int) ([]View, error) {
	r.meter, _ = ctx.Value(meterKey{}).(func(int) error)
	if depth > 1 {
		r.read(s.resource, records)
	}
	r.lenient = r.lenient || len(records) == 1
	root := &group{shape: s}
	views := make([]View, len(records))
	for i, n := range root.admit(records, depth == 0) {
		n.times = 1
		views[i] = View{n}
		if err := r.take(1, 1, n.size); err != nil {
			return nil, err
		}
	}
	var err error
	for now := (level{root}); depth > 0 && len(now) > 0 && err == nil; depth-- {
		now, err = r.expand(ctx, now, depth)
	}
	if err != nil {
		return nil, err
	}
	return views, nil
}

// view shows one record.
func (r *resolver) view(ctx context.Context, s *shape, rec core.Record, depth int) (View, error) {
	views, err := r.views(ctx, s, []core.Record{rec}, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}
