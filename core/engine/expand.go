package engine

import (
	"context"

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
		if Continues(h.slot.field) {
			err = r.attachMembers(ctx, h, records, depth-1, &next)
		} else {
			err = r.attach(h, records, depth-1, &next)
		}
		if err != nil {
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
		if err := r.compute(ctx, g); err != nil {
			return nil, err
		}
		for _, at := range g.shape.relations {
			if depth == 0 && at.holdsID() && !r.engine.policed {
				if err := r.showIDs(g, at); err != nil {
					return nil, err
				}
				continue
			}
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

// showIDs shows to-one relations as the ids that the records store.
func (r *resolver) showIDs(g *group, at *slot) error {
	for _, n := range g.nodes {
		v := n.record.At(at.field.Column())
		if !v.IsSet() {
			continue
		}
		n.parts[at.part].value = v
		if err := r.take(n.times, 0, v.JSONSize()+1); err != nil {
			return err
		}
	}
	return nil
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
	if Continues(f) {
		return r.members(ctx, h, fields, depth, last)
	}
	query := core.Query{Where: anyOf(f.Inverse(), h.keys), Fields: fields}
	switch {
	case f.Many():
		query.Limit = r.left.records + 1
	case len(h.keys) > firstChunk:
		query.Limit = len(h.keys) // as many as there can be
	}
	querier, final := r.querier(f, depth, last)
	c := chunks{shape: r.engine.shapeOf(f.Target()), querier: querier, final: final, bare: depth == 0, bytes: r.left.bytes}
	page, err := c.read(ctx, query)
	if err == nil && page.Next != "" { // some may not count, if a policy hides what they point at
		err = r.exceeded(len(page.Records))
	}
	return page.Records, err
}

// exceeded is the error of a relation of which an answer cannot hold more records
// than those that were read.
func (r *resolver) exceeded(records int) error {
	r.full = true
	if records > r.left.records {
		return tooLarge("hold more than %d records", r.engine.opts.MaxRecords)
	}
	return tooLarge("have more than %d bytes", r.engine.opts.MaxBytes)
}

// load reads the records whose ids the nodes' own records store. Of a list it is
// known only then which members are shown, and the others must not count.
func (r *resolver) load(ctx context.Context, h *hop, fields []string, depth int, last bool) (all []core.Record, _ error) {
	f := h.slot.field
	s := r.engine.shapeOf(f.Target())
	chunk, size := firstChunk, 0
	if depth == 0 {
		chunk = max(largestChunk, r.engine.opts.MaxRecords)
	}
	for left := h.keys; len(left) > 0; {
		n := min(len(left), chunk)
		querier, _ := r.querier(f, depth, last && n == len(left))
		records, err := querier.Load(ctx, f.Target(), left[:n], fields...)
		if err != nil {
			return nil, err
		}
		if left = left[n:]; all == nil && len(left) == 0 {
			return records, r.fits(f, len(records), 0)
		}
		for _, rec := range records {
			size += s.sizeOf(rec, depth == 0)
		}
		all = append(all, records...)
		if err := r.fits(f, len(all), size); err != nil {
			return nil, err
		}
		chunk = nextChunk(len(all), size, r.left.bytes-size)
	}
	return all, nil
}

// fits checks that the answer can hold the records of a relation, each at least once.
func (r *resolver) fits(f *core.Field, records, size int) error {
	if f.Many() && records > r.left.records || size > r.left.bytes {
		return r.exceeded(records)
	}
	return nil
}

// querier returns the one to use for a hop, which ends the transaction where
// that is safe.
func (r *resolver) querier(f *core.Field, depth int, last bool) (_ core.Querier, final bool) {
	cannotFail := depth == 0 && !f.Many()
	if last && (r.ending == endAlways || r.ending == endSafely && cannotFail) {
		r.committed = r.ending == endSafely
		return r.tx.Final(), true
	}
	return r.tx, false
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
		counted, size := 1, records[i].Key().JSONSize()+1
		switch {
		case depth > 0:
			p.nodes = append(p.nodes, nodes[i])
			nodes[i].times += n.times
			size = nodes[i].size
		case many:
			p.ids = append(p.ids, records[i].Key())
		default:
			p.value = records[i].Key()
			counted = 0
		}
		if err := r.take(n.times, counted, size); err != nil {
			return err
		}
	}
	return nil
}
