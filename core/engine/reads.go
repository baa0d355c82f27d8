package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// loadMatch reads the whole record of a request, the zero Record if there is none, and calls opts.Match.
func (w *writer) loadMatch(ctx context.Context, info *resourceInfo, key core.Value, opts Write) (core.Record, error) {
	rec, err := w.load(ctx, info, key)
	if err != nil {
		return core.Record{}, err
	}
	return rec, w.checkMatch(ctx, opts, rec)
}

// checkMatch calls opts.Match with the record before any change.
func (w *writer) checkMatch(ctx context.Context, opts Write, rec core.Record) error {
	if opts.Match == nil {
		return nil
	}
	if rec.IsZero() {
		return opts.Match(nil)
	}
	view, err := w.engine.viewBuilder(w.tx, neverFinal).view(ctx, opts.before.info, rec, opts.before.depth)
	if err != nil {
		return err
	}
	return opts.Match(&view)
}

// markCreated notes the key of a record that is about to be created, because its body may relate it to itself. An absent
// key is ignored.
func (w *writer) markCreated(info *resourceInfo, key core.Value) {
	if key.IsSet() {
		w.knownOf(info).markCreated(key)
	}
}

// checkRelated checks that the records exist and are visible, with one operation for each resource. It returns
// [core.NotFound] for the first record that is not.
func (w *writer) checkRelated(ctx context.Context, related []relatedRecord) error {
	keys := make([][]core.Value, len(w.known))
	for _, r := range related {
		keys[r.resource.Index()] = append(keys[r.resource.Index()], r.key)
	}
	for i, info := range w.engine.resources {
		if err := w.loadUnknown(ctx, info, keys[i]); err != nil {
			return err
		}
	}
	for _, r := range related {
		if known := w.known[r.resource.Index()][r.key]; known.record.IsZero() && !known.created {
			return errorAt(r.resource.NotFound(r.key), r.element)
		}
	}
	return nil
}

// load reads the whole record, which the request changes. It returns the zero Record if there is none.
func (w *writer) load(ctx context.Context, info *resourceInfo, key core.Value) (core.Record, error) {
	records, err := w.tx.Load(ctx, info.resource, []core.Value{key})
	if err != nil || len(records) == 0 {
		return core.Record{}, err
	}
	m := w.knownOf(info)
	m.addRead(records)
	m.addUpdated(info, records[0], true, w.writes)
	return records[0], nil
}

// loadUnknown reads the records that the identity map does not have. Missing and hidden records stay unknown.
func (w *writer) loadUnknown(ctx context.Context, info *resourceInfo, keys []core.Value) error {
	unknown := w.knownOf(info).missing(keys)
	if len(unknown) == 0 {
		return nil
	}
	records, err := w.tx.Load(ctx, info.resource, unknown, info.relationFields...)
	w.knownOf(info).addRead(records)
	return err
}

// referrers reads the records that point through f at one of the keys, at most limit of them if limit is positive.
// all reports whether there are no others.
func (w *writer) referrers(ctx context.Context, f *core.Field, keys []core.Value, limit int) (_ []core.Record, all bool, _ error) {
	info := w.engine.info(f.Resource())
	page, err := w.tx.Select(ctx, f.Resource(), core.Query{Where: anyOf(f, keys), Fields: info.relationFields, Limit: limit})
	if err != nil {
		return nil, false, err
	}
	w.knownOf(info).addRead(page.Records)
	return page.Records, page.Next == "", nil
}
