package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// page reads the records of the query. A sort by relations that may lead to hidden records needs values as the
// principal sees them, which no backend has: page reads all matching records with these values and sorts them in
// memory.
func (l *lister) page(ctx context.Context, querier core.Querier, q core.Query) (core.Page, error) {
	r := l.info.resource
	bare := l.query.Depth == 0
	if len(l.maskedSorts) == 0 {
		c := chunkReader{info: l.info, querier: querier, idOnly: bare, bytes: l.engine.opts.MaxBytes}
		return c.read(ctx, q)
	}
	all := q
	all.After, all.Limit, all.Fields = "", l.engine.opts.MaxRecords, l.info.keyOnly // the store adds the fields of the order
	found, err := querier.Select(ctx, r, all)
	if err != nil {
		return core.Page{}, err
	}
	if found.Next != "" {
		return core.Page{}, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"more than %d records to sort by a relation; use a filter", all.Limit)}
	}
	records := slices.Clone(found.Records)
	for _, f := range l.maskedSorts {
		if err := maskInvisible(ctx, querier, f, records); err != nil {
			return core.Page{}, err
		}
	}
	q.Where = core.All() // all records match already; the cursor is bound to the scope
	page, err := r.PageOf(q, slices.Values(records))
	if err != nil || bare {
		return page, err
	}
	return l.loadPage(ctx, querier, q, page)
}

// loadPage reads the complete records of a page that has only keys and sort values. It reads chunks, and ends the
// page at the bound of an answer.
func (l *lister) loadPage(ctx context.Context, querier core.Querier, q core.Query, page core.Page) (core.Page, error) {
	left, chunk := l.engine.opts.MaxBytes, firstChunk
	for done := 0; done < len(page.Records); {
		part := page.Records[done:min(done+chunk, len(page.Records))]
		complete, err := querier.Load(ctx, l.info.resource, keysOf(part))
		if err != nil {
			return core.Page{}, err
		}
		for i, rec := range part {
			if at, ok := findByKey(complete, rec.Key()); ok {
				part[i] = complete[at].Merge(rec) // keep the masked sort values, for the cursor
			}
			if left -= l.info.size(part[i]); left < 0 && done > 0 {
				page.Records = page.Records[:done]
				page.Next, err = l.info.resource.CursorAfter(q, page.Records[done-1])
				return page, err
			}
			done++
		}
		chunk = nextChunk(done, l.engine.opts.MaxBytes-left, left)
	}
	return page, nil
}

// maskInvisible sets relations that lead to hidden records to null.
func maskInvisible(ctx context.Context, querier core.Querier, f *core.Field, records []core.Record) error {
	keys := targetKeys(f, records)
	if len(keys) == 0 {
		return nil
	}
	visible, err := querier.Load(ctx, f.Target(), keys, f.Target().Key().Name())
	if err != nil && !isDenied(err) {
		return err
	}
	for i, rec := range records {
		if _, ok := findByKey(visible, rec.At(f.Column())); !ok {
			records[i] = rec.With(f.Column(), core.Null)
		}
	}
	return nil
}
