package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// expand fills the parts of the nodes of a level, which are shown at the depth,
// and returns the next level.
func (b *viewBuilder) expandLevel(ctx context.Context, current level, depth int) (level, error) {
	var next level
	hops, err := b.expansions(ctx, current, depth-1)
	if err != nil {
		return nil, err
	}
	for i := range hops {
		ex := &hops[i]
		last := i == len(hops)-1 && (depth == 1 || depth == 2 && i == 0 && b.leadsBack(ex))
		records, err := b.loadRelated(ctx, ex, depth-1, last)
		switch {
		case isDenied(err):
			continue // the relation is not shown
		case err != nil:
			return nil, err
		}
		if depth > 1 && !last {
			b.remember(ex.shown.field.Target(), records)
		}
		ex.initLists()
		if Continues(ex.shown.field) {
			err = b.attachMembers(ctx, ex, records, depth-1, &next)
		} else {
			err = b.attachRecords(ex, records, depth-1, &next)
		}
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}

// read notes what a transaction that only reads was shown, so that it need not ask
// whether it is there when it comes upon its id again.
func (b *viewBuilder) remember(of *core.Resource, records []core.Record) {
	if b.finality != alwaysFinal {
		return
	}
	if b.known == nil {
		b.known = make([]identityMap, len(b.engine.resources))
	}
	m := &b.known[of.Index()]
	if *m == nil {
		*m = make(identityMap, len(records))
	}
	m.addRead(records)
}

// returns reports whether the records that the hop leads to have no relations but
// the one back to where it starts, which are ids that have been read.
func (b *viewBuilder) leadsBack(ex *expansion) bool {
	f := ex.shown.field
	if f.Stored() {
		return false
	}
	for _, shown := range b.engine.info(f.Target()).relations {
		if shown.field != f.Inverse() {
			return false
		}
	}
	return true
}

// hops fills the parts that need no operation and returns the hops that do.
func (b *viewBuilder) expansions(ctx context.Context, current level, depth int) ([]expansion, error) {
	var expansions []expansion
	for _, g := range current {
		if err := b.compute(ctx, g); err != nil {
			return nil, err
		}
		for _, shown := range g.info.relations {
			if depth == 0 && shown.isStoredID() && !b.engine.mayHide {
				if err := b.showStoredIDs(g, shown); err != nil {
					return nil, err
				}
				continue
			}
			ex, err := newExpansion(g, shown)
			if err != nil {
				return nil, err
			}
			records, known := b.knownRecords(&ex, depth)
			if !known {
				expansions = append(expansions, ex)
				continue
			}
			ex.initLists()
			if err := b.attachRecords(&ex, records, depth, nil); err != nil {
				return nil, err
			}
		}
	}
	return expansions, nil
}

// showIDs shows to-one relations as the ids that the records store.
func (b *viewBuilder) showStoredIDs(g *nodeGroup, shown *shownField) error {
	for _, n := range g.nodes {
		v := n.record.At(shown.field.Column())
		if !v.IsSet() {
			continue
		}
		n.parts[shown.part].value = v
		if err := b.spend(n.times, 0, v.JSONSize()+1); err != nil {
			return err
		}
	}
	return nil
}

// known returns the records that the hop leads to if that takes no operation:
// because there are none, or because their ids are enough and they were read in
// the same transaction.
func (b *viewBuilder) knownRecords(ex *expansion, depth int) ([]core.Record, bool) {
	if len(ex.keys) == 0 {
		return nil, true
	}
	f := ex.shown.field
	if depth > 0 || b.known == nil || !f.Stored() {
		return nil, false
	}
	return b.known[f.Target().Index()].allVisible(ex.keys)
}

// follow reads the records that the hop leads to, ascending by key, as much of
// them as the depth shows and no more than the answer may hold.
func (b *viewBuilder) loadRelated(ctx context.Context, ex *expansion, depth int, last bool) ([]core.Record, error) {
	f := ex.shown.field
	fields := b.engine.info(f.Target()).fieldsAt(depth)
	if f.Stored() {
		return b.loadTargets(ctx, ex, fields, depth, last)
	}
	if fields != nil {
		fields = []string{fields[0], f.Inverse().Name()}
	}
	if Continues(f) {
		return b.loadMembers(ctx, ex, fields, depth, last)
	}
	query := core.Query{Where: anyOf(f.Inverse(), ex.keys), Fields: fields}
	switch {
	case f.Many():
		query.Limit = b.remaining.records + 1
	case len(ex.keys) > firstChunk:
		query.Limit = len(ex.keys) // as many as there can be
	}
	querier, final := b.querier(f, depth, last)
	c := chunkReader{info: b.engine.info(f.Target()), querier: querier, final: final, idOnly: depth == 0, bytes: b.remaining.bytes}
	page, err := c.read(ctx, query)
	if err == nil && page.Next != "" { // some may not count, if a policy hides what they point at
		err = b.budgetError(len(page.Records))
	}
	return page.Records, err
}

// exceeded is the error of a relation of which an answer cannot hold more records
// than those that were read.
func (b *viewBuilder) budgetError(records int) error {
	b.overBudget = true
	if records > b.remaining.records {
		return answerTooLarge("hold more than %d records", b.engine.opts.MaxRecords)
	}
	return answerTooLarge("have more than %d bytes", b.engine.opts.MaxBytes)
}

// load reads the records whose ids the nodes' own records store. Of a list it is
// known only then which members are shown, and the others must not count.
func (b *viewBuilder) loadTargets(ctx context.Context, ex *expansion, fields []string, depth int, last bool) (all []core.Record, _ error) {
	f := ex.shown.field
	info := b.engine.info(f.Target())
	chunk, size := firstChunk, 0
	if depth == 0 {
		chunk = max(largestChunk, b.engine.opts.MaxRecords)
	}
	for left := ex.keys; len(left) > 0; {
		n := min(len(left), chunk)
		querier, _ := b.querier(f, depth, last && n == len(left))
		records, err := querier.Load(ctx, f.Target(), left[:n], fields...)
		if err != nil {
			return nil, err
		}
		if left = left[n:]; all == nil && len(left) == 0 {
			return records, b.checkFits(f, len(records), 0)
		}
		for _, rec := range records {
			size += info.nodeSize(rec, depth == 0)
		}
		all = append(all, records...)
		if err := b.checkFits(f, len(all), size); err != nil {
			return nil, err
		}
		chunk = nextChunk(len(all), size, b.remaining.bytes-size)
	}
	return all, nil
}

// fits checks that the answer can hold the records of a relation, each at least once.
func (b *viewBuilder) checkFits(f *core.Field, records, size int) error {
	if f.Many() && records > b.remaining.records || size > b.remaining.bytes {
		return b.budgetError(records)
	}
	return nil
}

// querier returns the one to use for a hop, which ends the transaction where
// that is safe.
func (b *viewBuilder) querier(f *core.Field, depth int, last bool) (_ core.Querier, final bool) {
	cannotFail := depth == 0 && !f.Many()
	if last && (b.finality == alwaysFinal || b.finality == finalIfSafe && cannotFail) {
		b.committed = b.finality == finalIfSafe
		return b.tx.Final(), true
	}
	return b.tx, false
}

// anyOf matches the records whose field has one of the values.
func anyOf(f *core.Field, values []core.Value) core.Filter {
	if len(values) == 1 {
		return f.Compare(core.FilterEq, values...)
	}
	return f.Compare(core.FilterIn, values...)
}

// attach hangs the records below the nodes that they are related to.
func (b *viewBuilder) attachRecords(ex *expansion, records []core.Record, depth int, next *level) error {
	if len(records) == 0 {
		return nil
	}
	var nodes []*node
	if depth > 0 {
		nodes = next.group(b.engine.info(ex.shown.field.Target())).nodesFor(records, false)
	}
	many := ex.shown.field.Many()
	for n, i := range ex.pairs(records) {
		p := &n.parts[ex.shown.part]
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
		if err := b.spend(n.times, counted, size); err != nil {
			return err
		}
	}
	return nil
}
