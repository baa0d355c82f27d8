package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Query says which records of a resource to list, in the words of a client. The
// zero Query lists all, as ids.
type Query struct {
	// Filter holds conditions by API name, all of which must hold: a value
	// that the field equals, or an object of operators (eq, ne, lt, le, gt, ge,
	// in, prefix) and values. An object means operators for a field of type JSON
	// too: to ask for an equal object, say {"eq": {...}}. null matches null. A
	// to-one relation is compared by its id, from either side of a pair; one to a
	// record that the principal cannot see is null. Where policies are, that takes a
	// look at all related records that the condition is about: more of them than
	// [Options.MaxRecords] are too many. A field that the principal may not read is
	// [core.UnknownField], as a hidden one is; a related resource of which the principal
	// may read nothing is the error of its policy, such as [core.Forbidden].
	Filter map[string]any
	// Sort holds API names, with "-" in front for descending; nulls come
	// last ascending and first descending, ties are broken by the id. A stored
	// to-one relation sorts by its id, as null where the principal cannot see what
	// it leads to: where policies are, no more than [Options.MaxRecords] records
	// can be sorted by it.
	Sort []string
	// Limit is how many records to list at most; 0 means no limit of its own. A
	// page may be shorter, see [Options.MaxRecords] and [Options.MaxBytes]: the list
	// has ended only where [List.Next] is empty.
	Limit int
	// After continues a list where [List.Next] points.
	After core.Cursor
	// Scope, if not empty, is what cursors are bound to in the place of Filter: for a
	// program that makes Filter anew for each page, see [core.Query.Scope].
	Scope string
	// Depth at which to show the records: 0 their ids, n their fields with
	// related records at n-1.
	Depth int
}

// List is a page of records.
type List struct {
	Views []View
	// Next continues the list; empty when there is nothing more.
	Next core.Cursor
}

// List returns a page of the records of a resource: as many as the query and the
// engine's options allow, and at least one if there is one. A page never fails because
// there are too many records; it is shorter, and List.Next continues it.
//
// Errors: [core.NotFound] for an unknown resource; [core.UnknownField] and
// [core.SearchForbidden] for what filter and sort name; the error of a policy that
// refuses the list, or the related records that the filter is about; [core.BadFieldValue] for
// values in the filter that do not fit; [core.BadParam] for limit, depth, cursor
// and operators; [core.TooLarge] if a single record exceeds the bounds of an answer,
// and for a filter or a sort that takes a look at too many related records.
func (e *Engine) List(ctx context.Context, resource string, q Query) (List, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return List{}, err
	}
	l := lister{engine: e, info: info, query: q}
	if err := l.prepare(); err != nil {
		return List{}, err
	}
	for {
		list, err := l.attempt(ctx)
		if !l.overBudget || l.readCount == 1 {
			return list, err
		}
		l.limit = l.readCount / 2
	}
}

// lister answers one [Query].
type lister struct {
	engine      *Engine
	info        *resourceInfo
	query       Query
	conditions  []condition
	order       []string      // internal names
	maskedSorts []*core.Field // relations to sort by that may lead to what is hidden
	limit       int           // how many records to read; fewer after they did not fit
	readCount   int           // how many were read
	overBudget  bool          // they did not fit, with what they show of others
}

// prepare checks what can be checked without reading.
func (l *lister) prepare() (err error) {
	if err := l.engine.checkDepth(l.query.Depth); err != nil {
		return err
	}
	if l.conditions, err = l.info.conditions(l.query.Filter); err != nil {
		return err
	}
	var related []*core.Field
	if l.order, related, err = l.info.parseSort(l.query.Sort); l.engine.mayHide {
		l.maskedSorts = related
	}
	if l.limit = l.engine.opts.MaxRecords; l.query.Limit != 0 {
		l.limit = min(l.limit, l.query.Limit) // Select rejects a negative one
	}
	return err
}

// attempt lists what fits of the records that it reads, in a transaction if that takes
// several operations.
func (l *lister) attempt(ctx context.Context) (list List, err error) {
	l.readCount, l.overBudget = 0, false // also if no run begins
	one := l.query.Depth == 0 || l.limit <= firstChunk
	if l.engine.needsNoReads(l.info, l.query.Depth) && !l.needsRelated() && one {
		return l.run(ctx, l.engine.store, l.engine.viewBuilder(nil, neverFinal))
	}
	err = l.engine.readFinal(ctx, func(ctx context.Context, tx *core.Transaction, ending finality) (err error) {
		list, err = l.run(ctx, tx, l.engine.viewBuilder(tx, ending))
		return err
	})
	return list, err
}

func (l *lister) run(ctx context.Context, querier core.Querier, b *viewBuilder) (List, error) {
	l.readCount, l.overBudget = 0, false // a transaction may be repeated
	q := core.Query{
		Order: l.order, Limit: l.limit, After: l.query.After, Scope: l.scope(), Fields: l.info.fieldsAt(l.query.Depth),
	}
	var err error
	if q.Where, err = l.where(ctx, querier); err != nil {
		return List{}, err
	}
	page, err := l.page(ctx, querier, q)
	if err != nil {
		return List{}, err
	}
	views, err := b.views(ctx, l.info, page.Records, l.query.Depth)
	l.readCount, l.overBudget = len(page.Records), b.overBudget
	return List{Views: views, Next: page.Next}, err
}

// order translates the names of a sort, and returns the stored to-one relations among
// them.
func (info *resourceInfo) parseSort(names []string) (order []string, related []*core.Field, err error) {
	order = make([]string, 0, len(names))
	for _, name := range names {
		f, sign := info.resource.FieldByAPIName(name), ""
		if f == nil && len(name) > 0 && name[0] == '-' {
			name, sign = name[1:], "-"
			f = info.resource.FieldByAPIName(name)
		}
		if f == nil || f.Hidden() {
			return nil, nil, info.unknownField(name)
		}
		if f.Target() != nil && f.Stored() && !f.Many() {
			related = append(related, f)
		}
		order = append(order, sign+f.Name())
	}
	return order, related, nil
}

// unknown is the error of a field that does not exist, for clients at least.
func (info *resourceInfo) unknownField(name string) error {
	return &core.Error{Code: core.UnknownField, Resource: info.resource.APIName(), Field: name}
}
