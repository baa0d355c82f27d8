package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// work is one writing transaction, and what it knows of the records in it.
type work struct {
	engine *Engine
	tx     *core.Transaction
	tables []table // by index of the resource
}

func newWork(e *Engine, tx *core.Transaction) *work {
	return &work{engine: e, tx: tx, tables: make([]table, len(e.shapes))}
}

// match asks the request's condition about the record before anything changes.
func (w *work) match(ctx context.Context, wr Write, s *shape, rec core.Record) error {
	if wr.Match == nil {
		return nil
	}
	if rec.IsZero() {
		return wr.Match(nil)
	}
	view, err := w.engine.resolver(w.tx, endNever).view(ctx, s, rec, wr.Depth)
	if err != nil {
		return err
	}
	return wr.Match(&view)
}

// show returns the views of the records as they now are, which may end the
// transaction.
func (w *work) show(ctx context.Context, s *shape, keys []core.Value, depth int) ([]View, error) {
	records := make([]core.Record, len(keys))
	for i, key := range keys {
		records[i] = w.table(s).record(key)
		if records[i].IsZero() { // it died with what it was detached from
			return nil, s.resource.NotFound(key)
		}
	}
	r := w.engine.resolver(w.tx, endSafely)
	r.tables, r.lenient = w.tables, true
	return r.views(ctx, s, records, depth)
}

func (w *work) showOne(ctx context.Context, s *shape, key core.Value, depth int) (View, error) {
	views, err := w.show(ctx, s, []core.Value{key}, depth)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

func (w *work) table(s *shape) table {
	t := &w.tables[s.resource.Index()]
	if *t == nil {
		*t = make(table)
	}
	return *t
}

// load reads the whole record; the zero Record if it is not there.
func (w *work) load(ctx context.Context, s *shape, key core.Value) (core.Record, error) {
	records, err := w.tx.Load(ctx, s.resource, []core.Value{key})
	if err != nil || len(records) == 0 {
		return core.Record{}, err
	}
	w.table(s).read(records)
	return records[0], nil
}

// fetch makes those of the records known that are there.
func (w *work) fetch(ctx context.Context, s *shape, keys []core.Value) error {
	unknown := w.table(s).unknown(keys)
	if len(unknown) == 0 {
		return nil
	}
	records, err := w.tx.Load(ctx, s.resource, unknown, s.related...)
	w.table(s).read(records)
	return err
}

// insert adds records.
func (w *work) insert(ctx context.Context, s *shape, records []core.Record) ([]core.Record, error) {
	inserted, err := w.tx.Insert(ctx, s.resource, records...)
	if err != nil {
		return nil, err
	}
	t := w.table(s)
	t.written(inserted)
	for _, rec := range inserted {
		t.bear(rec.Key())
	}
	return inserted, nil
}

// update changes records.
func (w *work) update(ctx context.Context, p *patches) error {
	if len(p.keys) == 0 {
		return nil
	}
	updated, err := w.tx.Replace(ctx, p.shape.resource, p.reset, p.records()...)
	w.table(p.shape).written(updated)
	return err
}

// delete removes records; nothing may point at them when the transaction ends.
func (w *work) delete(ctx context.Context, querier core.Querier, s *shape, keys []core.Value) error {
	if err := querier.Delete(ctx, s.resource, keys...); err != nil {
		return err
	}
	for _, key := range keys {
		delete(w.table(s), key)
	}
	return nil
}

// pointing reads the records that point through f at one of the keys, and reports
// whether those are all: there may be more than the limit.
func (w *work) pointing(ctx context.Context, f *core.Field, keys []core.Value, limit int) (_ []core.Record, all bool, _ error) {
	s := w.engine.shapeOf(f.Resource())
	page, err := w.tx.Select(ctx, f.Resource(), core.Query{Where: anyOf(f, keys), Fields: s.related, Limit: limit})
	if err != nil {
		return nil, false, err
	}
	w.table(s).read(page.Records)
	return page.Records, page.Next == "", nil
}
