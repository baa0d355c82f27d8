package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// expand fills the parts of the nodes of a level, which are shown at the depth,
// and returns the next level.
func (r *resolver) expand(ctx context.Context, now level, depth int) (level, error) {
	var next level
	hops, err := r.hops(ctx, now, depth-1)
	if err != nil {
		return nil, err
	}
	for i := range hops {
		h := &hops[i]
		last := i == len(hops)-1 && (depth == 1 || depth == 2 && i == 0 && r.returns(h))
		records, err := r.follow(ctx, h, depth-1, last)
		switch {
		case refused(err):
			continue // the relation is not shown
		case err != nil:
			return nil, err
		}
		if depth > 1 && !last {
			r.read(h.slot.field.Target(), records)
		}
		h.open()
		if err := r.attach(h, records, depth-1, &next); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// read notes what a transaction that only reads was shown, so that it need not ask
// whether it is there when it comes upon its id again.
func (r *resolver) read(of *core.Resource, records []core.Record) {
	if r.ending != endAlways {
		return
	}
	if r.tables == nil {
		r.tables = make([]table, len(r.engine.shapes))
	}
	t := &r.tables[of.Index()]
	if *t == nil {
		*t = make(table, len(records))
	}
	t.read(records)
}

// returns reports whether the records that the hop leads to have no relations but
// the one back to where it starts, which are ids that have been read.
func (r *resolver) returns(h *hop) bool {
	f := h.slot.field
	if f.Stored() {
		return false
	}
	for _, at := range r.engine.shapeOf(f.Target()).relations {
		if at.field != f.Inverse() {
			return false
		}
	}
	return true
}

// hops fills the parts that need no operation and returns the hops that do.
func (r *resolver) hops(ctx context.Context, now level, depth int) ([]hop, error) {
	var hops []hop
	for _, g := range now {
		if err := compute(ctx, g); err != nil {
			return nil, err
		}
		for _, at := range g.shape.relations {
			h, err := newHop(g, at)
			if err != nil {
				return nil, err
			}
			records, known := r.known(&h, depth)
			if !known {
				hops = append(hops, h)
				continue
			}
			h.open()
			if err := r.attach(&h, records, depth, nil); err != nil {
				return nil, err
			}
		}
	}
	return hops, nil
}

// known returns the records that the hop leads to if that takes no operation:
// because there are none, or because their ids are enough and they were read in
// the same transaction.
func (r *resolver) known(h *hop, depth int) ([]core.Record, bool) {
	if len(h.keys) == 0 {
		return nil, true
	}
	f := h.slot.field
	if depth > 0 || r.tables == nil || !f.Stored() {
		return nil, false
	}
	return r.tables[f.Target().Index()].all(h.keys)
}

// follow reads the records that the hop leads to, ascending by key, as much of
// them as the depth shows and no more than the answer may hold.
func (r *resolver) follow(ctx context.Context, h *hop, depth int, last bool) ([]core.Record, error) {
	f := h.slot.field
	fields := r.engine.shapeOf(f.Target()).fields(depth)
	if f.Stored() {
		return r.load(ctx, h, fields, depth, last)
	}
	if fields != nil {
		fields = []string{fields[0], f.Inverse().Name()}
	}
	query := core.Query{Where: anyOf(f.Inverse(), h.keys), Fields: fields}
	if f.Many() {
		query.Limit = r.left + 1
	}
	page, err := r.session(f, depth, last).Select(ctx, f.Target(), query)
	if err == nil && page.Next != "" { // some may not count, if a policy hides what they point at
		err = r.engine.tooLarge()
	}
	return page.Records, err
}

// atOnce is how many records of stored ids are read at once, if an answer cannot hold
// more anyway.
const atOnce = 1000

// load reads the records whose ids the nodes' own records store. Of a list it is
// known only then which members are shown, and the others must not count.
func (r *resolver) load(ctx context.Context, h *hop, fields []string, depth int, last bool) (all []core.Record, _ error) {
	f := h.slot.field
	for left := h.keys; len(left) > 0; {
		n := min(len(left), max(atOnce, r.engine.opts.MaxRecords))
		records, err := r.session(f, depth, last && n == len(left)).Load(ctx, f.Target(), left[:n], fields...)
		if err != nil {
			return nil, err
		}
		if left = left[n:]; all == nil {
			all = records
		} else {
			all = slices.Concat(all, records)
		}
		if f.Many() && len(all) > r.left {
			return nil, r.engine.tooLarge()
		}
	}
	return all, nil
}

// session returns the one to use for a hop, which ends the transaction where
// that is safe.
func (r *resolver) session(f *core.Field, depth int, last bool) core.Session {
	cannotFail := depth == 0 && !f.Many()
	if last && (r.ending == endAlways || r.ending == endSafely && cannotFail) {
		return r.tx.Final()
	}
	return r.tx.Session
}

// anyOf matches the records whose field has one of the values.
func anyOf(f *core.Field, values []core.Value) core.Filter {
	if len(values) == 1 {
		return f.Compare(core.FilterEq, values...)
	}
	return f.Compare(core.FilterIn, values...)
}

// attach hangs the records below the nodes that they are related to.
func (r *resolver) attach(h *hop, records []core.Record, depth int, next *level) error {
	if len(records) == 0 {
		return nil
	}
	var nodes []*node
	if depth > 0 {
		nodes = next.of(r.engine.shapeOf(h.slot.field.Target())).admit(records, false)
	}
	many := h.slot.field.Many()
	for n, i := range h.pairs(records) {
		p := &n.parts[h.slot.part]
		switch {
		case depth > 0:
			p.nodes = append(p.nodes, nodes[i])
			nodes[i].times += n.times
		case many:
			p.ids = append(p.ids, records[i].Key())
		default:
			p.value = records[i].Key()
			continue
		}
		if err := r.take(n.times); err != nil {
			return err
		}
	}
	return nil
}
