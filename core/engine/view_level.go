package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// expandLevel sets the parts of the nodes of a level, which are shown at the depth, and returns the next level.
func (b *viewBuilder) expandLevel(ctx context.Context, current level, depth int) (level, error) {
	var next level
	all, err := b.expansions(ctx, current, depth-1)
	if err != nil {
		return nil, err
	}
	isLowest, err := b.isLowest(ctx, all, depth-1)
	if err != nil {
		return nil, err
	}
	reads := joined(all)
	for i, served := range reads {
		target := served[0].shown.field.Target()
		last := isLowest && i == len(reads)-1
		shownAt := served[0].shown.depth(depth - 1)
		records, err := b.loadRelated(ctx, served[0], shownAt, last)
		switch {
		case isDenied(err):
			// The relations are not shown.
			continue
		case err != nil:
			return nil, err
		}
		if shownAt > 0 && !last && served[0].members == nil {
			b.remember(target, records)
		}
		for _, ex := range served {
			ex.initLists()
			if Continues(ex.shown.field) {
				err = b.attachMembers(ex, records, shownAt, &next)
			} else {
				err = b.attachRecords(ex, records, shownAt, &next)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return next, nil
}

// isLowest reports whether no operation follows for relations of the records that the expansions lead to, which are shown
// at the depth.
func (b *viewBuilder) isLowest(ctx context.Context, all []expansion, depth int) (bool, error) {
	if depth == 1 && len(all) == 1 && b.leadsBack(&all[0]) {
		return true, nil
	}
	for i := range all {
		shown := all[i].shown
		none, err := b.targetInfo(shown).needsNoReads(shown.depth(depth), func(target *core.Resource) (bool, error) { return b.showsIDs(ctx, target) })
		if err != nil || !none {
			return false, err
		}
	}
	return true, nil
}

// remember notes records that a read-only transaction has read, so that their ids need no further read.
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

// leadsBack reports whether the related records have no relation except the inverse one. The ids of that one have
// been read.
func (b *viewBuilder) leadsBack(ex *expansion) bool {
	f := ex.shown.field
	if f.Stored() {
		return false
	}
	for _, shown := range b.targetInfo(ex.shown).relations {
		if shown.field != f.Inverse() {
			return false
		}
	}
	return true
}

// expansions sets the parts that need no operation, and returns an expansion for each of the others.
func (b *viewBuilder) expansions(ctx context.Context, current level, depth int) ([]expansion, error) {
	var expansions []expansion
	for _, g := range current {
		if err := b.compute(ctx, g); err != nil {
			return nil, err
		}
		for _, shown := range g.info.relations {
			depth := shown.depth(depth)
			if depth == 0 && shown.isStoredID() && !shown.field.Keeps() {
				all, err := b.showsIDs(ctx, shown.field.Target())
				if all {
					err = b.showStoredIDs(g, shown)
				}
				if err != nil {
					return nil, err
				}
				if all {
					continue
				}
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

// showStoredIDs shows to-one relations as the stored ids, without a read.
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

// knownRecords returns the related records if they need no operation: there are none, or only their ids are shown
// and a read of the same transaction has returned them.
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

// loadRelated reads the related records, ascending by key, with the fields that the depth needs, within the
// budget.
func (b *viewBuilder) loadRelated(ctx context.Context, ex *expansion, depth int, last bool) ([]core.Record, error) {
	f := ex.shown.field
	info := b.targetInfo(ex.shown)
	fields := info.fieldsAt(depth)
	if f.Stored() {
		return b.loadTargets(ctx, ex, fields, depth, last)
	}
	if near, _ := f.Through(); near != nil {
		links, err := b.loadMembers(ctx, ex, fields, depth, last && depth == 0)
		if err == nil && depth > 0 {
			err = b.loadLinked(ctx, ex, links, depth, last)
		}
		return links, linkError(f, err)
	}
	if fields != nil {
		fields = append(slices.Clip(fields), f.Inverse().Name())
	}
	if Continues(f) {
		return b.loadMembers(ctx, ex, fields, depth, last)
	}
	query := core.Query{Where: anyOf(f.Inverse(), ex.keys), Fields: fields}
	switch {
	case f.Many():
		query.Limit = b.remaining.records + 1
	case len(ex.keys) > firstChunk:
		query.Limit = len(ex.keys) // each node has at most one
	}
	querier, final := b.querier(f, depth, last)
	c := chunkReader{info: info, querier: querier, final: final, idOnly: depth == 0, bytes: b.remaining.bytes}
	page, err := c.read(ctx, query)
	// Some of these records may not be shown, if a policy hides their reference.
	if err == nil && page.Next != "" {
		err = b.budgetError(len(page.Records))
	}
	return page.Records, err
}

// budgetError is the error for a relation with more records than the answer can hold.
func (b *viewBuilder) budgetError(records int) error {
	b.overBudget = true
	if records > b.remaining.records {
		return answerTooLarge("hold more than %d records", b.engine.opts.MaxRecords)
	}
	return answerTooLarge("have more than %d bytes", b.engine.opts.MaxBytes)
}

// loadTargets reads the records that the nodes name by id. Hidden members of a list are known only after the read,
// and they do not count.
func (b *viewBuilder) loadTargets(ctx context.Context, ex *expansion, fields []string, depth int, last bool) (all []core.Record, _ error) {
	f := ex.shown.field
	info := b.targetInfo(ex.shown)
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

// checkFits checks the budget for the records of a relation, each counted once.
func (b *viewBuilder) checkFits(f *core.Field, records, size int) error {
	if f.Many() && records > b.remaining.records || size > b.remaining.bytes {
		return b.budgetError(records)
	}
	return nil
}

// targetInfo returns the facts about the records of a relation as they are shown.
func (b *viewBuilder) targetInfo(shown *shownField) *resourceInfo {
	if shown.target != nil {
		return shown.target
	}
	return b.engine.info(shown.field.Target())
}

// querier returns the querier for an expansion. It ends the transaction where finality allows it.
func (b *viewBuilder) querier(f *core.Field, depth int, last bool) (_ core.Querier, final bool) {
	cannotFail := depth == 0 && !f.Many()
	if last && (b.finality == alwaysFinal || b.finality == finalIfSafe && cannotFail) {
		b.committed = b.finality == finalIfSafe
		return b.tx.Final(), true
	}
	return b.tx, false
}

// anyOf matches records with one of the values in the field.
func anyOf(f *core.Field, values []core.Value) core.Filter {
	if len(values) == 1 {
		return f.Compare(core.FilterEq, values...)
	}
	return f.Compare(core.FilterIn, values...)
}

// attachRecords adds the records to the nodes that they are related to.
func (b *viewBuilder) attachRecords(ex *expansion, records []core.Record, depth int, next *level) error {
	if len(records) == 0 {
		return nil
	}
	var nodes []*node
	if depth > 0 {
		nodes = next.group(b.targetInfo(ex.shown)).nodesFor(records, false)
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
