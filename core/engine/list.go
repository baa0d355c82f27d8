package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Query selects the records of a list. The zero Query lists all records of the resource, as ids.
type Query struct {
	// Filter holds conditions by API name, all of which must match. A condition is a value that the field equals,
	// or an object of operators (eq, ne, lt, le, gt, ge, in, prefix) with their values. An object means operators
	// for a JSON field too; to compare with an object, write {"eq": {...}}. null matches null.
	//
	// A to-one relation is compared by its id, from either side of a pair. It is null if it leads to a hidden
	// record. Where a decorator can hide records, such a condition reads all related records that match it, at
	// most [Options.MaxRecords]. A field that the principal may not read is [core.UnknownField], like a hidden
	// field. A related resource that a policy denies completely is the error of the policy, such as
	// [core.Forbidden].
	Filter map[string]any
	// Equal holds further conditions by API name, which must match in addition to Filter: a field equals one of the
	// values. The values are strings, as in a URL: numbers in JSON form, true and false, and JSON for JSON and list
	// fields; the string is the value itself for any other type. It cannot express null.
	Equal map[string][]string
	// Sort holds API names; a leading "-" means descending. Nulls come last ascending and first descending; equal
	// records are ordered by id. A stored to-one relation sorts by its id, and as null if it leads to a hidden
	// record. Where a decorator can hide records, at most [Options.MaxRecords] records can be sorted by a
	// relation.
	Sort []string
	// Limit is the greatest number of records of the page; 0 means no limit. A page may be shorter because of
	// [Options.MaxRecords] and [Options.MaxBytes]: only an empty [List.Next] means the end of the list.
	Limit int
	// After continues a list: the [List.Next] of the previous page.
	After core.Cursor
	// Scope, if not empty, replaces Filter in the binding of cursors. Use it if the program builds a new Filter
	// for each page, see [core.Query.Scope].
	Scope string
	// Depth is the depth at which records are shown: 0 as ids, n as their fields with related records at n-1.
	Depth int
}

// List is a page of records.
type List struct {
	// Views are the records in the order of the query.
	Views []View
	// Next continues the list after this page. It is empty on the last page.
	Next core.Cursor
}

// List returns a page of the records of a resource. The page has as many records as the query and the options of
// the engine allow, and at least one if any record matches. Too many records never cause an error: the page ends
// earlier, and List.Next continues it.
//
// Errors: [core.NotFound] for an unknown resource; [core.UnknownField] and [core.SearchForbidden] for fields of
// filter and sort; [core.BadFieldValue] for values in the filter; [core.BadParam] for limit, depth, cursor and
// operators; [core.TooLarge] for a single record above the bounds of an answer, and for a filter or a sort that
// needs too many related records; the errors of [core.Store.Select] and of policies.
func (e *Engine) List(ctx context.Context, resource string, q Query) (List, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return List{}, err
	}
	l := lister{engine: e, info: info, query: q}
	if err := l.prepare(); err != nil {
		return List{}, l.hideUnreadable(ctx, err)
	}
	for {
		list, err := l.attempt(ctx)
		if !l.overBudget || l.readCount == 1 {
			return list, err
		}
		l.limit = l.readCount / 2
	}
}

// lister runs one [Query].
type lister struct {
	engine      *Engine
	info        *resourceInfo
	query       Query
	conditions  []condition
	order       []string      // names of the model, with sign
	maskedSorts []*core.Field // relations in the sort that may lead to hidden records
	limit       int           // records to read; halved after an answer over budget
	readCount   int           // records that were read
	overBudget  bool          // the records did not fit with their related records
}

// prepare does all checks that need no read.
func (l *lister) prepare() (err error) {
	if err := l.engine.checkDepth(l.query.Depth); err != nil {
		return err
	}
	if l.conditions, err = l.info.conditions(l.query.Filter); err != nil {
		return err
	}
	equal, err := l.info.equalities(l.query.Equal)
	if err != nil {
		return err
	}
	l.conditions = append(l.conditions, equal...)
	var related []*core.Field
	if l.order, related, err = l.info.parseSort(l.query.Sort); l.engine.mayHide {
		l.maskedSorts = related
	}
	if l.limit = l.engine.opts.MaxRecords; l.query.Limit != 0 {
		l.limit = min(l.limit, l.query.Limit) // the store rejects a negative limit
	}
	return err
}

// attempt lists the records that fit. It uses a transaction if it needs several operations.
func (l *lister) attempt(ctx context.Context) (list List, err error) {
	l.readCount, l.overBudget = 0, false // in case run is not called
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
	l.readCount, l.overBudget = 0, false // the transaction may run again
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

// parseSort translates the API names of a sort. related are the stored to-one relations among them.
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

// unknownField is the error for a field that does not exist or is hidden.
func (info *resourceInfo) unknownField(name string) error {
	return &core.Error{Code: core.UnknownField, Resource: info.resource.APIName(), Field: name}
}
