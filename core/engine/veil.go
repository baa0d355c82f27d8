package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// page reads what the query asks for. Where the order depends on relations, it is
// that of the records as the principal sees them: no backend has it, so all of them
// are read, and sorted here.
func (l *lister) page(ctx context.Context, session core.Session, q core.Query) (core.Page, error) {
	r := l.shape.resource
	if len(l.veiled) == 0 {
		return session.Select(ctx, r, q)
	}
	all := q
	all.After, all.Limit = "", l.engine.opts.MaxRecords
	found, err := session.Select(ctx, r, all)
	if err != nil {
		return core.Page{}, err
	}
	if found.Next != "" {
		return core.Page{}, &core.Error{Code: core.TooLarge, Message: "too many records to sort by a relation; use a filter"}
	}
	records := slices.Clone(found.Records)
	for _, f := range l.veiled {
		if err := veil(ctx, session, f, records); err != nil {
			return core.Page{}, err
		}
	}
	q.Where = core.All() // which they fulfil as they are stored; cursors are bound to the scope
	return r.PageOf(q, slices.Values(records))
}

// veil makes relations null that lead to what the principal cannot see, or may not
// read at all.
func veil(ctx context.Context, session core.Session, f *core.Field, records []core.Record) error {
	seen, err := session.Load(ctx, f.Target(), targets(f, records), f.Target().Key().Name())
	if err != nil && !refused(err) {
		return err
	}
	for i, rec := range records {
		if _, ok := find(seen, rec.At(f.Column())); !ok {
			records[i] = rec.With(f.Column(), core.Null)
		}
	}
	return nil
}
